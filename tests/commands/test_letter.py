import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.commands.letter import MAX_BYTES, Refusal, answer_topic, read
from edgeinfer.events import Instant
from edgeinfer.ports import Heard
from edgeinfer.testing.clock import START_UNIX_NS
from edgeinfer.wire.times import iso

NOW = Instant("boot", 0, START_UNIX_NS, synced=True)


def at(seconds: float) -> str:
    return iso(START_UNIX_NS + int(seconds * 1e9))


def heard(body=None, **beside) -> Heard:
    body = {"id": "a", "expires": at(60)} if body is None else body
    return Heard("t/command/pause", body if isinstance(body, bytes) else json.dumps(body).encode(), **beside)


def refused(what: Heard, now: Instant = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(what, "pause", now)
    return caught.value


def test_a_command_says_what_it_wants_and_until_when():
    letter = read(
        heard({"id": "a", "expires": at(60), "by": "anna", "args": {"pipeline": "p"}}), "pause", NOW
    )
    assert (letter.id, letter.says) == ("a", "anna")
    assert json.loads(letter.line) == {"command": "pause", "pipeline": "p"}
    assert letter.until_ns == START_UNIX_NS + 60_000_000_000


def test_the_arguments_cannot_make_another_command_of_it():
    body = {"id": "a", "expires": at(60), "args": {"command": "lend"}}
    assert json.loads(read(heard(body), "pause", NOW).line)["command"] == "pause"


def test_the_earliest_end_counts():
    assert read(heard(expires_in_s=5), "pause", NOW).until_ns == START_UNIX_NS + 5_000_000_000
    assert read(heard(expires_in_s=500), "pause", NOW).until_ns == START_UNIX_NS + 60_000_000_000


def test_one_that_says_only_when_it_was_sent_is_valid_for_a_minute():
    assert read(heard({"id": "a", "at": at(-50)}), "pause", NOW)
    assert refused(heard({"id": "a", "at": at(-61)})).reason == "expired"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (heard(retain=True), "retained"),
        (heard(b"x" * (MAX_BYTES + 1)), "oversized"),
        (heard(b"{"), "malformed"),
        (heard(b"\xff\xfe"), "malformed"),
        (heard({"id": ""}), "malformed"),
        (heard({"id": "a" * 65, "expires": at(1)}), "malformed"),
        (heard({"expires": at(1)}), "malformed"),
        (heard({"id": "a"}), "malformed"),
        (heard({"id": "a", "expires": "soon"}), "malformed"),
        (heard({"id": "a", "expires": "2026-09-21T14:13:21"}), "malformed"),  # of which zone?
        (heard({"id": "a", "expires": "9999-12-31T23:59:59Z"}), "too_long"),
        (heard({"id": "a", "expires": "0001-01-01T00:00:00Z"}), "expired"),
        (heard({"id": "a", "expires": at(1), "arg": {}}), "malformed"),
        (heard({"id": "a", "expires": at(1), "args": [1]}), "malformed"),
        (heard({"id": "a", "expires": at(-0.5)}), "expired"),
        (heard({"id": "a", "expires": at(3_601)}), "too_long"),
    ],
)
def test_what_is_no_command_now_is_refused_with_the_reason(what, reason):
    assert refused(what).reason == reason


def test_whose_clock_may_be_wrong_says_so():
    unset = Instant("boot", 0, START_UNIX_NS, synced=False)
    assert "not synchronised" in str(refused(heard({"id": "a", "expires": at(-1)}), unset))
    assert "not synchronised" not in str(refused(heard({"id": "a", "expires": at(-1)})))


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fall_over(payload):
    with contextlib.suppress(Refusal):  # and nothing else
        read(heard(payload), "pause", NOW)


@pytest.mark.parametrize(
    ("wanted", "topic"),
    [
        ("", "t/reply"),
        ("answers/room", "answers/room"),
        ("t/reply/room", "t/reply/room"),
        ("t/state/scratched", "t/reply"),
        ("a/+/b", "t/reply"),
        ("a/#", "t/reply"),
        ("$SYS/x", "t/reply"),
    ],
)
def test_an_answer_never_looks_like_something_else_that_the_device_says(wanted, topic):
    assert answer_topic(heard(response_topic=wanted), "t") == topic
