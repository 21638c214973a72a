from __future__ import annotations

import dataclasses
import itertools
import json
import math

import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Entry, Gap, Message
from edgeinfer.ports import EncoderPlace
from edgeinfer.wire.sparkplug import Sparkplug
from edgeinfer.wire.sparkplug_payload import DataType, Metric, Payload, decode, encode
from tests.wire.test_json import AT, entry

NOW_MS = 1_795_517_999_000
RULES = {"scratched": "binary", "parts": "number"}
REBIRTH = encode(Payload(1, (Metric("Node Control/Rebirth", DataType.BOOLEAN, True),)))
AT_MS = AT.unix_ns // 1_000_000


def make(**options) -> Sparkplug:
    connects = itertools.count()
    place = EncoderPlace(
        "press-07",
        "check",
        "plant",
        rules=RULES,
        connects=lambda: next(connects),
        unix_ns=lambda: NOW_MS * 10**6,
    )
    return Sparkplug(Sparkplug.Options(**{"group": "plant", **options}), place)


def states(**changed: Entry) -> list[Entry]:
    unknown = [dataclasses.replace(entry(5, rule, "unknown"), id="") for rule in RULES]
    return [changed.get(one.decision.rule, one) for one in unknown]


def connected(born: list[Entry] | None = None, **options) -> Sparkplug:
    """With a birth behind it."""
    made = make(**options)
    made.will()
    made.birth(states() if born is None else born, [])
    return made


def kinds(messages: list[Message]) -> list[str]:
    return [message.topic.split("/", 1)[1].removeprefix("plant/") for message in messages]


def said(message: Message) -> dict[str, object]:
    return {metric.name: metric.value for metric in decode(message.payload).metrics}


def seqs(messages: list[Message]) -> list[int | None]:
    return [decode(message.payload).seq for message in messages]


# --- birth and death -----------------------------------------------------------------------------------------


def test_the_node_is_born_first_and_then_each_pipeline():
    other = dataclasses.replace(
        entry(5, "parts"), decision=dataclasses.replace(entry(5, "parts", 3).decision, pipeline="counting")
    )
    encoder = make()
    encoder.will()
    born = encoder.birth(states(parts=other), [])
    assert kinds(born) == ["NBIRTH/press-07", "DBIRTH/press-07/inspection", "DBIRTH/press-07/counting"]
    assert seqs(born) == [0, 1, 2]


def test_birth_and_will_have_the_same_bdseq_and_each_connection_another():
    encoder = make()
    numbers = []
    for _ in range(3):
        will, (node, *_) = encoder.will(), encoder.birth(states(), [])
        assert said(will) == {"bdSeq": said(node)["bdSeq"]}
        numbers.append(said(node)["bdSeq"])
    assert numbers == [0, 1, 2]


def test_bdseq_stays_below_256():
    place = EncoderPlace("press-07", "t", "plant", connects=lambda: 256)
    assert said(Sparkplug(Sparkplug.Options(group="g"), place).will()) == {"bdSeq": 0}


def test_a_will_is_of_qos_1_not_retained_and_has_no_seq():
    will = make().will()
    assert (will.topic, will.qos, will.retain) == ("spBv1.0/plant/NDEATH/press-07", 1, False)
    assert seqs([will]) == [None]


def test_all_the_rest_is_of_qos_0_and_not_retained():
    encoder = make()
    encoder.will()
    sent = [*encoder.birth(states(), []), *encoder.encode([entry(9), Gap(10, 12)]), *encoder.pulse(1, {})]
    assert {(message.qos, message.retain) for message in sent} == {(0, False)}


def test_the_birth_says_that_rebirth_can_be_asked_for_by_that_name_alone():
    (node, *_) = connected().birth(states(), [])
    found = {metric.name: metric for metric in decode(node.payload).metrics}
    assert found["Node Control/Rebirth"].value is False
    assert found["Node Control/Rebirth"].alias is None
    assert found["bdSeq"].type == DataType.INT64


