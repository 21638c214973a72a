"""Several brokers: which one is used when; what is delivered to them is tests/chaos/test_failover.py."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Acked, Message
from tests.fixtures.brokers import free_port
from tests.sinks.stub import OldBroker
from tests.waiting import wait_for


def of(port: int) -> str:
    return f"mqtt://127.0.0.1:{port}"


def port_of(made) -> int:
    return made.sink._dialler.link._words.port


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "mqtt://a", "urls": ("mqtt://b",)}, "either url or urls"),
        ({"urls": ("mqtt://a", "mqtt://a:1883")}, "a:1883 is there twice"),
        ({"urls": ("mqtt://a", "http://b")}, "expected mqtt://"),
        ({"urls": ("mqtt://a", "mqtts://b"), "ca": "/nowhere"}, "no such file"),
    ],
)
def test_a_wrong_list_is_explained(mqtt, options, message):
    with pytest.raises(InputError, match=message):
        mqtt(**options)


def test_the_next_broker_stands_in_for_one_that_does_not_answer(mqtt):
    broker, dead = OldBroker(), free_port()
    made = mqtt(urls=(of(dead), of(broker.port)), version=3)
    assert made.sink.wait_ready(10)
    assert made.sink.send([Message("t", b"1", seq=1)]) == [Acked()]
    assert f"{broker.port} stands in (number 2 of urls)" in made.board.now["failover"]
    assert f"{dead} does not listen" in made.board.now["failover"]
    assert "broker" not in made.board.now
    assert made.meters.counters == {"failovers": 1}
    made.sink.close()
    broker.close()


def test_when_none_answers_all_are_told(mqtt):
    ports = free_port(), free_port()
    made = mqtt(urls=tuple(map(of, ports)))
    assert not made.sink.wait_ready(0.1)
    wait_for(lambda: all(f"{port} does not listen" in made.board.now.get("broker", "") for port in ports))


def test_the_next_broker_is_asked_when_the_first_takes_connections_and_drops_them(mqtt):
    """As one does that has no room, or whose proxy is there without it."""
    good, bad = OldBroker(), OldBroker()
    made = mqtt(urls=(of(bad.port), of(good.port)), version=3)
    assert made.sink.wait_ready(10)
    bad.drop()
    wait_for(lambda: made.sink.wait_ready(0) and port_of(made) == good.port)
    made.sink.close()
    good.close()
    bad.close()


@pytest.mark.slow
def test_a_broker_that_is_preferred_is_used_again_when_it_returns(mqtt, mosquitto, subscriber):
    first, second = mosquitto(), mosquitto()
    made = mqtt(urls=(first.url, second.url))
    assert made.sink.wait_ready(10)
    assert port_of(made) == first.port
    first.kill()
    wait_for(lambda: made.sink.wait_ready(0) and port_of(made) == second.port, 20)
    seen = subscriber(second, "t/status")
    first.start()
    wait_for(lambda: made.sink.wait_ready(0) and port_of(made) == first.port, 60)
    assert made.sink.session == 3
    assert "failover" not in made.board.now
    assert made.meters.counters == {"failovers": 1, "returns": 1}
    seen.wait_for(lambda m: [one.payload for one in m] == [b"offline"])


@pytest.mark.slow
def test_nobody_returns_to_a_broker_that_takes_connections_and_does_not_answer(mqtt, mosquitto):
    first, second = mosquitto(), mosquitto()
    first.freeze()
    made = mqtt(urls=(first.url, second.url))
    assert made.sink.wait_ready(30)
    assert port_of(made) == second.port
    assert "is it hanging?" in made.board.now["failover"]
    first.thaw()
    wait_for(lambda: made.sink.wait_ready(0) and port_of(made) == first.port, 60)


@pytest.mark.slow
def test_nobody_returns_while_something_is_under_way(mqtt, mosquitto):
    first, second = mosquitto(), mosquitto()
    first.kill()
    made = mqtt(urls=(first.url, second.url))
    assert made.sink.wait_ready(20)
    with made.sink._dialler.lend() as link:
        first.start()
        wait_for(lambda: "press-07-01234567-plant-probe" in first.log(), 60)
        assert made.sink._dialler.link is link
        assert link.lost is None
    wait_for(lambda: made.sink.wait_ready(0) and port_of(made) == first.port, 60)
