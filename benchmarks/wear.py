"""Storage wear: bytes that reach the block device for each decision, at several rates and values of `sync_s`.

    sudo python -m benchmarks.wear [--minutes 10] [--rates 0.1,1,10,100] [--syncs 0,1,10]

Each combination runs side by side with the others, in a process of its own, on an ext4 file system (noatime) of its
own behind a loop device, whose counters are read: that includes the file system's journal and metadata, which
write_bytes of /proc/PID/io misses. One decision a commit, and its cursor moves as a courier moves it. Making the file
does not count; closing it does, so that the last checkpoint is in. Needs root.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import ROOT
from benchmarks.outbox import DETAILS, print_report
from edgeinfer.clock import SystemClock
from edgeinfer.events import Decision
from edgeinfer.runtime.outbox import Outbox
from tests.fixtures.loops import LoopDisk, Written, mount_alone

_DISK_MB = 80
_DAY_S = 86_400


def decide(folder: Path, rate: float, sync_s: float, for_s: float) -> int:
    """Says "ready", waits for a line, and decides at `rate` for so long; how many."""
    clock = SystemClock()
    outbox = Outbox(folder / "outbox.sqlite", "bench", clock, report=print_report, sync_s=sync_s)
    outbox.retire(["sink.plant"])
    outbox.maintain()
    print("ready", flush=True)
    sys.stdin.readline()
    n, began = 0, time.monotonic()
    while (at := (n + 0.5) / rate) < for_s:
        time.sleep(max(0.0, began + at - time.monotonic()))
        state = "on" if n % 2 else "off"
        decision = Decision("inspection", "scratched", "belt", state, clock.now(), ("belt", n), DETAILS)
        entries = outbox.append([decision], "parts@sha256:0123456789abcdef", "sha256:0123456789abcdef")
        outbox.advance("sink.plant", entries[-1].seq)
        n += 1
    time.sleep(max(0.0, began + for_s - time.monotonic()))
    outbox.close()
    return n


@dataclass
class Run:
    """One combination on its disk."""

    rate: float
    sync_s: float
    disk: LoopDisk
    process: subprocess.Popen[str] | None = None
    before: Written | None = None

    def start(self, for_s: float) -> None:
        command = [sys.executable, "-m", "benchmarks.wear", "--one", str(self.disk.folder)]
        command += [str(self.rate), str(self.sync_s), str(for_s)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        if self.process.stdout is None or self.process.stdout.readline() != "ready\n":
            raise SystemExit(f"the outbox at {self.rate:g}/s did not open")
        self.disk.sync()
        self.before = self.disk.written()

    def go(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self) -> tuple[int, Written]:
        """Decisions, and what their disk wrote."""
        assert self.process is not None
        assert self.before is not None
        said, _ = self.process.communicate()
        if self.process.returncode:
            raise SystemExit(f"the outbox at {self.rate}/s failed")
        self.disk.sync()
        return int(said.splitlines()[-1]), self.disk.written().since(self.before)


def table(found: Sequence[tuple[Run, int, Written]]) -> str:
    lines = [
        "| decisions/s | sync_s | decisions | bytes/decision | writes/decision | flushes/decision | MB/day |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for run, n, w in found:
        per_day_mb = w.bytes / n * run.rate * _DAY_S / 1e6
        cells = f"{run.rate:g} | {run.sync_s:g} | {n} | {w.bytes / n:,.0f} | {w.writes / n:.2f}"
        lines.append(f"| {cells} | {w.flushes / n:.2f} | {per_day_mb:,.0f} |")
    return "\n".join(lines)


def measure(rates: Sequence[float], syncs: Sequence[float], for_s: float, folder: Path) -> str:
    runs: list[Run] = []
    try:
        for rate in rates:
            for sync_s in syncs:
                name = f"{rate:g}-{sync_s:g}"
                runs.append(Run(rate, sync_s, LoopDisk(folder / f"{name}.img", folder / name, _DISK_MB)))
        for run in runs:
            run.start(for_s)
        for run in runs:
            run.go()
        return table([(run, *run.finish()) for run in runs])
    finally:
        for run in runs:
            if run.process is not None and run.process.poll() is None:
                run.process.kill()
                run.process.wait()
            run.disk.unmount()


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rates", type=numbers, default=[0.1, 1.0, 10.0, 100.0])
    parser.add_argument("--syncs", type=numbers, default=[0.0, 1.0, 10.0])
    parser.add_argument(
        "--one", nargs=4, metavar=("FOLDER", "RATE", "SYNC_S", "FOR_S"), help=argparse.SUPPRESS
    )
    args = parser.parse_args()
    if args.one:
        folder, *figures = args.one
        print(decide(Path(folder), *map(float, figures)))
        return
    mount_alone()
    with tempfile.TemporaryDirectory(prefix="edgeinfer-wear-") as folder:
        print(f"{args.minutes:g} minutes each, side by side")
        print(measure(args.rates, args.syncs, args.minutes * 60, Path(folder)))


if __name__ == "__main__":
    main()
