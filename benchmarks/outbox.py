"""Outbox: messages a second to a local mosquitto (QoS 1), and bytes written to disk for each decision.

    python -m benchmarks.outbox [--pairs N] [--decisions N]

Live: decisions are appended one a commit while a courier delivers them; decisions and states both count as messages.
Drained: a backlog that is on disk already, from the outbox to the broker. Bare is paho alone with the same payload and
the same window of 20, as a script would use it, in turns with the other. Disk: what the kernel was made to write (write_bytes of /proc/self/io), against plain
SQLite (WAL, 4 kB pages, AUTOINCREMENT, one insert a commit, synced each second). Met: at
least 8,000 messages a second, and 0.7 times what bare paho does; CPU is told beside it, for a machine that others use too.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Semaphore

from benchmarks.figures import ROOT
from benchmarks.pairs import Pairs, alternate
from edgeinfer.clock import SystemClock
from edgeinfer.events import Decision, Message, Outcome
from edgeinfer.ports import EncoderPlace, SinkPlace
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.sinks.mqtt import Mqtt
from edgeinfer.testing.broker import broker
from edgeinfer.wire.json import Json

BOUND, SHARE = 8000, 0.7
WINDOW = 20
DETAILS = {"label": "scratched", "score": 0.83, "box": [0.41, 0.22, 0.55, 0.37]}
PAYLOAD = b"x" * 400  # a decision of DESIGN.md has about as many bytes


class Counting(Mqtt):
    """Counts what was settled."""

    settled = 0

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        outcomes = super().send(batch)
        self.settled += len(outcomes)
        return outcomes


class Device:
    """Outbox and courier as in the daemon, without the thinking."""

    def __init__(self, folder: Path, port: int) -> None:
        self.clock = SystemClock()
        health = Health(self.clock)
        self.outbox = Outbox(folder / "outbox.db", "bench", self.clock, report=print_report)
        self.outbox.retire(["plant"])
        self.states = States(self.outbox, {"scratched": "inspection"})
        encoder = Json(Json.Options(), EncoderPlace("bench", "edgeinfer/bench", "plant"))
        options = Mqtt.Options(url=f"mqtt://127.0.0.1:{port}", in_flight=WINDOW)
        self.sink = Counting(options, SinkPlace("plant", "bench", "0123456789", encoder.will, print_report))
        self.courier = Courier("plant", self.outbox, self.states, encoder, self.sink, health, die)

    def decide(self, n: int) -> None:
        state = "on" if n % 2 else "off"
        decision = Decision("inspection", "scratched", "belt", state, self.clock.now(), ("belt", n), DETAILS)
        self.states.update(
            self.outbox.append([decision], "parts@sha256:0123456789abcdef", "sha256:0123456789abcdef")
        )

    def wait_delivered(self) -> None:
        while self.outbox.depth("plant"):
            time.sleep(0.001)

    def wait_connected(self) -> None:
        self.courier.start()
        while not self.sink.settled:
            time.sleep(0.001)

    def close(self) -> None:
        self.courier.stop(10)
        self.outbox.close()


def print_report(topic: str, text: str | None) -> None:
    if text:
        print(f"{topic}: {text}")


def die(post: str, error: BaseException) -> None:
    print(f"{post}: {error!r}")
    os._exit(1)


def written_bytes() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def measured(count: Callable[[], int], work: Callable[[], None]) -> dict[str, float]:
    """Messages a second, CPU (us) and bytes on disk for each message of `work`."""
    before, wall, cpu, disk = count(), time.perf_counter(), time.process_time(), written_bytes()
    work()
    n = count() - before
    return {
        "per_s": n / (time.perf_counter() - wall),
        "cpu_us": (time.process_time() - cpu) / n * 1e6,
        "messages": n,
        "bytes": written_bytes() - disk,
    }


def ours(port: int, decisions: int, *, backlog: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        device = Device(Path(folder), port)

        def decide() -> None:
            for n in range(decisions):
                device.decide(n)

        def work() -> None:
            if not backlog:
                decide()
            device.wait_delivered()

        if backlog:
            decide()
        else:
            device.wait_connected()
        if backlog:
            device.courier.start()
        found = measured(lambda: device.sink.settled, work)
        device.close()
    return found


def bare(port: int, messages: int) -> dict[str, float]:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    window, sent = Semaphore(WINDOW), 0
    client = Client(CallbackAPIVersion.VERSION2, "bare", protocol=MQTTProtocolVersion.MQTTv5)
    client.on_publish = lambda *_: window.release()
    client.connect("127.0.0.1", port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.001)

    def work() -> None:
        nonlocal sent
        for _ in range(messages):
            window.acquire()
            client.publish("edgeinfer/bare/decision/scratched", PAYLOAD, 1)
            sent += 1
        for _ in range(WINDOW):
            window.acquire()

    found = measured(lambda: sent, work)
    client.disconnect()
    client.loop_stop()
    return found


def our_disk(decisions: int) -> Mapping[str, float]:
    """Appends alone, and the cursor as a courier moves it."""
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        device = Device(Path(folder), 1)

        def work() -> None:
            for n in range(decisions):
                device.decide(n)
                device.outbox.advance("plant", n)
            device.outbox.maintain()

        found = measured(lambda: device.outbox.newest, work)
        device.outbox.close()
    return {"each": found["bytes"] / decisions}


def plain_disk(decisions: int) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory(dir=disk()) as folder:
        db = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)")
        wal = os.open(Path(folder) / "plain.db-wal", os.O_RDWR)

        def work() -> None:
            synced = time.monotonic()
            for _ in range(decisions):
                db.execute("INSERT INTO entries (body) VALUES (?)", (PAYLOAD[:300],))
                if time.monotonic() - synced > 1:
                    os.fdatasync(wal)
                    synced = time.monotonic()
            os.fdatasync(wal)

        found = measured(lambda: db.total_changes, work)
        os.close(wal)
        db.close()
    return {"each": found["bytes"] / decisions}


def disk() -> Path:
    """A folder on the disk of the checkout: a temporary file system writes nothing."""
    folder = ROOT / ".cache"
    folder.mkdir(exist_ok=True)
    return folder


def told(title: str, pairs: Pairs) -> None:
    rate, ratio = pairs.first("per_s"), pairs.ratio("per_s")
    print(title)
    print(pairs.table("per_s", "cpu_us"))
    print(f"messages/s: ours {rate}, bare paho {pairs.second('per_s')}, ratio {ratio}")
    print(
        f"CPU us/message: ours {pairs.first('cpu_us')}, bare paho {pairs.second('cpu_us')}, ratio {pairs.ratio('cpu_us')}"
    )
    print(
        f"bound ≥ {BOUND} messages/s: {rate.verdict(at_least=BOUND)}; ≥ {SHARE} x bare: {ratio.verdict(at_least=SHARE)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--decisions", type=int, default=10_000)
    args = parser.parse_args()
    n = args.decisions
    with broker() as own:
        for title, backlog in (("live", False), ("drained", True)):
            told(
                title,
                alternate(
                    partial(ours, own.port, n, backlog=backlog), partial(bare, own.port, n), args.pairs
                ),
            )
    wear = alternate(lambda: our_disk(n), lambda: plain_disk(n), args.pairs)
    print(
        f"bytes/decision: ours {wear.first('each')}, plain SQLite {wear.second('each')}, ratio {wear.ratio('each')}"
    )


if __name__ == "__main__":
    main()
