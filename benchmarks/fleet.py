"""A fleet: how cost grows with the number of devices on one mosquitto, and on a cluster of three nats-servers.

    python -m benchmarks.fleet [--devices N ...] [--brokers mosquitto nats] [--rate R] [--for S]

Each device has a real outbox, courier and mqtt sink; its decisions are made up. Beside them it says its states, a
heartbeat every 5 s and its health. The brokers run the files of docs/snippets. Latency is from the decision to a
subscriber of all devices, which also looks for holes. All of it shares this machine. `fleet` is the time that
`edgeinfer fleet` takes to list them, 1 s of it after the last heartbeat. Met: nothing is missing, nothing out of order,
and the list is complete.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from edgeinfer.wire.bodies import DecisionBody
from edgeinfer.wire.stream import Streams
from edgeinfer.wire.times import unix_s
from tests.brokers.documented import Documented
from tests.fixtures.nats import Cluster

A_PROCESS = 100  # devices: threads of more get in one another's way
_TICKS = os.sysconf("SC_CLK_TCK")
HEADS = (
    "broker", "devices", "all connected s", "messages/s", "broker CPU %", "broker MB", "device CPU %", "device MB",
    "p50 ms", "p95 ms", "`fleet` s", "listed", "missing",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Brokers that run; `watched` is the one at which the subscriber listens."""

    name: str
    urls: tuple[str, ...]
    watched: str
    processes: tuple[int, ...]

    def cpu_s(self) -> float:
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.processes]
        return sum(int(one[11]) + int(one[12]) for one in fields) / _TICKS

    def resident_mb(self) -> float:
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[Place]:
    broker = Documented(folder / "mosquitto", anonymous=True)
    try:
        yield Place("mosquitto", (broker.url,), broker.url, (broker.pid,))
    finally:
        broker.stop()


@contextlib.contextmanager
def nats(folder: Path) -> Iterator[Place]:
    cluster = Cluster(folder / "nats")
    try:
        yield Place("3 nats", cluster.urls, cluster.urls[-1], cluster.pids)
    finally:
        cluster.stop()


class Watcher:
    """A subscriber of all decisions."""

    def __init__(self, url: str) -> None:
        import msgspec
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.streams, self.late_s = Streams(late_s=60), []
        decode = msgspec.json.Decoder(DecisionBody).decode

        def take(_client: Any, _userdata: Any, message: Any) -> None:
            now = time.time()
            self.late_s.append(now - unix_s(decode(message.payload).at))
            self.streams.take(message.topic, message.payload, now)

        self._client = Client(CallbackAPIVersion.VERSION2, "watcher")
        self._client.on_message = take
        self._client.on_connect = lambda client, *_: client.subscribe(
            [("edgeinfer/+/decision/+", 1), ("edgeinfer/+/gap", 1)]
        )
        granted = Event()
        self._client.on_subscribe = lambda *_: granted.set()
        host, _, port = url.removeprefix("mqtt://").partition(":")
        self._client.connect(host, int(port))
        self._client.loop_start()
        assert granted.wait(60), f"{url} does not let us subscribe"

    def wait(self, decisions: int) -> None:
        end = time.monotonic() + 60
        while sum(s.decisions for s in self.streams.devices.values()) < decisions and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def spread(place: Place, first: int) -> str:
    """The brokers of a process: all, its own one first, as an installer would share them out."""
    turn = first // A_PROCESS % len(place.urls)
    return ",".join(place.urls[turn:] + place.urls[:turn])


@contextlib.contextmanager
def devices(place: Place, count: int, rate: float) -> Iterator[list[subprocess.Popen[str]]]:
    made = []
    for first in range(0, count, A_PROCESS):
        many = min(A_PROCESS, count - first)
        command = [sys.executable, "-m", "benchmarks.fleet_devices", spread(place, first)]
        command += [str(first), str(many), str(rate)]
        made.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    try:
        yield made
    finally:
        for process in made:
            process.stdin.close()
        for process in made:
            process.wait(60)


def heard(process: subprocess.Popen[str]) -> dict[str, float]:
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a process of devices ended by itself")
    return json.loads(line)


def tell(processes: list[subprocess.Popen[str]], word: str) -> None:
    for process in processes:
        process.stdin.write(f"{word}\n")
        process.stdin.flush()


def listed(url: str) -> tuple[float, int]:
    """How long `edgeinfer fleet` takes, and how many it finds well."""
    start = time.monotonic()
    command = [sys.executable, "-m", "edgeinfer", "fleet", url, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return time.monotonic() - start, json.loads(done.stdout)["conditions"].get("ok", 0)


def measure(place: Place, count: int, rate: float, for_s: float) -> tuple[list[str], bool]:
    """A row of the table, and whether the promise was kept."""
    with devices(place, count, rate) as processes:
        connected_s = max(heard(process)["connected_s"] for process in processes)
        watcher = Watcher(place.watched)
        cpu_s, start = place.cpu_s(), time.monotonic()
        tell(processes, "go")
        time.sleep(for_s)
        took_s, busy_s, resident_mb = time.monotonic() - start, place.cpu_s() - cpu_s, place.resident_mb()
        tell(processes, "stop")
        told = [heard(process) for process in processes]
        decided = int(sum(one["decided"] for one in told))
        watcher.wait(decided)
        watcher.close()
        fleet_s, well = listed(place.watched)
    arrived = sum(stream.decisions for stream in watcher.streams.devices.values())
    p50, p95 = np.percentile(np.array(watcher.late_s) * 1e3, [50, 95])
    settled, used_s = sum(one["settled"] for one in told), sum(one["cpu_s"] for one in told)
    own_mb = sum(one["bytes"] - one["bare"] for one in told) / 1e6
    row = (
        place.name, f"{count:,}", f"{connected_s:.1f}", f"{settled / took_s:,.0f}", f"{100 * busy_s / took_s:.1f}",
        f"{resident_mb:.0f}", f"{100 * used_s / took_s / count:.2f}", f"{own_mb / count:.2f}", f"{p50:.1f}", f"{p95:.1f}",
        f"{fleet_s:.1f}", f"{well:,}", f"{decided - arrived:,}",
    )  # fmt: skip
    return list(row), arrived == decided and watcher.streams.whole and well == count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--brokers", nargs="+", choices=["mosquitto", "nats"], default=["mosquitto", "nats"])
    parser.add_argument("--rate", type=float, default=0.1, help="decisions of each device a second (0.1)")
    parser.add_argument(
        "--for", dest="for_s", type=float, default=30.0, help="seconds of each measurement (30)"
    )
    args = parser.parse_args()
    starts = {"mosquitto": mosquitto, "nats": nats}
    print(f"{args.rate:g} decisions/s each, {args.for_s:g} s, {os.cpu_count()} cores for all of it\n")
    print("|".join(["", *HEADS, ""]) + "\n" + "|".join(["", *["---"] * len(HEADS), ""]))
    kept = True
    for name in args.brokers:
        for count in args.devices:
            with (
                tempfile.TemporaryDirectory(dir=".cache") as folder,
                starts[name](Path(folder).absolute()) as place,
            ):
                row, whole = measure(place, count, args.rate, args.for_s)
            print("|".join(["", *row, ""]), flush=True)
            kept = kept and whole
    print("\nmet" if kept else "\nNOT MET")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
