import cv2
import numpy as np
import pytest

from edgeinfer.app.snapshots import Snapshots
from edgeinfer.commands.table import Snapshot
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.events import Frame, Tick
from edgeinfer.testing.clock import FakeClock

NOISE = np.random.default_rng(7).integers(0, 256, (480, 640, 3), np.uint8)


@pytest.fixture
def snapshots():
    made, at = Snapshots(), FakeClock().now()
    made.tap("source.belt", Frame(("belt", 0), at, np.zeros_like(NOISE)))
    made.tap("source.belt", Frame(("belt", 1), at, NOISE))
    made.tap("source.belt", Tick(("belt", 2), at))
    made.tap("source.grey", Frame(("grey", 0), at, NOISE[:, :, 0]))
    return made


def decoded(picture):
    return cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_UNCHANGED)


def test_it_is_the_newest_picture(snapshots):
    picture = snapshots.take(Snapshot("belt", 2_000_000))
    assert (picture.width_px, picture.height_px) == (640, 480)
    assert decoded(picture).shape == (480, 640, 3)
    assert abs(float(decoded(picture).mean()) - float(NOISE.mean())) < 5


@pytest.mark.parametrize("max_bytes", [2_000, 20_000, 200_000])
def test_it_becomes_smaller_until_it_fits(snapshots, max_bytes):
    picture = snapshots.take(Snapshot("belt", max_bytes))
    assert len(picture.jpeg) <= max_bytes
    assert decoded(picture).shape[:2] == (picture.height_px, picture.width_px)


def test_grey_pictures_stay_grey(snapshots):
    assert decoded(snapshots.take(Snapshot("grey"))).ndim == 2


def test_a_source_without_pictures_is_told_with_those_that_have_some(snapshots):
    with pytest.raises(EdgeinferError, match=r"did you mean 'belt'.*belt, grey"):
        snapshots.take(Snapshot("bell"))


def test_a_bound_without_sense_is_refused(snapshots):
    with pytest.raises(InputError, match="max_bytes"):
        snapshots.take(Snapshot("belt", 10))


def test_a_source_that_left_the_config_shows_nothing_any_more(snapshots):
    snapshots.forget(frozenset({"source.grey"}))
    with pytest.raises(EdgeinferError, match="there are pictures of: grey"):
        snapshots.take(Snapshot("belt"))
