"""What subscribers of other languages see of a real daemon over a real broker."""

from __future__ import annotations

import json

import paho.mqtt.client as paho
import pytest

from tests.line.conftest import retained
from tests.line.test_daemon import belt
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SINK = '[sink.plant]\nkind = "mqtt"\nurl = "{url}"\n'


def test_home_assistant_is_told_at_the_start_and_again_when_it_starts(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "homeassistant/#")
    run = daemon(belt(SINK.format(url=broker.url) + 'also = ["homeassistant"]'))
    seen.wait_for(lambda m: len(m) == 1)
    body = json.loads(seen.messages[0].payload)
    assert {"sensor_parts", "binary_sensor_any"} < body["components"].keys()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish("homeassistant/status", b"online", 1).wait_for_publish(5)
    client.loop_stop()
    seen.wait_for(lambda m: len([x for x in m if x.topic.endswith("/config")]) == 2)
    assert run.post("sink.plant").get("reconnects", 0) == 0


def test_a_rule_that_leaves_the_config_is_removed_there(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "homeassistant/#")
    config = belt(SINK.format(url=broker.url) + 'also = ["homeassistant"]')
    run = daemon(config)
    seen.wait_for(lambda m: len(m) == 1)
    run.write(config.replace('rules = ["parts", "any"]', 'rules = ["any"]'))
    run.hang_up()
    seen.wait_for(
        lambda m: json.loads(m[-1].payload)["components"].get("sensor_parts") == {"platform": "sensor"}
    )


def test_a_plc_gets_bare_words(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "edgeinfer/#")
    words = 'encoding = "plain"\nencodings.plain = { on = "1", off = "0", unknown = "-1" }'
    run = daemon(belt(SINK.format(url=broker.url) + words))
    seen.wait_for(lambda m: {x.payload for x in m if x.topic.endswith("/state/any")} >= {b"-1", b"1"})
    wait_for(lambda: run.health()["outbox"]["plant"] == 0)
    assert not [m for m in seen.messages if "/decision/" in m.topic]
    assert run.stop() == 0
    seen.wait_for(lambda m: retained(m, "/state/any") == -1)
