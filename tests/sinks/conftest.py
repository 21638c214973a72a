"""An MQTT sink that is closed with the test."""

from collections.abc import Callable, Iterator

import pytest

from edgeinfer.events import Message
from edgeinfer.ports import SinkPlace
from edgeinfer.sinks.mqtt import Mqtt
from tests.runtime.decisions import Board

WILL = Message("t/status", b"offline", retain=True)


class Made:
    def __init__(self, sink: Mqtt, board: Board) -> None:
        self.sink, self.board = sink, board


@pytest.fixture
def mqtt() -> Iterator[Callable[..., Made]]:
    made: list[Mqtt] = []

    def make(name: str = "plant", listens: tuple[str, ...] = (), **options) -> Made:
        board = Board()
        place = SinkPlace(name, "press-07", "0123456789abcdef", WILL, board, listens)
        made.append(Mqtt(Mqtt.Options(**options), place))
        return Made(made[-1], board)

    yield make
    for sink in made:
        sink.close()
