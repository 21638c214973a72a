"""The evening after an offline day: how fast a backlog drains, in which order, and in how much memory.

    python -m benchmarks.drain [--queued 100000] [--live 50]

Decisions of four rules are appended while there is no broker. Then a mosquitto starts, the courier delivers, and live
decisions come at a rate while it does. A stranger (mosquitto_sub, QoS 1, in a process of its own) writes down what
arrives. RSS is that of the process that has outbox and courier, sampled ten times a second. `bare` is paho alone with
payloads of about the same size and the same window, in the same run. Met: everything arrives, in order of `seq`, and
memory grows by at most 16 MB while 100,000 decisions drain.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.outbox import DETAILS, Device, bare, disk
from edgeinfer.events import Decision
from tests.fixtures.brokers import Mosquitto, free_port

_RULES = tuple(f"scratched-{n}" for n in range(4))
_GROWS_MB = 16.0
_SAMPLE_S = 0.1
_BARE = 20_000
_WAIT_S = 10.0


class OfflineDay(Device):
    """Decides for four rules in turn."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.states.replan(dict.fromkeys(_RULES, "inspection"))

    def decide(self, n: int) -> None:
        rule, state = _RULES[n % len(_RULES)], "on" if n // len(_RULES) % 2 else "off"
        decision = Decision("inspection", rule, "belt", state, self.clock.now(), ("belt", n), DETAILS)
        self.states.update(self.outbox.append([decision], "parts@sha256:0123456789abcdef", "sha256:0123"))


class Stranger:
    """mosquitto_sub, into a file: a line a decision, `topic payload`."""

    def __init__(self, port: int, path: Path) -> None:
        self._path = path
        command = ["mosquitto_sub", "-p", str(port), "-q", "1", "-i", "stranger", "-v", "-t"]
        with path.open("wb") as file:
            self._process = subprocess.Popen([*command, "edgeinfer/bench/decision/+"], stdout=file)

    def arrived(self) -> list[tuple[str, int]]:
        """(rule, seq), in order of arrival."""
        self._process.terminate()
        self._process.wait()
        lines = [line.split(" ", 1) for line in self._path.read_text().splitlines()]
        return [(topic.rpartition("/")[2], json.loads(body)["seq"]) for topic, body in lines]

    def lines(self) -> int:
        return self._path.read_bytes().count(b"\n")


def rss_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def drain(device: OfflineDay, queued: int, live_s: float) -> tuple[float, list[float], int]:
    """Seconds until the queued ones were settled, RSS on the way, and how many came meanwhile."""
    began, n, rss = time.monotonic(), queued, [rss_mb()]
    sampled = began
    device.courier.start()
    while device.outbox.cursor("plant") < queued:
        now = time.monotonic()
        if now - began > (n - queued) / live_s:
            device.decide(n)
            n += 1
        if now - sampled > _SAMPLE_S:
            sampled = now
            rss.append(rss_mb())
        time.sleep(0.002)
    took_s = time.monotonic() - began
    device.wait_delivered()
    return took_s, rss, n - queued


def check(arrived: Sequence[tuple[str, int]], wanted: int) -> list[str]:
    """What is wrong; nothing is."""
    seqs = list(dict.fromkeys(seq for _, seq in arrived))
    wrong = []
    if set(seqs) != set(range(1, wanted + 1)):
        wrong.append(f"{wanted - len(set(seqs))} of {wanted} decisions did not arrive")
    if seqs != sorted(seqs):
        wrong.append("first arrivals are out of order")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queued", type=int, default=100_000)
    parser.add_argument("--live", type=float, default=50.0, help="decisions a second while it drains")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=disk()) as name:
        raise SystemExit(run(Path(name), args.queued, args.live))


def run(folder: Path, queued: int, live_s: float) -> int:
    device = OfflineDay(folder, port := free_port())
    began = time.monotonic()
    for n in range(queued):
        device.decide(n)
    print(f"{queued} decisions queued in {time.monotonic() - began:.1f} s, RSS {rss_mb():.1f} MB")
    (folder / "broker").mkdir()
    broker = Mosquitto(folder / "broker", "log_type subscribe", port=port)
    try:
        stranger = Stranger(port, folder / "arrived")
        wait_until(lambda: "stranger 1 edgeinfer" in broker.log())
        took_s, rss, live = drain(device, queued, live_s)
        settled = device.sink.settled
        wait_until(lambda: stranger.lines() >= queued + live)
        wrong = check(stranger.arrived(), queued + live)
        device.close()
        alone = bare(port, _BARE)["per_s"]
    finally:
        broker.stop()
    rate = settled / took_s
    print(
        f"drained in {took_s:.1f} s: {queued / took_s:,.0f} decisions/s, {rate:,.0f} messages/s (with states)"
    )
    print(f"bare paho {alone:,.0f} messages/s, ratio {rate / alone:.2f}; {live} live decisions meanwhile")
    print(f"RSS {rss[0]:.1f} MB before, {max(rss):.1f} MB at most, {rss[-1]:.1f} MB at the end")
    if queued >= 100_000 and max(rss) - rss[0] > _GROWS_MB:
        wrong.append(f"memory grew by {max(rss) - rss[0]:.1f} MB")
    print("; ".join(wrong) if wrong else "everything arrived, in order: met")
    return 1 if wrong else 0


def wait_until(condition: Callable[[], bool]) -> None:
    """Or a moment longer: what did not arrive is told by `check`."""
    end = time.monotonic() + _WAIT_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


if __name__ == "__main__":
    main()
