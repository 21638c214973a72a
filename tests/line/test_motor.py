"""From a node behind a serial port to a subscriber: protocol, windows, model, rule, outbox, broker."""

from __future__ import annotations

import pytest

from edgeinfer.cli.demo import MOTOR
from edgeinfer.testing.motor import motor
from tests.line.conftest import states
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CONFIG = 'device = "press-07"\n' + MOTOR + '[sink.plant]\nkind = "mqtt"\nurl = "{broker}"\n'


def test_a_bearing_that_fails_is_told_and_a_pulled_plug_makes_it_unknown(
    daemon, tmp_path, mosquitto, subscriber
):
    broker = mosquitto()
    seen = subscriber(broker, "edgeinfer/press-07/#").messages
    with motor(tmp_path, fails_after_s=3.0) as line:
        run = daemon(CONFIG.format(port=line.port, broker=broker.url))
        wait_for(lambda: states(seen, "bearing") == ["off", "on"], 30, "the failing bearing is not told")
        line.unplug()
        wait_for(lambda: states(seen, "bearing")[-1] == "unknown", 10)
        line.replug()
        wait_for(lambda: states(seen, "bearing")[-1] == "on", 20, "it does not come back by itself")
        told = run.post("source.motor")
        assert told["lost"] == 1
        assert run.stop() == 0


def test_a_rule_that_waits_for_what_the_model_never_says_is_refused_at_the_start(tmp_path):
    from edgeinfer.app.blueprint import draw
    from edgeinfer.config import loads
    from edgeinfer.errors import ConfigError

    config = CONFIG.format(port=tmp_path / "motor", broker="mqtt://localhost").replace(
        '"anomaly"', '"anomalie"'
    )
    with pytest.raises(ConfigError, match="the model never says 'anomalie'; did you mean 'anomaly'"):
        draw(loads(config, "c.toml"))
