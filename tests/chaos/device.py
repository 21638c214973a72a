"""The delivering half of a daemon: outbox, states, and a courier to a broker; for processes that get killed."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from edgeinfer.clock import SystemClock
from edgeinfer.events import Decision, Entry
from edgeinfer.ports import EncoderPlace, SinkPlace
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.sinks.mqtt import Mqtt
from edgeinfer.wire.json import Json

DEVICE = "press-07"
ROOT = f"edgeinfer/{DEVICE}"


class Device:
    """Runs from construction on; `fatal` holds what no back-off would mend."""

    def __init__(self, folder: Path, sinks: dict[str, Mqtt.Options], rules: tuple[str, ...] = ("r",)) -> None:
        self.clock = SystemClock()
        self.health = Health(self.clock)
        self.fatal: list[BaseException] = []
        self.outbox = Outbox(folder / "outbox.db", DEVICE, self.clock, report=self.health.reporter("outbox"))
        self.outbox.retire(sinks)
        self.states = States(self.outbox, dict.fromkeys(rules, "p"))
        self.couriers = [self._courier(name, options) for name, options in sinks.items()]
        for courier in self.couriers:
            courier.start()

    def _courier(self, name: str, options: Mqtt.Options) -> Courier:
        encoder = Json(Json.Options(), EncoderPlace(DEVICE, Mqtt.topic_root(options, DEVICE), name))
        report, meters = self.health.reporter(name), self.health.post(name).meters
        sink = Mqtt(options, SinkPlace(name, DEVICE, "0123456789", encoder.will, report, meters=meters))
        return Courier(
            name, self.outbox, self.states, encoder, sink, self.health, lambda _, e: self.fatal.append(e)
        )

    def decide(self, n: int, rule: str = "r") -> Entry:
        decision = Decision(
            "p", rule, "belt", "on" if n % 2 else "off", self.clock.now(), ("belt", n), {"n": n}
        )
        entries = self.outbox.append([decision], "parts@sha256:0", "sha256:0")
        self.states.update(entries)
        return entries[0]

    def stop(self, timeout_s: float = 10.0) -> bool:
        stopped = [courier.stop(timeout_s) for courier in self.couriers]
        self.outbox.close()
        return all(stopped)

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()
        assert not self.fatal, self.fatal
