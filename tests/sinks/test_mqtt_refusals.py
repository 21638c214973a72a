"""What a broker does not want of us: told, kept as refused, never in the way of the rest, never tried in a busy loop."""

import pytest

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Outcome, Refused
from tests.sinks.stub import OldBroker
from tests.waiting import wait_for

LARGE = Message("t/decision/large", b"x" * 2000, seq=2)
BATCH = [Message("t/decision/a", b"1", seq=1), LARGE, Message("t/decision/b", b"3", seq=3)]


def delivered(made, batch: list[Message], timeout_s: float = 60) -> list[Outcome]:
    """As a courier does it: from where the last connection ended, until all is settled."""
    outcomes: list[Outcome] = []

    def done() -> bool:
        if made.sink.wait_ready(0.2):
            try:
                outcomes.extend(made.sink.send(batch[len(outcomes) :]))
            except DeliveryError:
                pass
        return len(outcomes) == len(batch)

    wait_for(done, timeout_s)
    return outcomes


@pytest.mark.slow
def test_a_message_over_the_limit_of_a_packet_is_refused_with_both_sizes(mqtt, mosquitto):
    broker = mosquitto("max_packet_size 1000")
    made = mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    made.sink.send(BATCH)
    assert "2000 bytes" in made.board.now["refused"]
    assert "limit of 1000 bytes" in made.board.now["refused"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "limit"),
    [(3, "max_packet_size 1000"), (5, "message_size_limit 1000")],
)
def test_a_message_at_which_the_broker_hangs_up_blocks_nothing(mqtt, mosquitto, subscriber, version, limit):
    """Only max_packet_size is told to us, and only in version 5 (a payload over message_size_limit looks fine in 3.1.1)."""
    broker = mosquitto(limit)
    seen, made = subscriber(broker, "t/decision/#"), mqtt(url=broker.url, version=version)
    outcomes = delivered(made, BATCH)
    assert [type(outcome) for outcome in outcomes] == [Acked, Refused, Acked]
    assert "2000 bytes" in made.board.now["refused"]
    arrived = seen.wait_for(lambda m: {one.payload for one in m} == {b"1", b"3"})
    assert arrived[-1].payload == b"3"
    assert made.sink.session < 6


@pytest.mark.slow
def test_a_refusal_is_taken_back_once_the_broker_allows_it(mqtt, mosquitto, tmp_path):
    (tmp_path / "acl").write_text("topic readwrite t/allowed\n")
    broker = mosquitto(f"acl_file {tmp_path / 'acl'}")
    made = mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    made.sink.send(BATCH[:1])
    assert "t/decision/a: Not authorized: allow this user" in made.board.now["refused"]
    (tmp_path / "acl").write_text("topic readwrite t/#\n")
    broker.restart()
    assert delivered(made, BATCH[:1]) == [Acked()]
    assert "refused" not in made.board.now


@pytest.mark.slow
def test_a_last_will_that_may_not_be_written_does_not_keep_the_rest_away(mqtt, mosquitto, tmp_path):
    (tmp_path / "acl").write_text("topic readwrite t/decision/#\n")
    made = mqtt(url=mosquitto(f"acl_file {tmp_path / 'acl'}").url)
    assert delivered(made, BATCH) == [Acked()] * 3


@pytest.mark.slow
def test_two_devices_of_one_name_are_told_in_3_1_1_too(mqtt, mosquitto):
    broker = mosquitto()
    both = [mqtt(url=broker.url, client_id="same", version=3) for _ in range(2)]
    for made in both:
        assert made.sink.wait_ready(10)
    said = lambda: [text or "" for made in both for _, text in made.board.said]
    wait_for(lambda: any("perhaps another client uses the client id 'same'" in text for text in said()), 60)


def test_a_broker_that_throws_everybody_out_is_tried_ever_more_seldom(mqtt):
    broker = OldBroker()
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", version=3)
    waits = []
    pause = made.sink._dialler._backoff.next_s
    made.sink._dialler._backoff.next_s = lambda: waits.append(pause()) or 0.0
    assert made.sink.wait_ready(10)
    wait_for(lambda: broker.drop() or len(waits) >= 6, 30)
    made.sink.close()
    broker.close()
    assert all(later > 1.19 * earlier for earlier, later in zip(waits[:5], waits[1:6], strict=True))


def test_the_name_of_a_broker_that_nobody_knows_is_told(mqtt):
    made = mqtt(url="mqtt://no-such-broker.invalid")
    assert not made.sink.wait_ready(0.1)
    wait_for(lambda: "no broker named 'no-such-broker.invalid'" in made.board.now.get("broker", ""), 30)
