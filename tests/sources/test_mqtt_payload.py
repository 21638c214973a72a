import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.sources.mqtt_payload import Bad, Channel, context, numbers

ONE = {"temp": Channel(value="data.temp")}


def kind(call):
    with pytest.raises(Bad) as caught:
        call()
    return caught.value.kind


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"21.5", 21.5), (b" 7 \n", 7.0), (b"-1e3", -1000.0), (b"true", 1.0), (b"OFF", 0.0)],
)
def test_a_payload_without_a_path_is_the_number(payload, value):
    assert numbers("t", payload, {"x": Channel()}) == {"x": value}


@pytest.mark.parametrize("path", ["data.temps.1", "$.data.temps.1"])
def test_a_path_goes_through_objects_and_lists(path):
    payload = json.dumps({"data": {"temps": [1, "21.5"]}}).encode()
    assert numbers("t", payload, {"x": Channel(value=path)}) == {"x": 21.5}


def test_scale_and_offset_make_units():
    assert numbers("t", b"100", {"x": Channel(scale=0.1, offset=-5)}) == {"x": 5.0}


def test_a_message_gives_the_channels_that_stand_in_it():
    channels = {"a": Channel(value="a"), "b": Channel(value="b")}
    assert numbers("t", b'{"b": 2, "c": 3}', channels) == {"b": 2.0}


def test_a_channel_takes_only_its_topic():
    channels = {"a": Channel(topic="x/+/a"), "b": Channel(topic="x/1/b")}
    assert numbers("x/9/a", b"4", channels) == {"a": 4.0}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"{", "json"),
        (b"\xff\xfe", "json"),
        (b'{"data": {}}', "path"),
        (b"[]", "path"),
        (b'{"data": {"temp": "warm"}}', "number"),
        (b'{"data": {"temp": null}}', "number"),
        (b'{"data": {"temp": {}}}', "number"),
        (b'{"data": {"temp": "inf"}}', "number"),
        (b"[" * 100_000, "json"),
        (b" " * 1_000_001, "size"),
    ],
)
def test_what_says_no_number_is_told_by_its_kind(payload, expected):
    assert kind(lambda: numbers("t", payload, ONE)) == expected


def test_a_topic_that_no_channel_is_for_is_told():
    assert kind(lambda: numbers("other", b"1", {"a": Channel(topic="x")})) == "topic"


def test_what_was_found_is_shown_and_not_all_of_it():
    with pytest.raises(Bad, match=r"^t: expected JSON, found 'xxxxx") as caught:
        numbers("t", b"x" * 5000, ONE)
    assert len(caught.value.text) < 250


def test_a_context_is_text_whatever_it_was():
    payload = b'{"part": 4711, "order": {"recipe": "B"}, "ok": true}'
    paths = {"part": "$.part", "recipe": "order.recipe", "ok": "ok"}
    assert context("t", payload, paths) == {"part": "4711", "recipe": "B", "ok": "true"}


def test_an_empty_path_takes_the_whole_payload():
    assert context("t", b"4711", {"part": ""}) == {"part": "4711"}


def test_a_trigger_without_context_reads_nothing():
    assert context("t", b"\xff", {}) == {}


@pytest.mark.parametrize("payload", [b"{}", b'{"part": null}', b'{"part": []}'])
def test_a_context_that_is_not_whole_is_none(payload):
    assert kind(lambda: context("t", payload, {"part": "part"})) == "context"


@given(st.binary(max_size=60), st.sampled_from(["", "a", "a.0.b", "$", "..", "$."]))
def test_whatever_comes_is_a_number_or_is_bad(payload, path):
    try:
        found = numbers("t", payload, {"x": Channel(value=path)})
    except Bad:
        return
    assert set(found) == {"x"}
