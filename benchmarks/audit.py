"""The audit log: what a line costs on the medium, and what keeping account of decisions costs the outbox.

    python -m benchmarks.audit [--lines N] [--decisions N]        (as root: it mounts an ext4 of its own)

Medium: sectors that the kernel wrote to a loop device with ext4 (journal and metadata count), one line with its fsync at
a time, against 4 kB appended to a plain file with the same fsync. Account: microseconds for each decision, against the
append of the outbox that it stands in.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.app.account import Account
from edgeinfer.audit import AuditLog
from edgeinfer.clock import SystemClock
from edgeinfer.events import Decision
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.wire.times import iso

_SECTOR = 512  # Documentation/block/stat.rst: always
_BATCH = {"first": 471100, "last": 471160, "count": 61, "ids_sha256": "0" * 64}
_ALONE_S = 0.05  # so that the journal of the file system does not put several lines into one commit


@contextmanager
def medium(folder: Path) -> Iterator[tuple[Path, Callable[[], int]]]:
    """A mounted ext4, and how many bytes were written to its device so far."""
    image, mounted = folder / "image", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(128_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    loop = subprocess.run(
        ["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True
    ).stdout.strip()
    subprocess.run(["mount", loop, str(mounted)], check=True)
    stat = Path("/sys/block") / Path(loop).name / "stat"
    try:
        yield mounted, lambda: int(stat.read_text().split()[6]) * _SECTOR
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
        subprocess.run(["losetup", "-d", loop], check=True)


def log_lines(folder: Path, lines: int) -> float:
    clock = SystemClock()
    log = AuditLog(folder / "audit", lambda: iso(clock.now().unix_ns), lambda *_: None)
    spent = 0.0
    for _ in range(lines):
        began = time.perf_counter()
        log.write("decisions", **_BATCH)
        log.sync()
        spent += time.perf_counter() - began
        time.sleep(_ALONE_S)
    log.close()
    return spent / lines


def plain_appends(folder: Path, lines: int) -> float:
    spent = 0.0
    with (folder / "plain").open("ab", buffering=0) as file:
        for _ in range(lines):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            spent += time.perf_counter() - began
            time.sleep(_ALONE_S)
    return spent / lines


def account_us(folder: Path, decisions: int) -> tuple[float, float]:
    """Of the account alone, and of the whole append."""
    clock, account = SystemClock(), Account()
    outbox = Outbox(folder / "outbox.db", "bench", clock, report=lambda *_: None)
    began = time.perf_counter()
    entries = []
    for n in range(decisions):
        entries += outbox.append([Decision("p", "r", "s", "on", clock.now(), ("s", n))])
    whole_s = time.perf_counter() - began
    outbox.close()
    began = time.perf_counter()
    for entry in entries:
        account.add((entry,))
    return (time.perf_counter() - began) / decisions * 1e6, whole_s / decisions * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--decisions", type=int, default=20_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, medium(Path(name)) as (disk, written):
        figures = {}
        for what, work in {"audit line": log_lines, "plain 4 kB": plain_appends}.items():
            os.sync()
            before = written()
            took_s = work(disk, args.lines)
            os.sync()
            figures[what] = (written() - before) / args.lines
            print(f"{what}: {figures[what]:8.0f} bytes on the medium, {took_s * 1e3:.2f} ms")
        ratio = figures["audit line"] / figures["plain 4 kB"]
        print(
            f"ratio {ratio:.2f}; a line each five minutes: {figures['audit line'] * 288 / 1e6:.1f} MB a day"
        )
        own, whole = account_us(Path(name), args.decisions)
        print(f"account: {own:.2f} µs of the {whole:.1f} µs of an append ({own / whole:.1%})")


if __name__ == "__main__":
    main()
