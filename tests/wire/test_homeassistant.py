"""The discovery message against Home Assistant's rules as a table, quickly and on any Python.

tests/subscribers has its own schemas judge the message, and a real Home Assistant take it.
"""

from __future__ import annotations

import json
import re

from edgeinfer.ports import EncoderPlace
from edgeinfer.wire.homeassistant import HomeAssistant
from edgeinfer.wire.json import Json
from edgeinfer.wire.several import Several
from tests.wire.test_json import ROOT, entry, topics

RULES = {"scratched": "binary", "parts-in-view": "number"}
TOP = {"device", "origin", "components", "availability_topic", "qos"}  # of those that its schema knows
SENSOR = {"platform", "unique_id", "name", "state_topic", "value_template", "expire_after", "entity_category"}
KEYS = {"sensor": SENSOR, "binary_sensor": SENSOR | {"payload_on", "payload_off"}}


def place(device="press-07", machine_id="0123456789abcdef0123"):
    return EncoderPlace(device, ROOT, "plant", machine_id, RULES)


def described(gone=(), **where):
    [message] = HomeAssistant(HomeAssistant.Options(), place(**where)).birth([], list(gone))
    assert (message.retain, message.qos, message.seq) == (True, 1, None)
    return message.topic, json.loads(message.payload)


def check(body):
    """What Home Assistant refuses, as its package says it (components/mqtt/schemas.py)."""
    assert body.keys() == TOP
    assert body["origin"]["name"]
    assert body["device"]["identifiers"]
    for component in body["components"].values():
        if component.keys() == {"platform"}:
            continue  # removed
        assert component["unique_id"]
        assert component.keys() <= KEYS[component["platform"]]
        assert not re.search(r"[#+]", component["state_topic"])
    ids = [c["unique_id"] for c in body["components"].values() if "unique_id" in c]
    assert len(ids) == len(set(ids))


def test_the_message_is_what_its_schema_asks_for():
    topic, body = described()
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
    check(body)
    assert body["availability_topic"] == f"{ROOT}/status"


def test_each_rule_is_an_entity_of_the_platform_that_fits_its_state():
    _, body = described()
    shown = {c["name"]: (c["platform"], c["state_topic"]) for c in body["components"].values()}
    assert shown["scratched"] == ("binary_sensor", f"{ROOT}/state/scratched")
    assert shown["parts-in-view"] == ("sensor", f"{ROOT}/state/parts-in-view")


def test_ids_survive_another_name_of_the_device():
    topic, body = described()
    other_topic, other = described(device="press-08")
    assert (topic, [c["unique_id"] for c in body["components"].values()]) == (
        other_topic, [c["unique_id"] for c in other["components"].values()],
    )  # fmt: skip
    assert other["device"]["name"] == "press-08"


def test_a_rule_that_is_gone_is_removed_whatever_it_was():
    _, body = described(gone=["old"])
    check(body)
    assert body["components"]["binary_sensor_old"] == {"platform": "binary_sensor"}
    assert body["components"]["sensor_old"] == {"platform": "sensor"}


def test_the_heartbeat_expires_by_itself():
    _, body = described()
    assert body["components"]["heartbeat"]["expire_after"] == 15


def test_a_home_assistant_that_has_started_is_told_again_once():
    made = HomeAssistant(HomeAssistant.Options(prefix="ha"), place())
    assert made.listens == ("ha/status",)
    made.heard("ha/status", b"offline")
    assert not made.wants_birth()
    made.heard("ha/status", b"online")
    assert (made.wants_birth(), made.wants_birth()) == (True, False)


def test_beside_json_it_speaks_first_and_settles_nothing():
    both = Several(Json(Json.Options(), place()), [HomeAssistant(HomeAssistant.Options(), place())])
    assert both.birth([entry(0, state="unknown")], [])[0].topic.startswith("homeassistant/")
    assert topics(both.encode([entry(7)])) == ["decision/scratched", "state/scratched"]
    assert both.listens == ("homeassistant/status",)
    both.heard("homeassistant/status", b"online")
    assert both.wants_birth()
    assert not both.wants_birth()
    assert both.will().payload == b"offline"
