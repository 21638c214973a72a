"""The scripted source and its place, which tests of other rooms stand on."""

from threading import Event, Thread

import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.testing.sources import Hang, Reports, ScriptedSource, frames, source_place
from tests.waiting import wait_for


def test_a_script_is_played_in_order_and_ends():
    script = frames(source_place(), 3)
    source = ScriptedSource(script)
    assert list(source.samples(Event())) == script
    assert (source.opened, source.closed) == (1, 1)


def test_after_an_exception_the_next_opening_goes_on():
    one, two = frames(source_place(), 2)
    source = ScriptedSource([one, SourceLost("unplugged"), two])
    with pytest.raises(SourceLost, match="unplugged"):
        list(source.samples(Event()))
    assert list(source.samples(Event())) == [two]


def test_a_stop_ends_a_script():
    stop = Event()
    source = ScriptedSource(frames(source_place(), 3))
    assert len([stop.set() for _ in source.samples(stop)]) == 1


def test_a_hang_blocks_until_it_is_let_go():
    hang, found = Hang(), []
    source = ScriptedSource([hang, *frames(source_place(), 1)])
    reader = Thread(target=lambda: found.extend(source.samples(Event())))
    reader.start()
    wait_for(lambda: source.opened == 1)
    assert not found
    hang.set()
    reader.join(10)
    assert len(found) == 1


def test_reports_remember_what_is_wrong_now_and_what_was_said():
    reports = Reports()
    source_place(reports=reports).report("size", "too small")
    reports("size", None)
    assert (reports.now, reports.said) == ({}, [("size", "too small")])
