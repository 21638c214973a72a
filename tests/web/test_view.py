"""What the tap of the page keeps, and how little of it while nobody watches."""

from __future__ import annotations

import numpy as np

from edgeinfer.events import Decision, Detection, Entry, Inference, Readings
from edgeinfer.taps import Account
from edgeinfer.web.view import View
from tests.samples import at, frame

BOX = Detection("good", 0.9, (0.1, 0.1, 0.5, 0.5), 7)


def inference(n, s=None):
    return Inference(("cam", n), at(n if s is None else s), (BOX,))


def entry(n=1):
    return Entry(n, f"id{n}", "test", "d", Decision("p", "r", "cam", "on", at(n), ("cam", n)))


def test_one_picture_is_held_while_nobody_watches():
    view = View()
    for n in range(5):
        view.tap("source.cam", frame(n))
    assert [f.key[1] for f in view._frames["cam"]] == [4]
    assert view.shown("cam")[0].key == ("cam", 4)


def test_who_watches_sees_the_picture_that_was_judged_with_what_is_in_it():
    view = View()
    with view.watching("cam"):
        for n in range(3):
            view.tap("source.cam", frame(n, s=n / 10))
        view.tap("pipeline.p", inference(1, 0.1))
        shown, findings = view.shown("cam")
        assert shown.key == ("cam", 1)
        assert findings == (BOX,)


def test_what_was_found_long_ago_is_not_drawn_into_a_new_picture():
    view = View()
    view.tap("source.cam", frame(1, s=1.0))
    view.tap("pipeline.p", inference(1, 1.0))
    view.tap("source.cam", frame(2, s=2.5))
    assert view.shown("cam")[1] == ()


def test_of_a_source_without_pictures_nothing_is_shown():
    assert View().shown("cam") is None


def block(s, *values):
    return Readings(("motor", 1), at(s), ("x", "y"), np.array([values]))


def test_readings_are_thinned_out_and_what_is_no_number_is_left_out():
    view = View()
    for tenth in range(11):
        view.tap("source.motor", block(tenth / 10, tenth, np.nan))
    assert [value for _, value in view.traces()["motor"]["x"]] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert "y" not in view.traces()["motor"]


def test_readings_are_told_once_to_who_says_what_he_has():
    view = View()
    view.tap("source.motor", block(0, 1.0, 2.0))
    since_ms = view.traces()["motor"]["x"][-1][0]
    view.tap("source.motor", block(1, 3.0, 4.0))
    assert [value for _, value in view.traces(since_ms)["motor"]["x"]] == [3.0]


def test_a_listener_hears_decisions_until_it_leaves():
    view = View()
    with view.listening() as listener:
        view.tap("pipeline.p", Account([entry()], [], {}))
        assert listener.get_nowait().id == "id1"
    view.publish(entry(2))
    assert listener.empty()


def test_a_listener_that_sleeps_holds_up_nobody():
    view = View()
    with view.listening() as asleep, view.listening() as awake:
        for n in range(200):
            view.publish(entry(n))
            assert awake.get_nowait().seq == n
        assert asleep.full()
