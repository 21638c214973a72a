"""Where boxes are expected."""

import numpy as np
import pytest

from edgeinfer.tracking.motion import Motion


def textbook(boxes_at, steps_s):
    """The usual filter of two states in matrices, for x alone: what the four filters must come to."""
    size = 0.1
    mean, cov = np.array([boxes_at[0], 0.0]), np.diag([(size / 20) ** 2, (3 * size) ** 2])
    q = (30**1.5 / 160) ** 2 * size**2
    for dt, seen in zip(steps_s, boxes_at[1:]):
        step = np.array([[1, dt], [0, 1]])
        mean, cov = step @ mean, step @ cov @ step.T + q * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        gain = cov[:, 0] / (cov[0, 0] + (size / 20) ** 2)
        mean, cov = mean + gain * (seen - mean[0]), cov - np.outer(gain, cov[0])
    return mean[0]


def box(x, size=0.1):
    return np.array([[x - size / 2, 0.5 - size / 2, x + size / 2, 0.5 + size / 2]])


def test_it_is_the_kalman_filter_of_the_textbook():
    places, steps = [0.1, 0.13, 0.15, 0.2, 0.22], [0.1, 0.05, 0.2, 0.1]
    motion = Motion()
    motion.add(box(places[0]))
    for dt, x in zip(steps, places[1:]):
        motion.predict(dt)
        motion.correct(np.array([0]), box(x))
    assert motion.centres[0, 0] == pytest.approx(textbook(places, steps), abs=1e-12)


def test_what_moves_evenly_is_expected_where_it_will_be_however_the_pictures_are_spaced():
    motion, speed, x = Motion(), 0.3, 0.1
    motion.add(box(x))
    for dt in (0.03, 0.1, 0.05, 0.2, 0.03, 0.1):
        x += speed * dt
        motion.predict(dt)
        motion.correct(np.array([0]), box(x))
    motion.predict(0.5)
    assert motion.centres[0, 0] == pytest.approx(x + 0.15, abs=0.01)


def test_tracks_do_not_influence_one_another():
    alone, together = Motion(), Motion()
    alone.add(box(0.2))
    together.add(np.vstack([box(0.2), box(0.7, 0.3)]))
    for motion in (alone, together):
        motion.predict(0.1)
        motion.correct(np.array([0]), box(0.25))
    together.correct(np.array([1]), box(0.6, 0.3))
    assert together.boxes[0].tolist() == alone.boxes[0].tolist()


def test_a_box_that_nobody_sees_does_not_go_on_to_grow():
    motion = Motion()
    motion.add(box(0.5))
    motion.predict(0.1)
    motion.correct(np.array([0]), box(0.5, 0.2))
    motion.hold_size(np.array([0]))
    before = motion.boxes
    motion.predict(1.0)
    assert motion.boxes == pytest.approx(before)


def test_a_box_without_an_extent_stays_one():
    motion = Motion()
    motion.add(np.array([[0.5, 0.5, 0.5, 0.5]]))
    motion.predict(0.1)
    motion.correct(np.array([0]), np.array([[0.5, 0.5, 0.5, 0.5]]))
    assert np.isfinite(motion.boxes).all()
