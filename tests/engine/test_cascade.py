from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.engine.cascade import Cascade, Chain, Meant, WholePicture
from edgeinfer.engine.crops import Crops, Cut, crop
from edgeinfer.events import Detection, Frame, Inference, Region, Score, Value
from edgeinfer.geometry import Box
from edgeinfer.meters import Meters
from edgeinfer.testing.engine import FakePredictor
from edgeinfer.tracking.identities import Identities
from edgeinfer.tracking.tracker import TrackOptions
from tests.samples import at

BOX = Box(0.25, 0.25, 0.5, 0.75)


def frame(n=0):
    return Frame(("cam", n), at(n / 10), np.full((40, 80, 3), n, np.uint8))


def part(score=0.9, label="part", box=BOX):
    return Detection(label, score, box)


class Seen(FakePredictor):
    """Keeps the pictures that it is shown."""

    def __init__(self, *script, identity="second@sha256:1"):
        super().__init__(script, identity)
        self.pictures = []

    def predict(self, frame):
        self.pictures.append(frame.pixels.shape)
        return super().predict(frame)


def gated(first, second, meant=Meant(above=0.3)):
    meters = Meters()
    models = {"small": FakePredictor(first, "small@sha256:0"), "large": second}
    cascade = Cascade(Chain(models, [WholePicture("large", meant, second, meters.count)], 1), meters.count)
    return cascade, meters


def test_a_gate_that_sees_nothing_saves_the_larger_model_and_one_that_does_asks_it():
    large = Seen([part(0.8, "scratched")])
    cascade, meters = gated([[part(0.1)], [part(0.4)]], large)
    assert cascade.predict(frame(0)).findings == (part(0.1),)
    assert cascade.predict(frame(1)).findings == (part(0.8, "scratched"),)
    assert large.frames == 1
    assert meters.counters == {"small.asked": 2, "large.saved": 1, "large.asked": 1}


def test_only_what_is_in_doubt_is_asked_of_the_larger_model():
    large = Seen([part(0.95)])
    cascade, meters = gated([[part(0.9)], [part(0.5)], [part(0.2)]], large, Meant(above=0.3, below=0.7))
    scores = [cascade.predict(frame(n)).findings[0].score for n in range(3)]
    assert scores == [0.9, 0.95, 0.2]
    assert meters.counters["large.asked"] == 1


def test_labels_say_which_findings_are_meant_and_a_value_never_is():
    meant = Meant(frozenset({"part"}), 0.3, 0.7)
    assert part(0.5) in meant
    assert part(0.5, "stain") not in meant
    assert Value("part", 0.5) not in meant


def test_the_time_of_each_model_stands_by_itself_and_all_together_in_the_usual_stages():
    cascade, _ = gated([[part(0.9)]], Seen([part()]))
    timings = cascade.predict(frame()).timings
    assert {"prepare", "invoke", "decode", "small.invoke", "large.invoke"} == set(timings)
    cascade, _ = gated([[]], Seen([part()]))
    assert "large.invoke" not in cascade.predict(frame()).timings


def test_a_cascade_says_what_all_its_models_are_and_closes_and_forgets_all():
    large = Seen([part()])
    cascade, _ = gated([[]], large)
    assert cascade.identity == "small@sha256:0+second@sha256:1"
    assert (cascade.runtime, cascade.warning) == ("fake", "")
    large.warning = "slow"
    assert cascade.warning == "large: slow"
    cascade.forget("cam")
    cascade.close()
    assert large.closed
    assert large.forgotten == ["cam"]


def cropped(findings, second, cut=Cut(pad=0.0), meant=Meant(), track=False):
    meters = Meters()
    models = {"finder": FakePredictor(findings), "reader": second}
    stages = [Crops("reader", meant, second, cut, meters.count)]
    identify = Identities(TrackOptions(hits=1)) if track else None
    return Cascade(Chain(models, stages, 0, identify), meters.count), meters


