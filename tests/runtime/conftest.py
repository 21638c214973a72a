"""An outbox and a house with a pipeline in it, which are closed with the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeinfer.runtime.outbox import Outbox
from edgeinfer.testing.clock import FakeClock
from tests.runtime.decisions import Board
from tests.runtime.house import House


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def open_outbox(tmp_path: Path, clock: FakeClock, board: Board) -> Iterator[Callable[..., Outbox]]:
    opened: list[Outbox] = []

    def open_(**options) -> Outbox:
        opened.append(Outbox(tmp_path / "state" / "outbox.db", "press-07", clock, report=board, **options))
        return opened[-1]

    yield open_
    for outbox in opened:
        outbox.close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()
