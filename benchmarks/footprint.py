"""Footprint: start to first decision, resident memory in work, and CPU while the camera is silent.

    python -m benchmarks.footprint [--pairs N]

`edgeinfer run` against a hand-written loop, both as a user starts them, on the pedestrian video at 10 frames a second.
The first decision is when a subscriber has it; memory is the resident set 10 s later. Met: first decision at most
0.3 s after the loop's, memory at most 15 MB above it, and at most 1 % of a core while the camera is silent.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

import paho.mqtt.client as paho

from benchmarks.figures import ROOT
from benchmarks.ours import config
from benchmarks.pairs import Ratio, alternate, interval
from benchmarks.sides import theirs, video
from edgeinfer.testing.broker import broker

SETTLE_S = 10.0
IDLE_S = 20.0
TICKS = os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(command: list[str], port: int) -> dict[str, float]:
    """Starts `command`, waits for its first decision, and weighs it in work."""
    arrived, client = Event(), paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda *_: arrived.set()
    client.connect("127.0.0.1", port)
    client.subscribe([("bench/people", 1), ("edgeinfer/bench/decision/people", 1)])
    client.loop_start()
    time.sleep(0.3)
    arrived.clear()
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not arrived.wait(30):
            raise SystemExit(f"no decision within 30 s from {command}")
        first_s = time.monotonic() - started
        time.sleep(SETTLE_S)
        return {"first_s": first_s, "rss_mb": rss_mb(process.pid)}
    finally:
        process.terminate()
        process.wait(10)
        client.loop_stop()


def run_command(folder: Path, text: str) -> list[str]:
    path = folder / "config.toml"
    path.write_text(f'{text}\n[state]\ndir = "{folder / "state"}"\n')
    return [sys.executable, "-m", "edgeinfer", "run", str(path)]


def idle() -> Ratio:
    """Percent of a core while the camera accepts the connection and sends nothing; three stretches of 20 s."""
    with socket.socket() as silent, tempfile.TemporaryDirectory() as folder, broker() as own:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        text = config(f"http://127.0.0.1:{silent.getsockname()[1]}/", own.port, 10)
        process = subprocess.Popen(run_command(Path(folder), text), cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            time.sleep(SETTLE_S)
            shares = []
            for _ in range(3):
                before = cpu_s(process.pid)
                time.sleep(IDLE_S)
                shares.append((cpu_s(process.pid) - before) / IDLE_S * 100)
        finally:
            process.terminate()
            process.wait(10)
    return interval(shares)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10)
    args = parser.parse_args()
    with broker() as own, tempfile.TemporaryDirectory() as folder:
        loop = [sys.executable, "-m", theirs, "--video", str(video()), "--port", str(own.port), "--fps", "10"]
        daemon = run_command(Path(folder), config(str(video()), own.port, 10))
        pairs = alternate(lambda: measure(daemon, own.port), lambda: measure(loop, own.port), args.pairs)
    print(pairs.table("first_s", "rss_mb"))
    later, more, percent = pairs.difference("first_s"), pairs.difference("rss_mb"), idle()
    print(f"first decision  {later} s after the loop's; bound ≤ 0.3: {later.verdict(at_most=0.3)}")
    print(f"memory          {more} MB above the loop's; bound ≤ 15: {more.verdict(at_most=15)}")
    print(f"silent camera   {percent} % of a core; bound ≤ 1: {percent.verdict(at_most=1)}")


if __name__ == "__main__":
    main()
