"""Everything goes wrong at once, for as long as you like: is every decision delivered, in order, and none invented?

    sudo python -m tests.chaos [--minutes 120] [--rate 50] [--faults 500] [--seed 1] [--keep FOLDER]

A real daemon (two serial sensors, eight rules, two mqtt sinks and a file) on an ext4 file system of its own, a real
mosquitto, and a network between them. Kills, cuts, a full disk, a read-only one, clocks that jump, power cuts, reloads.
Needs root (loop devices), mosquitto, gcc and e2fsprogs. Exit code 0: the promise was kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.storm import Plan, Storm
from tests.fixtures.loops import mount_alone


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="python -m tests.chaos",
    )
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=50.0, help="decisions a second, of all rules together")
    parser.add_argument("--faults", type=int, default=0, help="how many; default: one each 14.4 s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, help="work in this folder, which must not exist, and leave it there"
    )
    args = parser.parse_args()
    plan = Plan(args.minutes, args.rate, args.faults or max(1, round(args.minutes * 60 / 14.4)), args.seed)
    if args.keep:
        args.keep.mkdir(parents=True)
        return _run(plan, args.keep)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        return _run(plan, Path(folder))


def _run(plan: Plan, folder: Path) -> int:
    mount_alone()
    verdict = Storm(plan, folder).run()
    print(verdict)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
