from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.wire.stream import Streams
from edgeinfer.wire.times import iso

NOW_S = 1_790_000_000.0


def decision(seq, boot="a", id_=None, device="press", behind_s=0.0):
    body = {
        "v": 1, "id": id_ or f"{boot}-{seq}", "seq": seq, "boot": boot, "device": device, "pipeline": "p",
        "rule": "r", "subject": "s", "state": "on", "at": iso(round((NOW_S - behind_s) * 1e9)), "synced": True,
        "details": {}, "model": "", "config": "", "age_ms": 1.0, "more": [1],
    }  # fmt: skip
    return f"edgeinfer/{device}/decision/r", json.dumps(body).encode()


def gap(first, last, device="press"):
    body = {"v": 1, "device": device, "first": first, "last": last, "dropped": last - first + 1}
    return f"edgeinfer/{device}/gap", json.dumps(body).encode()


def watched(*messages, late_s=5.0):
    streams = Streams(late_s)
    for topic, payload in messages:
        streams.take(topic, payload, NOW_S)
    return streams


def test_an_unbroken_stream_is_whole_wherever_it_is_joined():
    streams = watched(*map(decision, range(41, 60)))
    assert streams.whole
    assert streams.devices["press"].decisions == 19


def test_a_jump_is_a_hole_that_a_late_arrival_fills_and_is_disorder():
    stream = watched(*map(decision, (1, 2, 6, 7))).devices["press"]
    assert (stream.holes, stream.missing, stream.whole) == ([(3, 5)], 3, False)
    stream = watched(*map(decision, (1, 2, 6, 7, 4))).devices["press"]
    assert (stream.holes, stream.out_of_order) == ([(3, 3), (5, 5)], 1)


def test_repeats_are_counted_and_do_no_harm():
    streams = watched(*map(decision, (1, 2, 3, 2, 3, 4)))
    assert streams.whole
    assert (streams.devices["press"].repeats, streams.devices["press"].decisions) == (2, 4)


@pytest.mark.parametrize("messages", [
    [decision(1), decision(2), gap(3, 9), decision(10)],
    [decision(1), decision(2), decision(10), gap(3, 9)],
    [decision(1), decision(2), gap(2, 9), decision(10)],
])  # fmt: skip
def test_what_the_device_says_is_gone_is_no_hole(messages):
    streams = watched(*messages)
    assert streams.whole
    assert streams.devices["press"].told_gaps in {0, 7}


def test_a_new_outbox_in_a_new_run_is_a_restart_and_the_same_run_is_disorder():
    assert watched(*map(decision, (7, 8)), decision(1, "b"), decision(2, "b")).devices["press"].restarts == 1
    assert watched(*map(decision, (7, 8)), decision(3, id_="other")).devices["press"].out_of_order == 1


def test_lateness_is_told_with_the_worst():
    stream = watched(decision(1), decision(2, behind_s=7.5), late_s=5).devices["press"]
    assert (stream.late, round(stream.worst_s, 3)) == (1, 7.5)


def test_devices_are_told_apart_and_foreign_messages_counted():
    streams = watched(
        decision(1), decision(1, device="mill"), ("edgeinfer/x/decision/r", b"{}"), ("edgeinfer/x/gap", b"\xff"),
        ("edgeinfer/x/state/r", b"?"),
    )  # fmt: skip
    assert set(streams.devices) == {"press", "mill"}
    assert streams.foreign == 2


@given(st.sets(st.integers(2, 60)), st.randoms())
def test_exactly_what_was_taken_out_is_missing(lost, draw):
    seqs = [n for n in range(1, 62) if n not in lost]
    repeated = [n for n in seqs for _ in range(draw.choice([1, 1, 2]))]
    stream = watched(*map(decision, repeated)).devices["press"]
    holes = {n for first, last in stream.holes for n in range(first, last + 1)}
    assert holes == lost
    assert stream.repeats == len(repeated) - len(seqs)


def test_deeper_decisions_count_and_a_rule_may_be_named_gap():
    topic, payload = decision(1)
    deeper = topic.replace("/decision/", "/belt/two/decision/")
    streams = watched((deeper, payload), (topic.replace("/r", "/gap"), decision(2)[1]), decision(5))
    assert (streams.devices["press"].decisions, streams.devices["press"].holes, streams.foreign) == (
        3,
        [(3, 4)],
        0,
    )


def together(*seqs):
    bodies = [json.loads(decision(seq)[1]) for seq in seqs]
    return decision(1)[0], json.dumps(bodies).encode()


def test_arrays_of_two_rules_fill_each_others_holes_and_are_no_disorder():
    streams = watched(together(1, 3, 5), together(2, 4, 6), decision(7))
    assert streams.whole
    assert streams.devices["press"].decisions == 7


def test_what_is_missing_between_two_arrays_is_a_hole_all_the_same():
    streams = watched(together(1, 3), together(4, 6), decision(7))
    assert streams.devices["press"].holes == [(2, 2), (5, 5)]


def test_an_array_that_comes_again_is_repeats():
    assert watched(together(1, 2), together(1, 2)).devices["press"].repeats == 2


def test_an_array_of_something_else_is_not_ours():
    assert watched(("edgeinfer/press/decision/r", b"[1, 2]")).foreign == 1
