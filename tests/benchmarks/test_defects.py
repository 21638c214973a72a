"""The yardstick itself: what the benchmark of defects counts as right, missed and false."""

from __future__ import annotations

from benchmarks.defects import TRACK, Verdicts, Watch, show
from edgeinfer.engine.cascade import Cascade, Chain
from edgeinfer.events import Detection, Frame, Inference
from edgeinfer.geometry import Box
from edgeinfer.meters import Meters
from edgeinfer.sources.belt import Belt, BeltSettings
from edgeinfer.tracking.identities import Identities

TRUE = {1: "good", 2: "scratched", 3: "hole_missing", 4: "good"}


def test_all_right_is_one():
    assert Verdicts(dict(TRUE), dict(TRUE)).f1() == 1.0


def test_a_missed_defect_a_false_one_and_one_of_the_wrong_kind_cost():
    assert Verdicts(TRUE | {2: "good"}, TRUE).f1() == 2 / 3
    assert Verdicts(TRUE | {1: "scratched"}, TRUE).f1() == 4 / 5
    assert Verdicts(TRUE | {2: "hole_missing"}, TRUE).f1() == 2 / 4
    assert Verdicts(dict(TRUE), TRUE, nobody=["scratched"]).f1() == 4 / 5


def test_parts_that_lie_under_others_are_left_out_where_that_is_asked_for():
    verdicts = Verdicts(TRUE | {2: "good"}, TRUE, hidden={2})
    assert verdicts.f1(whole=True) == 1.0
    assert verdicts.f1() < 1.0


def test_parts_of_two_belts_are_different_parts():
    both = Verdicts(dict(TRUE), dict(TRUE), count=4) + Verdicts({1: "good"}, {1: "scratched"}, count=1)
    assert len(both.true) == both.count == 5
    assert both.f1() == 4 / 5


class Truth:
    """Finds what is true, as far as it is wholly seen; calls part `wrong` good."""

    identity, runtime, warning = "truth@sha256:0", "truth", ""

    def __init__(self, belt, wrong=None):
        self._belt, self._wrong = belt, wrong

    def predict(self, frame: Frame) -> Inference:
        found = [
            Detection("good" if part.number == self._wrong else part.label, 0.9, Box(*part.box))
            for part in self._belt.truth(frame.key[1] / 10)
            if part.visible >= 0.99
        ]
        return Inference(frame.key, frame.at, tuple(found))

    def forget(self, source):
        """Remembers nothing."""

    def close(self):
        """Holds nothing."""


def judged(wrong=None):
    belt = Belt(
        BeltSettings(
            seed=5, overlap=0.0, scratched=0.4, hole_missing=0.3, size_px=(160, 120), speed_px_s=40.0
        )
    )
    chain = Chain({"truth": Truth(belt, wrong)}, [], 0, Identities(TRACK))
    watch = Watch(belt, Cascade(chain, Meters().count))
    show(belt, [watch], 0.5)
    return watch.verdicts


def test_who_says_the_truth_has_an_f1_of_one_and_who_is_wrong_once_has_less():
    right = judged()
    assert len(right.true) > 5
    assert right.f1() == 1.0
    assert right.miscounted == 0
    assert right.nobody == []
    defect = next(number for number, label in right.true.items() if label != "good")
    assert judged(defect).f1() < 1.0
