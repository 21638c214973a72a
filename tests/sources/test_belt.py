"""The belt's renderer: deterministic, random access, and its truth is what the picture shows."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st

from edgeinfer.sources.belt import BOLT_CIRCLE, LABELS, Belt, BeltSettings, Part

CLEAN = BeltSettings(seed=3, noise=0.0, blur_px=0.0, scratched=0.0, hole_missing=0.5, light_gradient=0.0)
BELT = Belt(BeltSettings(seed=5))


def whole_parts(belt, times):
    """(picture in grey, part, centre in pixels) of every part that is fully visible."""
    width, height = belt.settings.size_px
    for t_s in times:
        grey = cv2.cvtColor(belt.render(t_s), cv2.COLOR_BGR2GRAY)
        for part in belt.truth(t_s):
            if part.visible == 1.0:
                yield grey, part, (part.centre[0] * width, part.centre[1] * height)


def test_two_belts_of_the_same_settings_draw_the_same_picture():
    assert np.array_equal(Belt(BeltSettings(seed=5)).render(12.3), BELT.render(12.3))
    assert Belt(BeltSettings(seed=5)).truth(12.3) == BELT.truth(12.3)


def test_another_seed_is_another_belt():
    assert not np.array_equal(Belt(BeltSettings(seed=6)).render(12.3), BELT.render(12.3))


def test_random_access_equals_sequential_access_even_when_parts_were_forgotten():
    times = np.arange(0, 150, 3.7)  # about 100 parts: more than the sprites that are kept
    forwards = [BELT.render(t) for t in times]
    backwards = [BELT.render(t) for t in reversed(times)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards))


@pytest.mark.parametrize("size_px", [(480, 360), (640, 480), (320, 240), (333, 251)])
def test_the_picture_has_the_size_that_was_asked_for(size_px):
    picture = Belt(BeltSettings(size_px=size_px)).render(1.0)
    assert picture.shape == (size_px[1], size_px[0], 3)
    assert picture.dtype == np.uint8


def test_the_belt_is_never_empty_not_even_before_it_started():
    assert all(BELT.truth(t) for t in (-1000.0, 0.0, 1e6))


def test_a_part_keeps_its_number_and_label_and_moves_with_the_belt():
    before = {part.number: part for part in BELT.truth(20.0)}
    after = {part.number: part for part in BELT.truth(21.0)}
    both = before.keys() & after.keys()
    assert both
    for number in both:
        moved_px = (after[number].centre[0] - before[number].centre[0]) * 480
        assert moved_px == pytest.approx(BELT.settings.speed_px_s, abs=1e-6)
        assert after[number].centre[1] == before[number].centre[1]
        assert after[number].label == before[number].label == BELT.label(number)


def test_labels_come_in_the_shares_that_were_asked_for():
    belt = Belt(BeltSettings(scratched=0.2, hole_missing=0.3))
    labels = [belt.label(n) for n in range(-1000, 1000)]
    assert labels.count("scratched") / 2000 == pytest.approx(0.2, abs=0.03)
    assert labels.count("hole_missing") / 2000 == pytest.approx(0.3, abs=0.03)


def test_the_truth_lies_where_the_picture_is_brighter_than_an_empty_belt():
    belt, empty = Belt(replace(CLEAN, overlap=0.0)), Belt(replace(CLEAN, parts_per_minute=0.001))
    seen = 0
    for t_s in np.arange(10, 70, 6.5):
        assert not empty.truth(t_s)
        brighter = belt.render(t_s).astype(int).min(-1) - empty.render(t_s).min(-1) > 15
        for part in belt.truth(t_s):
            x0, y0, x1, y1 = (np.array(part.box) * (480, 360, 480, 360)).astype(int)
            y, x = np.nonzero(brighter[y0 : y1 + 1, x0 : x1 + 1])
            if part.visible == 1.0:
                off_px = x.mean() + x0 - part.centre[0] * 480, y.mean() + y0 - part.centre[1] * 360
                assert np.hypot(*off_px) < 3.0
                seen += 1
            brighter[y0 : y1 + 1, x0 : x1 + 1] = False
        assert not brighter.any()
    assert seen > 15


def test_the_label_is_what_the_picture_shows():
    belt, shown = Belt(CLEAN), set()
    for grey, part, centre in whole_parts(belt, np.arange(0, 60, 6.5)):
        angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        x = centre[0] + BOLT_CIRCLE * belt.radius_px * np.cos(angles)
        y = centre[1] + BOLT_CIRCLE * belt.radius_px * np.sin(angles)
        around = grey[np.round(y).astype(int), np.round(x).astype(int)]
        dark = around < np.median(around) / 2
        holes = np.count_nonzero(dark & ~np.roll(dark, 1))
        assert holes == (3 if part.label == "hole_missing" else 4)
        shown.add(part.label)
    assert shown == {"good", "hole_missing"}


def test_a_scratch_shows():
    """The same part with and without its scratch: the pictures differ there, and nowhere else."""
    with_scratches, without = (
        Belt(replace(CLEAN, scratched=1.0, hole_missing=0.0)),
        Belt(replace(CLEAN, hole_missing=0.0)),
    )
    for t_s in (1.0, 9.0):
        changed = np.abs(with_scratches.render(t_s).astype(int) - without.render(t_s)).max(-1) > 60
        for part in with_scratches.truth(t_s):
            x0, y0, x1, y1 = (np.array(part.box) * (480, 360, 480, 360)).astype(int)
            if part.visible == 1.0:
                assert np.count_nonzero(changed[y0 : y1 + 1, x0 : x1 + 1]) > 20
            changed[max(y0 - 1, 0) : y1 + 2, max(x0 - 1, 0) : x1 + 2] = False
        assert not changed.any()


def test_what_lies_below_or_outside_is_less_visible():
    belt = Belt(BeltSettings(seed=1, overlap=0.5))
    parts = [part for t_s in np.arange(0, 60, 5.0) for part in belt.truth(t_s)]
    below = [part for part in parts if part.inside == 1.0 and part.visible < 1.0]
    cut = [part for part in parts if part.inside < 1.0]
    assert below
    assert cut
    assert all(0.6 < part.visible for part in below)
    assert all(part.box[0] == 0.0 or part.box[2] == 1.0 for part in cut)


@given(
    t_s=st.floats(-1e5, 1e5),
    seed=st.integers(0, 2**31),
    overlap=st.floats(0, 0.5),
    per_minute=st.floats(5, 90),
)
@checks(max_examples=25, deadline=None)
def test_truth_is_in_range_at_any_time(t_s, seed, overlap, per_minute):
    belt = Belt(
        BeltSettings(
            seed=seed, overlap=overlap, parts_per_minute=per_minute, size_px=(160, 120), speed_px_s=40.0
        )
    )
    parts = belt.truth(t_s)
    assert belt.render(t_s).shape == (120, 160, 3)
    assert len({part.number for part in parts}) == len(parts)
    for part in parts:
        assert isinstance(part, Part)
        assert part.label in LABELS
        assert 0 <= part.visible <= part.inside <= 1
        x0, y0, x1, y1 = part.box
        assert 0 <= x0 <= x1 <= 1
        assert 0 <= y0 <= y1 <= 1
