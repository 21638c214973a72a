"""An MQTT sink that is closed with the test."""

from collections.abc import Callable, Iterator

import pytest

from edgeinfer.events import Message
from edgeinfer.meters import Meters
from edgeinfer.ports import SinkPlace
from edgeinfer.sinks.mqtt import Mqtt
from tests.runtime.decisions import Board

WILL = Message("t/status", b"offline", retain=True)


class Made:
    def __init__(self, options: Mqtt.Options, name: str, listens: tuple[str, ...]) -> None:
        self.board, self.meters = Board(), Meters()
        self.heard: list[tuple[str, bytes]] = []
        heard = lambda topic, payload: self.heard.append((topic, payload))
        place = SinkPlace(
            name, "press-07", "0123456789abcdef", lambda: WILL, self.board, listens, heard, self.meters
        )
        self.sink = Mqtt(options, place)


@pytest.fixture
def mqtt() -> Iterator[Callable[..., Made]]:
    made: list[Made] = []

    def make(name: str = "plant", listens: tuple[str, ...] = (), **options) -> Made:
        made.append(Made(Mqtt.Options(**options), name, listens))
        return made[-1]

    yield make
    for one in made:
        one.sink.close()
