from __future__ import annotations

import math

import pytest

from edgeinfer.events import Gap, Message
from edgeinfer.ports import Delivery, EncoderPlace
from edgeinfer.wire.plain import Plain
from tests.wire.test_json import ROOT, entry, topics

WHO = (("id", "k3v7aaaaaaaaaaaa"), ("seq", "7"))


def encoder(**words) -> Plain:
    made = Plain(Plain.Options(**words), EncoderPlace("press-07", ROOT, "plc"))
    made.birth([entry(0, "scratched", "unknown"), entry(0, "parts", "unknown")], [])
    return made


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("on", b"on"),
        ("off", b"off"),
        ("unknown", b"unknown"),
        (3, b"3"),
        (0.25, b"0.25"),
        (math.nan, b"unknown"),
    ],
)
def test_a_state_is_a_bare_word_or_number_that_is_retained_and_settles_its_entry(state, word):
    assert encoder().encode([entry(7, state=state)]) == [
        Message(f"{ROOT}/state/scratched", word, qos=1, retain=True, seq=7, user=WHO)
    ]


def test_the_words_are_the_users():
    sent = encoder(on="1", off="0", unknown="-1").encode(
        [entry(1), entry(2, state="off"), entry(3, state="unknown")]
    )
    assert [m.payload for m in sent] == [b"1", b"0", b"-1"]


def test_every_edge_of_a_batch_is_published_in_order():
    sent = encoder().encode([entry(1), entry(2, "parts", 3), entry(3, state="off")])
    assert [(m.topic.rsplit("/", 1)[1], m.payload, m.seq) for m in sent] == [
        ("scratched", b"on", 1), ("parts", b"3", 2), ("scratched", b"off", 3),
    ]  # fmt: skip


def test_what_is_older_than_the_state_at_the_broker_is_not_published():
    made = encoder()
    made.birth([entry(9, "scratched", "off")], [])
    assert made.encode([entry(8), entry(9)]) == []
    assert [m.seq for m in made.encode([entry(10)])] == [10]


def test_at_a_birth_states_come_before_online_and_gone_rules_are_cleared():
    made = Plain(Plain.Options(), EncoderPlace("press-07", ROOT, "plc"))
    sent = made.birth([entry(4, "scratched", "on")], ["old"])
    assert topics(sent) == ["state/old", "state/scratched", "status"]
    assert [m.payload for m in sent] == [b"", b"on", b"online"]
    assert topics(made.farewell([entry(5, state="unknown")])) == ["state/scratched", "status"]


def test_gaps_heartbeat_and_will_are_as_with_json():
    made = encoder()
    assert topics(made.encode([Gap(1, 4)])) == ["gap"]
    assert topics(made.pulse(3, {"condition": "ok"})) == ["heartbeat", "health"]
    assert made.will().payload == b"offline"


def test_a_rule_may_be_sent_at_qos_0_or_without_staying_at_the_broker():
    place = EncoderPlace("press-07", ROOT, "plc", delivery={"parts": Delivery(qos=0, retain=False)})
    made = Plain(Plain.Options(), place)
    made.birth([entry(0, "scratched"), entry(0, "parts")], [])
    sent = made.encode([entry(1, "scratched"), entry(2, "parts", 3)])
    assert [(m.qos, m.retain) for m in sent] == [(1, True), (0, False)]
