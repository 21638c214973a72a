import pytest

from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.patience import Patience
from edgeinfer.testing.clock import FakeClock
from tests.runtime.decisions import Board, decided


class Waiting:
    def __init__(self, folder):
        self.clock = FakeClock()
        self.outbox = Outbox(folder / "outbox.db", "press-07", self.clock, report=Board())
        self.patience = Patience(self.outbox, 10.0, 5)

    def decide(self, *states):
        for n, state in enumerate(states):
            self.outbox.append([decided(self.clock, n, state=state)])

    def over(self, now_s):
        return self.patience.over(0, now_s)


@pytest.fixture
def waiting(tmp_path):
    made = Waiting(tmp_path)
    yield made
    made.outbox.close()


def test_nothing_waits_for_nothing(waiting):
    assert not waiting.over(0.0)
    assert not waiting.over(100.0)


def test_numbers_wait_from_the_first_of_them_on(waiting):
    waiting.decide(1.0)
    assert not waiting.over(100.0)
    waiting.decide(2.0)
    assert not waiting.over(109.9)
    assert waiting.patience.left_s(109.5) == pytest.approx(0.5)
    assert waiting.over(110.0)


@pytest.mark.parametrize("state", ["on", "off", "unknown"])
def test_a_state_goes_at_once_and_the_numbers_with_it(waiting, state):
    waiting.decide(1.0)
    assert not waiting.over(0.0)
    waiting.decide(state)
    assert waiting.over(0.1)


def test_many_wait_no_longer(waiting):
    waiting.decide(1.0, 2.0, 3.0, 4.0)
    assert not waiting.over(0.0)
    waiting.decide(5.0)
    assert waiting.over(0.0)


def test_what_was_delivered_is_forgotten(waiting):
    waiting.decide("on")
    assert waiting.over(0.0)
    waiting.patience.forget(1)
    assert not waiting.patience.over(1, 50.0)
    waiting.decide(1.0)
    assert not waiting.patience.over(1, 60.0)
    assert waiting.patience.over(1, 70.0)
