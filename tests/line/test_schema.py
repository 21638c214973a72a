"""The schema that we print against messages of a real daemon: another's validator has to agree."""

from __future__ import annotations

import json

import jsonschema
import pytest

from edgeinfer.cli.schema import message_schema
from edgeinfer.events import Gap
from edgeinfer.ports import EncoderPlace
from edgeinfer.wire.json import Json
from tests.line.test_daemon import belt
from tests.wire.test_json import entry


def validator(topic: str) -> jsonschema.Draft202012Validator:
    schema = message_schema()
    return jsonschema.Draft202012Validator({**schema["topics"][topic], "$defs": schema["$defs"]})


def kind_of(topic: str) -> str:
    level = next(k for k in ("decision", "state", "gap", "health") if f"/{k}" in topic)
    return f"{{topic}}/{level}" + ("/{rule}" if level in {"decision", "state"} else "")


@pytest.mark.parametrize("state", ["on", "unknown", 3, 0.5, float("nan")])
def test_what_the_encoder_makes_is_what_the_schema_says(state):
    encoder = Json(Json.Options(), EncoderPlace("press-07", "t", "plant"))
    encoder.birth([entry(0, state="unknown")], [])
    for message in encoder.encode([entry(7, state=state), Gap(8, 9)]):
        validator(kind_of(message.topic)).validate(json.loads(message.payload))


def test_an_array_of_numbers_is_what_the_schema_says():
    encoder = Json(Json.Options(), EncoderPlace("press-07", "t", "plant", batches=True))
    (message,) = encoder.encode([entry(7, state=1.5), entry(8, state=float("inf"))])
    assert len(json.loads(message.payload)) == 2
    validator(kind_of(message.topic)).validate(json.loads(message.payload))


def test_a_body_without_a_field_is_refused_so_that_this_test_can_fail():
    encoder = Json(Json.Options(), EncoderPlace("press-07", "t", "plant"))
    body = json.loads(encoder.encode([entry(7)])[0].payload)
    del body["seq"]
    with pytest.raises(jsonschema.ValidationError):
        validator("{topic}/decision/{rule}").validate(body)


@pytest.mark.slow
def test_every_json_message_of_a_daemon_is_valid(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "edgeinfer/#")
    daemon(belt(f'[sink.plant]\nkind = "mqtt"\nurl = "{broker.url}"\n'))
    kinds = ("decision", "state", "health")
    seen.wait_for(lambda m: all(any(f"/{k}" in x.topic for x in m) for k in kinds))
    checked = set()
    for message in seen.messages:
        if any(f"/{k}" in message.topic for k in kinds):
            validator(kind_of(message.topic)).validate(json.loads(message.payload))
            checked.add(kind_of(message.topic))
    assert len(checked) == 3