def test_a_second_model_sees_the_crop_and_its_label_becomes_that_of_the_part():
    second = Seen([Score("scratched", 0.7), Score("good", 0.2)])
    cascade, meters = cropped([[part()]], second)
    assert cascade.predict(frame()).findings == (Detection("scratched", 0.7, BOX),)
    assert second.pictures == [(20, 20, 3)]
    assert meters.counters["reader.asked"] == 1


def test_a_gauge_is_read_from_its_crop_and_the_value_has_the_track_of_the_gauge():
    cascade, _ = cropped([[part(label="gauge")]], Seen([Value("pressure", 4.2, "bar")]), track=True)
    found = cascade.predict(frame()).findings
    assert found == (Detection("gauge", 0.9, BOX, 1), Value("pressure", 4.2, "bar", 1))


def test_what_is_found_in_a_crop_is_told_in_coordinates_of_the_picture():
    second = Seen([part(0.6, "crack", Box(0.5, 0.0, 1.0, 0.5))])
    cascade, _ = cropped([[part()]], second)
    assert cascade.predict(frame()).findings[1].box == pytest.approx((0.375, 0.25, 0.5, 0.5))


def test_at_most_so_many_crops_of_a_picture_those_of_the_highest_scores():
    second = Seen([Score("x", 1.0)])
    parts = [part(s, box=Box(s / 2, 0, s / 2 + 0.1, 0.5)) for s in (0.3, 0.9, 0.6)]
    cascade, meters = cropped([parts], second, Cut(0.0, 2))
    assert [f.label for f in cascade.predict(frame()).findings] == ["part", "x", "x"]
    assert meters.counters["reader.over"] == 1


def test_a_crop_of_nothing_and_a_finding_without_a_place_stay_as_they_are():
    second = Seen([Score("x", 1.0)])
    flat = part(box=Box(0.5, 0.5, 0.5, 0.5))
    edge = part(box=Box(1.0, 1.0, 1.2, 1.2))
    cascade, meters = cropped([[flat, edge, Score("hot", 0.9)]], second)
    assert cascade.predict(frame()).findings == (flat, edge, Score("hot", 0.9))
    assert second.frames == 0
    assert "reader.asked" not in meters.counters


def test_a_region_is_cropped_by_the_box_around_it():
    second = Seen([Score("weld", 0.8)])
    outline = ((0.25, 0.25), (0.5, 0.25), (0.5, 0.75))
    cascade, _ = cropped([[Region("seam", 0.9, outline)]], second)
    assert cascade.predict(frame()).findings == (Region("weld", 0.8, outline),)
    assert second.pictures == [(20, 20, 3)]


def test_a_padded_crop_ends_at_the_edge_of_the_picture_and_maps_back_to_it():
    made = crop(frame(), Box(0.0, 0.5, 0.5, 1.0), 0.5)
    assert made is not None
    small, back = made
    assert small.pixels.shape == (30, 60, 3)
    assert back.box(Box(0, 0, 1, 1)) == (0.0, 0.25, 0.75, 1.0)


def test_grey_pictures_are_cropped_as_well():
    grey = Frame(("cam", 0), at(0), np.zeros((40, 80), np.uint8))
    made = crop(grey, BOX, 0.0)
    assert made is not None
    assert made[0].pixels.shape == (20, 20)


def test_identities_are_those_of_what_the_last_model_found_in_the_whole_picture():
    large = Seen([part(0.9, "good", Box(0.5, 0.5, 0.7, 0.9))])
    meters = Meters()
    models = {"small": FakePredictor([[part(0.9)]]), "large": large}
    chain = Chain(
        models,
        [WholePicture("large", Meant(), large, meters.count)],
        1,
        Identities(TrackOptions(hits=1)),
    )
    found = Cascade(chain, meters.count).predict(frame())
    assert isinstance(found, Inference)
    assert [(f.label, f.track) for f in found.findings] == [("good", 1)]
