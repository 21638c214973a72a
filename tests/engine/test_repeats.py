from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.engine.cascade import Clocked, Meant
from edgeinfer.engine.repeats import Again, Repeats, verdict
from edgeinfer.events import Detection, Frame, Score, Value
from edgeinfer.geometry import Box
from edgeinfer.meters import Meters
from tests.samples import at

BOX = Box(0.2, 0.2, 0.4, 0.4)
PIXELS = np.zeros((4, 4, 3), np.uint8)


def scratched(score, track=1, label="scratched"):
    return Detection(label, score, BOX, track)


class Asked:
    """A stage of three looks that is in doubt from 0.3 to 0.7."""

    def __init__(self, pictures=3, combine="mean", within_s=0.0):
        self.meters = Meters()
        again = Again(pictures, combine, round(within_s * 1e9))
        self.stage = Repeats("stage0", Meant(frozenset(), 0.3, 0.7), again, self.meters.count)
        self.n = 0

    def see(self, *findings, s=None, boot="test", source="cam"):
        self.n += 1
        frame = Frame((source, self.n), at(self.n / 10 if s is None else s, boot), PIXELS)
        return [(f.label, round(f.score, 4)) for f in self.stage.look(frame, findings, Clocked())]


def test_what_is_sure_passes_at_once():
    asked = Asked()
    assert asked.see(scratched(0.9)) == [("scratched", 0.9)]
    assert asked.see(scratched(0.1)) == [("scratched", 0.1)]
    assert not asked.stage.undecided


def test_what_is_in_doubt_is_held_back_until_so_many_pictures_agree_on_the_mean():
    asked = Asked()
    assert asked.see(scratched(0.5)) == []
    assert asked.stage.undecided
    assert asked.see(scratched(0.6)) == []
    assert asked.see(scratched(0.7)) == [("scratched", 0.6)]
    assert not asked.stage.undecided
    assert asked.meters.counters == {"stage0.asked": 1, "stage0.settled": 1}


def test_a_look_that_is_sure_counts_as_the_others_and_one_that_shows_nothing_counts_0():
    asked = Asked()
    asked.see(scratched(0.6))
    assert asked.see() == []
    assert asked.see(scratched(0.9)) == [("scratched", 0.5)]


def test_a_vote_is_won_by_the_label_of_most_looks():
    asked = Asked(combine="vote")
    asked.see(scratched(0.6))
    asked.see(scratched(0.9, label="good"))
    assert asked.see(scratched(0.5)) == [("scratched", round(2 / 3, 4))]


def test_once_settled_the_last_pictures_go_on_to_say_it_together():
    asked = Asked(pictures=2)
    asked.see(scratched(0.4))
    assert asked.see(scratched(0.6)) == [("scratched", 0.5)]
    assert asked.see(scratched(0.7)) == [("scratched", 0.65)]
    assert asked.see(scratched(0.95)) == [("scratched", 0.95)]
    assert asked.see(scratched(0.5)) == []


def test_each_track_is_a_question_of_its_own():
    asked = Asked(pictures=2)
    asked.see(scratched(0.4, 1), scratched(0.9, 2))
    assert asked.see(scratched(0.6, 1), scratched(0.5, 2)) == [("scratched", 0.5)]
    assert asked.see(scratched(0.6, 1), scratched(0.7, 2)) == [("scratched", 0.6), ("scratched", 0.6)]


def test_the_scores_of_a_classifier_are_one_question():
    asked = Asked(pictures=2)
    assert asked.see(Score("good", 0.55), Score("bad", 0.45)) == []
    assert asked.see(Score("good", 0.2), Score("bad", 0.8)) == [("bad", 0.625)]


def test_within_its_time_it_does_with_what_there_is():
    asked = Asked(pictures=5, within_s=0.5)
    asked.see(scratched(0.4), s=1.0)
    assert asked.see(scratched(0.6), s=1.2) == []
    assert asked.see(scratched(0.5), s=1.5) == [("scratched", 0.5)]
    assert asked.meters.counters["stage0.late"] == 1


def test_what_is_gone_when_it_would_be_settled_is_not_told_and_not_remembered():
    asked = Asked(pictures=2)
    asked.see(scratched(0.5))
    assert asked.see() == []
    assert not asked.stage.undecided
    assert asked.see(scratched(0.5)) == []


def test_what_is_hidden_for_a_picture_needs_no_second_verdict_and_is_forgotten_when_it_stays_away():
    asked = Asked(pictures=2)
    asked.see(scratched(0.5))
    assert asked.see(scratched(0.5)) == [("scratched", 0.5)]
    asked.see()
    assert asked.see(scratched(0.5)) == [("scratched", 0.25)]
    asked.see()
    asked.see()
    assert asked.see(scratched(0.5)) == []


def test_a_lost_source_or_another_boot_begins_anew():
    asked = Asked(pictures=2)
    asked.see(scratched(0.5))
    asked.stage.forget("cam")
    assert not asked.stage.undecided
    assert asked.see(scratched(0.5)) == []
    assert asked.see(scratched(0.5), boot="other") == []


def test_sources_do_not_answer_for_one_another():
    asked = Asked(pictures=2)
    assert asked.see(scratched(0.5)) == []
    assert asked.see(scratched(0.5), source="other") == []


def test_a_value_read_off_is_no_matter_of_doubt():
    asked = Asked()
    frame = Frame(("cam", 0), at(1), PIXELS)
    assert asked.stage.look(frame, [Value("bar", 0.5)], Clocked()) == [Value("bar", 0.5)]


@pytest.mark.parametrize("combine", ["mean", "vote"])
@given(looks=st.lists(st.dictionaries(st.sampled_from("abc"), st.floats(0, 1)), min_size=1).filter(any))
def test_a_verdict_is_a_label_that_was_seen_with_a_score_from_0_to_1(combine, looks):
    label, score = verdict(looks, combine)
    assert any(label in look for look in looks)
    assert 0 <= score <= 1 + 1e-9


SCORES = st.lists(st.lists(st.floats(0, 1), max_size=4), max_size=12)


@given(SCORES)
def test_at_most_one_finding_of_a_track_is_told_when_it_was_asked_again(pictures):
    asked = Asked()
    for scores in pictures:
        told = asked.see(*(scratched(score) for score in scores))
        assert len(told) <= len(scores)
        assert asked.stage.undecided <= (len(told) == 0)
