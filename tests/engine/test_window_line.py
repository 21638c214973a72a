"""From blocks of readings in a pipeline's inbox to a decision in the outbox."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_window_predictor
from edgeinfer.events import Instant, Lost, Readings
from edgeinfer.ports import RulePlace
from edgeinfer.rules.threshold import Threshold
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.mailbox import Hub, Inbox
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.pipeline import Commit, Line, Pipeline
from edgeinfer.runtime.states import States
from edgeinfer.store import open_bundle
from edgeinfer.taps import Taps
from tests.engine import windowed
from tests.waiting import wait_for

WINDOW = 'length = 4\nchannels = ["x"]\nrate_hz = 10'


class House:
    """One pipeline: window, tiny autoencoder, threshold rule, real outbox."""

    def __init__(self, tmp_path) -> None:
        bundle = open_bundle(windowed.bundle(tmp_path / "b", WINDOW))
        self.identity, self.hub, self.health, self.errors = bundle.identity, Hub(), Health(SystemClock()), []
        self.outbox = Outbox(tmp_path / "outbox.sqlite", "dev", SystemClock(), report=lambda *_: None)
        line = Line(
            "motor",
            Inbox({"node": "queue"}),
            lambda: open_window_predictor(bundle, ModelOptions(bundle="b")),
            lambda: [
                Threshold(Threshold.Options(value="anomaly", on_above=1.0), RulePlace("motor", "bearing"))
            ],
            "sha256:c",
        )
        commit = Commit(self.outbox, States(self.outbox, {"bearing": "motor"}))
        self.post = Pipeline(
            line, commit, self.hub, Taps(), self.health, lambda _, error: self.errors.append(error)
        )
        self.post.start()

    def send(self, n: int, value: float, channel: str = "x") -> None:
        at = Instant("b", n * 10**9, n * 10**9)
        self.hub.offer(
            "node", Readings(("node", n), at, (channel,), np.full((4, 1), value), 100_000_000, n == 0)
        )

    def kept(self):
        return self.outbox.read(0, 100)

    def close(self) -> None:
        self.post.stop(3)
        self.outbox.close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def test_an_anomaly_becomes_a_decision_of_the_bundle(house) -> None:
    house.send(0, 1.0)
    house.send(1, -1.0)
    wait_for(lambda: len(house.kept()) == 2)
    assert [(e.decision.state, e.model) for e in house.kept()] == [
        ("off", house.identity),
        ("on", house.identity),
    ]
    assert house.kept()[1].decision.details == {"name": "anomaly", "value": 2.0}
    assert house.health.snapshot()["posts"]["pipeline.motor"]["rows"] == 8


def test_a_source_without_the_models_channel_degrades_the_pipeline_and_says_why(house) -> None:
    house.send(0, 1.0)
    for n in range(1, 12):
        house.send(n, 1.0, channel="y")
    wait_for(lambda: len(house.kept()) == 2)
    last = house.kept()[-1].decision
    assert (last.state, house.errors) == ("unknown", [])
    assert "needs the channel 'x'" in last.details["reason"]


def test_a_window_does_not_span_a_loss_of_its_source(house) -> None:
    house.send(0, 1.0)
    wait_for(house.kept)
    at = Instant("b", 10**9, 10**9)
    half = Readings(("node", 1), at, ("x",), np.full((2, 1), -1.0), 100_000_000)
    house.hub.offer("node", half)
    house.hub.offer("node", Lost(("node", 2), at, "unplugged"))
    house.hub.offer("node", replace(half, key=("node", 3)))  # a source that was replaced tells of no gap
    house.send(4, -1.0)
    wait_for(lambda: len(house.kept()) == 3)
    assert [e.decision.state for e in house.kept()] == ["off", "unknown", "on"]
    assert house.kept()[1].decision.details["reason"] == "unplugged"
    assert house.kept()[2].decision.at.mono_ns == 4 * 10**9 + 100_000_000
