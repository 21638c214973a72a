"""The rule `absence`."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.rules.absence import Absence
from tests.rules.seen import PLACE, Scene, at, decisions, told


def absence(**options):
    return Absence(Absence.Options(**({"for_s": 2} | options)), PLACE)


def test_it_is_on_once_nothing_has_come_for_its_time_and_off_with_the_next():
    s = Scene()
    seen = [s.look(0, "a"), s.look(1), s.look(2), s.look(3), s.look(4), s.look(5, "a")]
    assert told(absence(), *seen) == [(0, "off"), (3, "on"), (5, "off")]


def test_whatever_comes_starts_the_time_over():
    s = Scene()
    assert told(absence(), *[s.look(n, *["a"] * (n % 2 == 0)) for n in range(10)]) == [(0, "off")]


def test_ticks_let_the_time_run_out():
    s = Scene()
    assert told(absence(), s.look(0), s.tick(1), s.tick(2)) == [(2, "on")]


def test_with_new_what_lies_still_is_nothing():
    s = Scene()
    seen = [*(s.look(n, at(0.3)) for n in range(5)), s.look(5, at(0.3), at(0.6, track=2))]
    assert told(absence(new=True), *seen) == [(0, "off"), (3, "on"), (5, "off")]
    assert absence(new=True).tracks
    assert not absence().tracks


def test_what_came_is_told():
    found = decisions(absence(new=True), [Scene().look(0, at(0.3, track=7))])
    assert found[0].details == {"label": "part", "track": 7}


def test_a_lost_source_is_not_absence():
    s = Scene()
    assert told(absence(), s.look(0, "a"), s.lost(1), s.tick(9)) == [(0, "off"), (1, "unknown")]


def test_no_time_at_all_is_refused():
    with pytest.raises(InputError, match="^for_s: expected seconds, more than 0"):
        absence(for_s=0)
