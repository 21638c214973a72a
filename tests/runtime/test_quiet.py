from __future__ import annotations

import logging

import pytest

from edgeinfer.runtime.quiet import Quiet


class Shown(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)

    @property
    def texts(self):
        return [record.getMessage() for record in self.records]


class House:
    def __init__(self):
        self.now_s, self.shown = 0.0, Shown()
        self.quiet = Quiet(self.shown, window_s=60, free=2, now_s=lambda: self.now_s)
        self.log = logging.Logger("house")  # noqa: LOG001  # one of its own: nobody else hears it
        self.log.addHandler(self.quiet)

    def say(self, text, times=1):
        for _ in range(times):
            self.log.warning(text)


@pytest.fixture
def house():
    return House()


def test_the_first_few_pass_and_the_rest_is_counted_and_told_when_the_window_is_over(house):
    house.say("lost", times=122)
    assert house.shown.texts == ["lost", "lost"]
    house.now_s = 61
    house.say("something else")
    assert house.shown.texts[2:] == ["lost (120 times more in 60 s)", "something else"]
    assert house.shown.records[2].times == 120
    assert house.shown.records[2].levelno == logging.WARNING


def test_different_messages_do_not_count_together(house):
    for n in range(20):
        house.say(f"channel {n} is lost")
    assert len(house.shown.texts) == 20


def test_after_a_window_a_message_is_heard_again(house):
    house.say("lost", times=5)
    house.now_s = 60
    house.say("lost", times=5)
    assert house.shown.texts == ["lost", "lost", "lost (3 times more in 60 s)", "lost", "lost"]


def test_nothing_is_told_of_a_message_that_came_rarely(house):
    house.say("lost", times=2)
    house.now_s = 100
    house.say("else")
    assert house.shown.texts == ["lost", "lost", "else"]


def test_at_the_end_the_counts_are_told(house):
    house.say("lost", times=4)
    house.quiet.close()
    assert house.shown.texts[-1] == "lost (2 times more in 60 s)"


def test_a_trace_is_never_held_back(house):
    for _ in range(5):
        house.log.error("died", exc_info=ValueError("why"))
    assert len(house.shown.texts) == 5


def test_ever_new_messages_do_not_grow_the_memory_and_lose_no_count(house):
    house.say("lost", times=3)
    for n in range(2000):
        house.say(f"part {n}")
    assert len(house.quiet._windows) <= 512
    assert "lost (1 times more in 60 s)" in house.shown.texts


def test_a_message_that_cannot_be_formatted_does_not_end_its_speaker(house, capsys):
    house.log.warning("%d parts", "three")
    assert "Logging error" in capsys.readouterr().err
