"""The judge finds what it is there to find; what it lets pass is named in its docstrings."""

import json

import pytest

from tests.chaos.judge import Judge, Verdict
from tests.chaos.ledger import Death, Ledger, PowerCut
from tests.chaos.tap import Acknowledged, Tap
from tests.chaos.witness import Stream

SAID = [10_000_000, 10_000_001, 10_000_002, 10_000_003]


def body(seq: int, identity: str = "", n: int | None = None) -> bytes:
    """Decision `seq` about the line that has its number, as a sink would send it."""
    number = SAID[(seq - 1) % len(SAID)] if n is None else n
    value = number if number % 2 == 0 else -number
    state = "on" if value > 0 else "off"
    told = {"seq": seq, "id": identity or f"id{seq}", "rule": "steady1", "state": state}
    return json.dumps({**told, "details": {"name": "steady1", "value": value}}).encode()


def stream(*bodies: bytes) -> Stream:
    made = Stream()
    for one in bodies:
        made.take(one)
    return made


def verdict(
    plant: Stream, file: Stream | None = None, ledger: Ledger | None = None, **acked: float
) -> Verdict:
    ledger = ledger or Ledger(newest=4)
    acknowledged = Acknowledged()
    acknowledged.at_s = {int(seq[1:]): at_s for seq, at_s in acked.items()}
    whole = file or stream(*map(body, range(1, ledger.newest + 1)))
    judge = Judge(ledger, {"plant": plant, "file": whole}, {"plant": acknowledged}, ledger.newest)
    found = judge()
    judge.said("steady", SAID)
    judge.undisturbed("steady1", SAID)
    return found


def test_a_whole_stream_with_repeats_is_right():
    assert verdict(stream(*map(body, [1, 2, 3, 2, 3, 4]))).wrong == []


def test_a_missing_decision_is_lost():
    (wrong,) = verdict(stream(*map(body, [1, 2, 4]))).wrong
    assert wrong == "plant: 1 lost: 3"


def test_a_missing_decision_that_a_gap_tells_is_none():
    plant = stream(*map(body, [1, 4]))
    plant.gap(b'{"first": 2, "last": 3}')
    assert verdict(plant).wrong == []


def test_what_a_broker_acknowledged_and_took_to_its_grave_is_its_own():
    ledger = Ledger(newest=4, broker_kills_s=[101.0])
    assert verdict(stream(*map(body, [1, 2, 4])), ledger=ledger, n3=100.5).wrong == []
    assert verdict(stream(*map(body, [1, 2, 4])), ledger=ledger, n3=80.0).wrong != []
    assert verdict(stream(*map(body, [1, 2, 4])), ledger=ledger).wrong != []


def test_a_first_arrival_behind_a_higher_number_is_disorder():
    (wrong,) = [w for w in verdict(stream(*map(body, [1, 3, 2, 4]))).wrong if "after" in w]
    assert wrong == "plant: 2 came after 3"


def test_numbers_that_a_power_cut_took_back_may_come_again_with_other_ids():
    ledger = Ledger(newest=4, deaths=[Death("power cut", 0.0, 2, may_forget=True)])
    again = [body(1), body(2), body(3, "lost"), body(3), body(4)]
    assert verdict(stream(*again), ledger=ledger).wrong == []
    ledger = Ledger(newest=4, deaths=[Death("kill", 0.0, 2, may_forget=False)])
    assert verdict(stream(*again), ledger=ledger).wrong != []


def test_an_id_that_was_never_committed_is_invented():
    ledger = Ledger(newest=4, rows={2: "id2"})
    wrong = verdict(stream(body(1), body(2, "other"), body(3), body(4)), ledger=ledger).wrong
    assert "plant: other ids than those that were committed: 2" in wrong


def test_a_decision_about_what_no_sensor_said_is_invented():
    invented = [body(1), body(2), body(3, n=123), body(4)]
    assert any("no sensor" in wrong for wrong in verdict(stream(*invented)).wrong)


def test_a_hole_in_what_an_undisturbed_pipeline_saw_is_found_unless_the_daemon_died_there():
    both = [body(1), body(2, n=SAID[2])]
    ledger = Ledger(newest=2)
    (wrong,) = verdict(stream(*both), stream(*both), ledger).wrong
    assert wrong == "steady1: holes or unknown though nothing died, at 2"
    ledger = Ledger(newest=2, deaths=[Death("kill", 0.0, 1, may_forget=False)])
    assert verdict(stream(*both), stream(*both), ledger).wrong == []


def test_a_power_cut_that_takes_what_is_older_than_the_sync_is_wrong():
    ledger = Ledger(newest=4, cuts=[PowerCut(7, 2.5, in_trouble=False)])
    (wrong,) = verdict(stream(*map(body, range(1, 5))), ledger=ledger).wrong
    assert "2.50 s" in wrong


def test_the_states_have_to_be_the_last_decisions():
    judge = Judge(Ledger(newest=4), {"file": stream(*map(body, range(1, 5)))}, {}, 4)
    judge.states("plant", {"steady1": body(4)}, ["steady1"])
    assert judge.verdict.wrong == []
    judge.states("plant", {"steady1": body(3)}, ["steady1"])
    assert judge.verdict.wrong == ["plant: the state of steady1 is of decision 3, not of 4"]


def test_a_command_that_nobody_asked_for_is_invented():
    told = b'{"seq": 1, "id": "a", "rule": "command", "state": "on", "details": {}}'
    judge = Judge(Ledger(newest=1), {"file": stream(told)}, {}, 1)
    judge.commanded(1)
    assert judge.verdict.wrong == []
    judge.commanded(0)
    assert judge.verdict.wrong == ["file: 1 commands, 0 were asked for"]


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_tap_sees_which_decisions_were_acknowledged_whatever_the_pieces(version: int, size: int):
    into = Acknowledged()
    tap = Tap(into)
    connect = b"\x10\x0a\x00\x04MQTT" + bytes([version]) + b"\x02\x00\x0a"
    properties = b"\x03\x01\x00\x00" if version == 5 else b""
    up = connect + b"".join(
        _publish(f"the/factory/line/decision/r{packet}", packet, properties, body(seq))
        for seq, packet in ((7, 1), (8, 2), (9, 3))
    )
    down = b"\x20\x02\x00\x00\x40\x02\x00\x01" + b"\x40\x03\x00\x02\x87"
    for start in range(0, len(up), size):
        tap.to_broker(up[start : start + size])
    for start in range(0, len(down), size):
        tap.to_device(down[start : start + size])
    assert set(into.at_s) == {7}  # 8 was refused, 9 never answered


def _publish(topic: str, packet: int, properties: bytes, payload: bytes) -> bytes:
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + packet.to_bytes(2, "big") + properties + payload
    assert 128 <= len(rest) < 16_384
    return b"\x32" + bytes([len(rest) % 128 | 0x80, len(rest) // 128]) + rest
