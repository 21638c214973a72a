import cv2
import numpy as np
import pytest

from edgeinfer.events import Detection, Frame, Score
from edgeinfer.geometry import Box
from edgeinfer.recording import compressed
from edgeinfer.runtime.thumbnail import MAX_BYTES, thumbnail
from tests.samples import at

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (576, 768, 3), (480, 640), (20, 30, 3)])
def test_it_is_a_jpeg_of_at_most_10_kb_even_of_noise(shape):
    frame = Frame(("cam", 0), at(), RNG.integers(0, 255, shape, np.uint8))
    data = thumbnail(
        compressed(frame, "jpg"), [Detection("x", 0.9, Box(0.1, 0.1, 0.9, 0.9)), Score("x", 0.9)]
    )
    assert len(data) <= MAX_BYTES
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert small.shape[1] <= min(320, shape[1])
    assert small.shape[1] / small.shape[0] == pytest.approx(shape[1] / shape[0], rel=0.05)


def test_what_was_found_is_drawn():
    grey = compressed(Frame(("cam", 0), at(), np.full((240, 320, 3), 128, np.uint8)), "jpg")
    box = Detection("x", 0.9, Box(0.25, 0.25, 0.75, 0.75))
    small = cv2.imdecode(np.frombuffer(thumbnail(grey, [box]), np.uint8), cv2.IMREAD_COLOR)
    blue, _, red = (int(v) for v in small[60, 160])
    assert red - blue > 60
    assert abs(int(small[120, 160, 0]) - 128) < 10
