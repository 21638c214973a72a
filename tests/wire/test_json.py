import dataclasses
import json
import math
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.events import Decision, Entry, Gap, Instant, Message
from edgeinfer.ports import Delivery, EncoderPlace
from edgeinfer.wire.json import Json, envelope, finite

AT = Instant("9f2c", 5_000_000_000, 1_795_517_973_120_000_000)
ROOT = "plant/line3/press-07"


@pytest.fixture
def encoder() -> Json:
    return Json(Json.Options(), EncoderPlace("press-07", ROOT, "plant"))


def entry(seq: int = 4711, rule: str = "scratched", state="on", at: Instant = AT, **details) -> Entry:
    details = details or {"label": "scratched", "score": 0.83, "box": [0.41, 0.22, 0.55, 0.37]}
    decision = Decision("inspection", rule, "belt", state, at, ("belt", 12), details)
    return Entry(seq, "k3v7aaaaaaaaaaaa", "9f2c", "press-07", decision, "parts@sha256:1", "sha256:2", 41.71)


def topics(messages: Sequence[Message]) -> list[str]:
    return [message.topic.removeprefix(ROOT + "/") for message in messages]


def test_the_envelope_is_the_one_of_the_design_byte_for_byte(encoder):
    (message,) = encoder.encode([entry()])
    assert message.payload == (
        b'{"v":1,"id":"k3v7aaaaaaaaaaaa","seq":4711,"boot":"9f2c","device":"press-07","pipeline":"inspection",'
        b'"rule":"scratched","subject":"belt","state":"on","at":"2026-11-24T10:59:33.120Z","synced":true,'
        b'"details":{"label":"scratched","score":0.83,"box":[0.41,0.22,0.55,0.37]},'
        b'"model":"parts@sha256:1","config":"sha256:2","age_ms":41.7}'
    )


def test_a_decision_is_an_event_that_settles_its_entry(encoder):
    (message,) = encoder.encode([entry(7)])
    assert message == Message(
        f"{ROOT}/decision/scratched",
        message.payload,
        qos=1,
        retain=False,
        seq=7,
        content_type="application/json",
        user=(("id", "k3v7aaaaaaaaaaaa"), ("seq", "7")),
    )


def test_a_state_follows_its_decision_and_is_retained(encoder):
    encoder.birth([entry(0, state="unknown")], [])
    decision, state = encoder.encode([entry(7)])
    assert topics([decision, state]) == ["decision/scratched", "state/scratched"]
    assert (state.qos, state.retain, state.seq) == (1, True, None)


def test_a_batch_publishes_only_the_last_state_of_a_rule(encoder):
    encoder.birth([entry(0, "a"), entry(0, "b")], [])
    messages = encoder.encode([entry(1, "a"), entry(2, "b"), entry(3, "a", "off")])
    assert topics(messages) == ["decision/a", "decision/b", "state/b", "decision/a", "state/a"]


def test_a_decision_older_than_the_state_at_the_broker_changes_no_state(encoder):
    encoder.birth([entry(10, state="unknown")], [])
    assert topics(encoder.encode([entry(9)])) == ["decision/scratched"]


def test_a_decision_of_a_rule_that_left_changes_no_state(encoder):
    encoder.birth([entry(0, "other")], ["scratched"])
    assert topics(encoder.encode([entry(9)])) == ["decision/scratched"]


def test_since_stays_while_the_state_stays(encoder):
    encoder.birth([entry(1, state="on")], [])
    _, state = encoder.encode([entry(2, state="on", at=AT.later(10**10))])
    assert json.loads(state.payload)["since"] == "2026-11-24T10:59:33.120Z"
    _, state = encoder.encode([entry(3, state="off", at=AT.later(2 * 10**10))])
    assert json.loads(state.payload)["since"] == "2026-11-24T10:59:53.120Z"


def test_a_birth_clears_what_is_gone_then_states_then_says_online(encoder):
    messages = encoder.birth([entry()], ["old"])
    assert topics(messages) == ["state/old", "state/scratched", "status"]
    assert all(message.retain for message in messages)
    assert (messages[0].payload, messages[-1].payload) == (b"", b"online")


def test_a_farewell_ends_offline(encoder):
    messages = encoder.farewell([entry(state="unknown")])
    assert topics(messages) == ["state/scratched", "status"]
    assert messages[-1].payload == b"offline"


