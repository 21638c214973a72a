from edgeinfer.runtime.window import Window


def test_what_was_sent_is_confirmed_after_the_time_that_it_must_hold():
    window = Window(10.0)
    window.sent(3, now_s=0.0)
    window.sent(5, now_s=4.0)
    assert window.confirmed(9.9) == 0
    assert window.confirmed(10.0) == 3
    assert window.confirmed(20.0) == 5
    assert window.confirmed(99.0) == 0


def test_without_a_time_to_hold_it_is_confirmed_at_once():
    window = Window(0.0)
    window.sent(3, now_s=7.0)
    assert window.confirmed(7.0) == 3


def test_reading_goes_on_behind_what_was_sent():
    window = Window(10.0)
    assert window.at(2) == 2
    window.sent(5, now_s=0.0)
    assert window.at(2) == 5


def test_a_lost_connection_confirms_nothing_more():
    window = Window(10.0)
    window.sent(5, now_s=0.0)
    window.forget()
    assert window.confirmed(99.0) == 0
    assert window.at(2) == 2


def test_an_acknowledgement_confirms_all_that_was_sent_before_it():
    window = Window(10.0)
    window.sent(3, now_s=0.0)
    window.sent(5, now_s=1.0)
    assert window.acknowledged() == 5
    assert window.acknowledged() == 0