def test_a_death_before_an_ordered_end_has_the_number_of_the_birth_and_comes_last():
    encoder = connected()
    dead = encoder.farewell(states())
    assert kinds(dead) == ["DDEATH/press-07/inspection", "NDEATH/press-07"]
    assert said(dead[-1]) == {"bdSeq": 0}
    assert seqs(dead) == [2, None]


def test_who_was_not_born_does_not_die():
    encoder = make()
    encoder.will()
    assert encoder.farewell(states()) == []
    encoder = connected()
    encoder.will()
    assert encoder.farewell(states()) == []


def test_a_pipeline_that_has_left_dies_before_the_next_birth():
    encoder = connected()
    moved = [
        dataclasses.replace(one, decision=dataclasses.replace(one.decision, pipeline="other"))
        for one in states()
    ]
    again = encoder.birth(moved, [])
    assert kinds(again) == ["DDEATH/press-07/inspection", "NBIRTH/press-07", "DBIRTH/press-07/other"]
    assert seqs(again) == [2, 0, 1]


def test_a_rule_whose_kind_is_not_known_yet_is_not_born():
    encoder = make()
    encoder.will()
    assert len(encoder.birth([entry(1, "new")], [])) == 1


# --- metrics -------------------------------------------------------------------------------------------------


def test_states_are_typed_and_unknown_is_null():
    (_, device) = connected().birth(states(), [])
    found = {metric.name: (metric.type, metric.value) for metric in decode(device.payload).metrics}
    assert found == {
        "scratched/state": (DataType.BOOLEAN, None),
        "scratched/id": (DataType.STRING, None),
        "scratched/seq": (DataType.UINT64, None),
        "scratched/subject": (DataType.STRING, "belt"),
        "scratched/details": (DataType.STRING, json.dumps(entry().decision.details, separators=(",", ":"))),
        "parts/state": (DataType.DOUBLE, None),
        "parts/id": (DataType.STRING, None),
        "parts/seq": (DataType.UINT64, None),
        "parts/subject": (DataType.STRING, "belt"),
        "parts/details": found["scratched/details"],
    }


@pytest.mark.parametrize(
    ("rule", "state", "value"),
    [
        ("scratched", "on", True),
        ("scratched", "off", False),
        ("scratched", "unknown", None),
        ("parts", 3, 3.0),
        ("parts", 0.25, 0.25),
        ("parts", math.nan, None),
        ("parts", math.inf, None),
        ("parts", "unknown", None),
    ],
)
def test_a_state_becomes_a_value(rule, state, value):
    (message,) = connected(aliases=False).encode([entry(9, rule, state)])
    assert said(message)[f"{rule}/state"] is value or said(message)[f"{rule}/state"] == value


def test_a_decision_is_a_device_message_that_settles_its_entry():
    (message,) = connected(aliases=False).encode([entry(9)])
    assert (message.topic, message.seq) == ("spBv1.0/plant/DDATA/press-07/inspection", 9)
    told = said(message)
    assert (told["scratched/id"], told["scratched/seq"]) == ("k3v7aaaaaaaaaaaa", 9)
    payload = decode(message.payload)
    assert payload.at_ms == NOW_MS
    assert {metric.at_ms for metric in payload.metrics} == {AT_MS}


def test_after_the_birth_a_metric_has_its_alias_and_no_name():
    encoder = make()
    encoder.will()
    born = [metric for message in encoder.birth(states(), []) for metric in decode(message.payload).metrics]
    names = {metric.alias: metric.name for metric in born if metric.alias is not None}
    assert len(names) == len(born) - 2  # bdSeq and rebirth go by their names
    (message,) = encoder.encode([entry(9)])
    told = decode(message.payload).metrics
    assert {metric.name for metric in told} == {""}
    assert [names[metric.alias] for metric in told] == [
        f"scratched/{part}" for part in ("state", "id", "seq", "subject", "details")
    ]


def test_without_aliases_there_is_none():
    encoder = make(aliases=False)
    encoder.will()
    sent = [*encoder.birth(states(), []), *encoder.encode([entry(9)])]
    assert {metric.alias for message in sent for metric in decode(message.payload).metrics} == {None}