def test_the_will_is_offline_and_stays(encoder):
    assert encoder.will() == Message(f"{ROOT}/status", b"offline", qos=1, retain=True)


def test_a_heartbeat_is_a_number_that_does_not_stay(encoder):
    assert encoder.pulse(3, None) == [Message(f"{ROOT}/heartbeat", b"3", qos=0)]


def test_health_stays_and_is_json_whatever_is_in_it(encoder):
    _, health = encoder.pulse(3, {"condition": "ok", "rate": math.nan})
    assert json.loads(health.payload) == {"v": 1, "device": "press-07", "condition": "ok", "rate": None}
    assert health.retain


def test_a_gap_tells_what_was_dropped_and_settles_it(encoder):
    (message,) = encoder.encode([Gap(3, 9)])
    assert json.loads(message.payload) == {"v": 1, "device": "press-07", "first": 3, "last": 9, "dropped": 7}
    assert (message.topic, message.seq, message.retain) == (f"{ROOT}/gap", 9, False)


PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text()
DETAILS = st.dictionaries(
    st.text(), st.recursive(PLAIN, lambda d: st.lists(d) | st.dictionaries(st.text(), d))
)


def refuse_constants(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@given(st.floats() | st.sampled_from(["on", "off", "unknown"]), DETAILS)
@settings(deadline=None)  # a shared machine may stop for a while
def test_every_envelope_is_strict_json_and_comes_back(state, details):
    encoder = Json(Json.Options(), EncoderPlace("press-07", ROOT, "plant"))
    decision = Decision("p", "r", "s", state, AT, ("belt", 1), details)
    item = Entry(1, "x", "9f2c", "press-07", decision)
    (message,) = encoder.encode([item])
    assert json.loads(message.payload, parse_constant=refuse_constants) == msgspec.to_builtins(envelope(item))


@given(DETAILS)
@settings(deadline=None)
def test_only_numbers_that_are_not_finite_are_replaced(details):
    def has_none_finite(value) -> bool:
        if isinstance(value, float):
            return not math.isfinite(value)
        if isinstance(value, dict):
            return any(map(has_none_finite, value.values()))
        return isinstance(value, list) and any(map(has_none_finite, value))

    assert has_none_finite(details) or finite(details) == details


def sent_as(rule: str, **delivery) -> Json:
    place = EncoderPlace("press-07", ROOT, "plant", delivery={rule: Delivery(**delivery)})
    made = Json(Json.Options(), place)
    made.birth([entry(0, "a"), entry(0, "b")], [])
    return made


def test_a_rule_may_be_sent_at_qos_0_and_its_state_with_it():
    sent = sent_as("a", qos=0).encode([entry(1, "a"), entry(2, "b")])
    assert [(m.topic.removeprefix(ROOT), m.qos) for m in sent] == [
        ("/decision/a", 0),
        ("/state/a", 0),
        ("/decision/b", 1),
        ("/state/b", 1),
    ]


def test_the_last_decision_of_a_rule_may_be_retained_and_its_state_is_anyway():
    sent = sent_as("a", retain=True).encode([entry(1, "a"), entry(2, "b")])
    assert [m.retain for m in sent] == [True, True, False, True]
    assert [m.retain for m in sent_as("a", retain=False).encode([entry(1, "a")])] == [False, True]


def test_a_state_that_nobody_decided_names_no_decision(encoder):
    (state, status) = encoder.birth([dataclasses.replace(entry(), id="")], [])
    assert state.user == status.user == ()


def test_a_decision_may_stand_under_its_source():
    place = EncoderPlace("press-07", ROOT, "plant", decision_topic="{source}/decision/{rule}")
    (message,) = Json(Json.Options(), place).encode([entry()])
    assert message.topic == f"{ROOT}/belt/decision/scratched"


def test_what_is_json_says_so_and_the_rest_does_not(encoder):
    sent = [*encoder.birth([entry()], []), *encoder.encode([entry(), Gap(1, 2)]), *encoder.pulse(1, {})]
    said = {m.topic.removeprefix(ROOT + "/").partition("/")[0]: m.content_type for m in sent}
    assert said == dict.fromkeys(("state", "decision", "gap", "health"), "application/json") | {
        "status": "",
        "heartbeat": "",
    }
