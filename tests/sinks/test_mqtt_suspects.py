from collections.abc import Sequence

import pytest

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Outcome, Refused
from edgeinfer.sinks.mqtt_suspects import Suspects


class Link:
    """A broker that closes the connection at a payload of `bad`, or that is just gone after `lives` messages."""

    def __init__(self, bad: bytes = b"", lives: int = 1000) -> None:
        self.thrown_out, self.runs = False, []
        self._bad, self._lives = bad, lives

    def deliver(self, batch: Sequence[Message]) -> list[Outcome]:
        self.runs.append([message.payload for message in batch])
        outcomes: list[Outcome] = []
        for message in batch:
            self.thrown_out = message.payload == self._bad
            self._lives -= 1
            if self.thrown_out or self._lives < 0:
                break
            outcomes.append(Acked())
        if not outcomes:
            raise DeliveryError("is gone")
        return outcomes


def messages(*payloads: bytes) -> list[Message]:
    return [Message("t", payload, seq=n) for n, payload in enumerate(payloads)]


def drained(suspects: Suspects, batch: list[Message], bad: bytes, connections: int) -> list[Outcome]:
    """All outcomes after so many connections, each of which begins where the one before ended."""
    outcomes: list[Outcome] = []
    for _ in range(connections):
        try:
            outcomes += suspects.deliver(Link(bad), batch[len(outcomes) :])
        except DeliveryError:
            continue
    return outcomes


def test_a_message_that_ends_each_connection_is_refused_and_the_rest_arrives():
    batch = messages(b"a", b"b", b"bad", b"c", b"d")
    outcomes = drained(Suspects(), batch, b"bad", 4)
    assert [type(outcome) for outcome in outcomes] == [Acked, Acked, Refused, Acked, Acked]
    assert "each time that this message is sent (3 bytes)" in outcomes[2].reason


def test_it_is_not_refused_before_it_was_alone_twice():
    assert drained(Suspects(), messages(b"bad", b"c"), b"bad", 3) == []


def test_it_stays_refused_without_being_sent():
    suspects, batch = Suspects(), messages(b"bad")
    drained(suspects, batch, b"bad", 3)
    link = Link(b"bad")
    assert isinstance(suspects.deliver(link, batch)[0], Refused)
    assert link.runs == []


def test_who_is_suspected_by_mistake_is_cleared_once_it_is_acknowledged():
    suspects, batch = Suspects(), messages(b"a", b"b")
    with pytest.raises(DeliveryError):
        suspects.deliver(Link(b"a"), batch)
    good = Link()
    assert suspects.deliver(good, batch) == [Acked(), Acked()]
    assert good.runs == [[b"a"], [b"b"]]
    again = Link()
    suspects.deliver(again, batch)
    assert again.runs == [[b"a", b"b"]]


def test_a_network_that_breaks_makes_no_suspects():
    suspects = Suspects()
    assert suspects.deliver(Link(lives=1), messages(b"a", b"b")) == [Acked()]
    link = Link()
    suspects.deliver(link, messages(b"b", b"c"))
    assert link.runs == [[b"b", b"c"]]


def test_a_connection_that_is_lost_behind_a_suspect_settles_what_came_before():
    suspects = Suspects()
    drained(suspects, messages(b"bad"), b"bad", 1)
    assert suspects.deliver(Link(b"bad"), messages(b"a", b"bad", b"b")) == [Acked()]
