"""The delivering half of many devices in one process, as benchmarks/fleet.py orders: real outboxes, couriers and sinks,
made-up decisions. Not for use by hand.

    python -m benchmarks.fleet_devices URLS FIRST COUNT RATE

Says `{"connected_s": …}` when all have a connection, decides from a line `go` to a line `stop` on stdin, delivers the
rest, says its figures, and takes its leave at the end of stdin.
"""

from __future__ import annotations

import heapq
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

from benchmarks.outbox import DETAILS, Counting, die
from edgeinfer import __version__
from edgeinfer.clock import SystemClock
from edgeinfer.events import Decision
from edgeinfer.ports import EncoderPlace, SinkPlace
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.wire.json import Json

_PATIENCE_S = 180.0


class Member:
    """One device: what it has in the daemon right of the rules."""

    def __init__(self, folder: Path, name: str, urls: tuple[str, ...]) -> None:
        self.clock, self._n = SystemClock(), 0
        self.health = Health(self.clock)
        self.health.about(version=__version__, config="sha256:0123456789abcdef")
        folder.mkdir()
        report = self.health.reporter("plant")
        self.outbox = Outbox(folder / "outbox.db", name, self.clock, report=self.health.reporter("outbox"))
        self.outbox.retire(["plant"])
        self._states = States(self.outbox, {"scratched": "inspection"})
        encoder = Json(Json.Options(), EncoderPlace(name, f"edgeinfer/{name}", "plant"))
        place = SinkPlace("plant", name, "", encoder.will, report)
        self.sink = Counting(Counting.Options(urls=urls), place)
        self._courier = Courier("plant", self.outbox, self._states, encoder, self.sink, self.health, die)

    def start(self) -> None:
        self._courier.start()

    def decide(self) -> None:
        self._n += 1
        state = "on" if self._n % 2 else "off"
        at = self.clock.now()
        decision = Decision("inspection", "scratched", "belt", state, at, ("belt", self._n), DETAILS)
        self._states.update(self.outbox.append([decision], "parts@sha256:0123", "sha256:0123456789abcdef"))

    @property
    def connected(self) -> bool:
        return self.sink.settled > 0

    def close(self) -> None:
        self._courier.stop(10)
        self.outbox.close()


class Ticker:
    """Lets each member decide at `rate` a second, at moments of its own."""

    def __init__(self, members: list[Member], rate: float) -> None:
        self._members, self._rate, self.decided = members, rate, 0

    def until(self, stop: Event) -> None:
        now, dice = time.monotonic(), random.Random(1)
        due = [(now + dice.random() / self._rate, n) for n in range(len(self._members))]
        heapq.heapify(due)
        while not stop.wait(max(due[0][0] - time.monotonic(), 0)):
            at, n = due[0]
            self._members[n].decide()
            self.decided += 1
            heapq.heapreplace(due, (at + 1 / self._rate, n))


def wait(members: list[Member], done: str) -> None:
    """Until `done` holds for all of them; says what is wrong with those for which it does not come to hold."""
    conditions = {"connected": lambda m: m.connected, "drained": lambda m: not m.outbox.depth("plant")}
    end = time.monotonic() + _PATIENCE_S
    while left := [m for m in members if not conditions[done](m)]:
        if time.monotonic() > end:
            raise SystemExit(f"{len(left)} devices are not {done}: {left[0].health.snapshot()}")
        time.sleep(0.05)


def usage() -> tuple[float, int]:
    """CPU seconds so far, and resident bytes now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return used.ru_utime + used.ru_stime, pages * resource.getpagesize()


def run(members: list[Member], rate: float) -> dict[str, float]:
    """From `go` to `stop`."""
    assert sys.stdin.readline().strip() == "go"
    before, (cpu_s, _) = sum(m.sink.settled for m in members), usage()
    stop, ticker = Event(), Ticker(members, rate)
    thread = Thread(target=ticker.until, args=(stop,))
    thread.start()
    sys.stdin.readline()
    stop.set()
    thread.join()
    settled, (cpu_end_s, resident) = sum(m.sink.settled for m in members) - before, usage()
    wait(members, "drained")
    return {"decided": ticker.decided, "settled": settled, "cpu_s": cpu_end_s - cpu_s, "bytes": resident}


def main(urls: str, first: str, count: str, rate: str) -> None:
    numbers = range(int(first), int(first) + int(count))
    with tempfile.TemporaryDirectory(dir=".cache") as folder:
        _, bare = usage()
        members = [Member(Path(folder) / str(n), f"device-{n:04}", tuple(urls.split(","))) for n in numbers]
        start = time.monotonic()
        for member in members:
            member.start()
        wait(members, "connected")
        print(json.dumps({"connected_s": time.monotonic() - start}), flush=True)
        print(json.dumps({"bare": bare, **run(members, float(rate))}), flush=True)
        sys.stdin.read()
        leaving = [Thread(target=member.close) for member in members]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