def test_what_is_no_newer_than_the_state_at_the_birth_is_historical():
    encoder = connected(states(scratched=entry(7)))
    told = encoder.encode([entry(6), entry(7), entry(8)])
    flags = [{metric.historical for metric in decode(message.payload).metrics} for message in told]
    assert flags == [{True}, {True}, {False}]


def test_a_decision_of_a_rule_that_has_left_is_told_whole_by_the_node():
    encoder = connected(aliases=False)
    (message,) = encoder.encode([entry(3, "gone")])
    assert (message.topic, message.seq) == ("spBv1.0/plant/NDATA/press-07", 3)
    (metric,) = decode(message.payload).metrics
    assert metric.historical
    assert json.loads(metric.value)["rule"] == "gone"


def test_a_gap_is_told_by_the_node():
    (message,) = connected(aliases=False).encode([Gap(10, 12)])
    assert (said(message), message.seq) == ({"gap/first": 10, "gap/last": 12}, 12)


def test_a_pulse_is_a_number_and_health_when_it_changed():
    encoder = connected(aliases=False)
    assert said(encoder.pulse(4, None)[0]) == {"heartbeat": 4}
    health = {"condition": "degraded", "config": "sha256:2", "degraded": {"source.belt": "no camera"}}
    assert said(encoder.pulse(5, health)[0]) == {
        "heartbeat": 5,
        "health/condition": "degraded",
        "health/config": "sha256:2",
        "health/degraded": '{"source.belt":"no camera"}',
    }


def test_only_metrics_that_were_born_are_sent():
    encoder = make(aliases=False)
    encoder.will()
    born = {name for message in encoder.birth(states(), []) for name in said(message)}
    later = [*encoder.encode([entry(9), entry(8, "gone"), Gap(1, 2)]), *encoder.pulse(1, {"condition": "ok"})]
    assert {name for message in later for name in said(message)} <= born


def test_seq_goes_round():
    encoder = connected()
    sent = encoder.encode([entry(n) for n in range(10, 310)])
    assert seqs(sent) == [(n + 2) % 256 for n in range(300)]


# --- commands ------------------------------------------------------------------------------------------------


def test_a_rebirth_is_asked_for_once_and_has_the_same_bdseq():
    encoder = connected()
    assert encoder.listens == ("spBv1.0/plant/NCMD/press-07",)
    encoder.heard(encoder.listens[0], REBIRTH)
    assert encoder.wants_birth()
    assert not encoder.wants_birth()
    (node, *_) = encoder.birth(states(), [])
    assert said(node)["bdSeq"] == 0
    assert seqs([node]) == [0]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"rebirth",
        encode(Payload(1, (Metric("Node Control/Rebirth", DataType.BOOLEAN, False),))),
        encode(Payload(1, (Metric("Node Control/Reboot", DataType.BOOLEAN, True),))),
    ],
)
def test_another_command_is_passed_over(payload):
    encoder = connected()
    encoder.heard(encoder.listens[0], payload)
    assert not encoder.wants_birth()


def test_a_primary_host_is_listened_to_and_awaited():
    encoder = make(primary_host="scada")
    encoder.will()
    assert encoder.listens[1] == "spBv1.0/STATE/scada"
    assert "scada" in encoder.awaits()
    encoder.heard("spBv1.0/STATE/scada", b'{"online":true,"timestamp":1}')
    assert encoder.awaits() == ""
    encoder.birth(states(), [])
    encoder.heard("spBv1.0/STATE/scada", b'{"online":false,"timestamp":1}')
    assert "offline" in encoder.awaits()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"group": ""}, "group ''"),
        ({"group": "a/b"}, "group 'a/b': expected a name without"),
        ({"edge_node": "a+b"}, r"edge_node 'a\+b'"),
        ({"primary_host": "a#"}, "primary_host 'a#'"),
    ],
)
def test_a_name_that_is_no_level_of_a_topic_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        make(**options)
