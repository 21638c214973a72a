import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.sources.pixels import RAW_FORMATS, RawPicture, Shape, unturned

PICTURE = np.arange(40 * 60 * 3, dtype=np.uint32).reshape(40, 60, 3).astype(np.uint8)


def test_a_picture_that_needs_nothing_is_not_copied():
    assert Shape()(PICTURE) is PICTURE


@pytest.mark.parametrize(("rotate", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_rotate_turns_clockwise(rotate, turns):
    assert np.array_equal(Shape(rotate=rotate)(PICTURE), np.rot90(PICTURE, turns))


def test_roi_cuts_without_a_copy():
    cut = Shape(roi=(0.5, 0.25, 1.0, 1.0))(PICTURE)
    assert np.array_equal(cut, PICTURE[10:, 30:])
    assert np.shares_memory(cut, PICTURE)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_roi_is_a_piece_of_the_turned_picture(rotate):
    roi = (0.25, 0.5, 0.75, 1.0)
    whole = Shape(rotate=rotate)(PICTURE)
    height, width = whole.shape[:2]
    expected = whole[height // 2 :, width // 4 : 3 * width // 4]
    assert np.array_equal(Shape(rotate=rotate, roi=roi)(PICTURE), expected)


@given(st.sampled_from([0, 90, 180, 270]), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_turning_a_region_four_quarters_gives_it_back(rotate, corners):
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    region = (x0, y0, x1, y1)
    back = {0: 0, 90: 270, 180: 180, 270: 90}[rotate]
    assert unturned(unturned(region, rotate), back) == pytest.approx(region)


@pytest.mark.parametrize("roi", [(0.0, 0.0, 0.001, 0.001), (0.999, 0.999, 1.0, 1.0)])
def test_the_smallest_roi_still_holds_a_pixel(roi):
    assert Shape(roi=roi)(PICTURE).shape == (1, 1, 3)


def test_size_scales_the_whole_picture_first():
    assert Shape(size=(30, 20), rotate=90, roi=(0.0, 0.0, 1.0, 0.5))(PICTURE).shape == (15, 20, 3)


def test_grey_pictures_pass_too():
    assert Shape(size=(30, 20), rotate=90)(PICTURE[..., 0]).shape == (30, 20)


@pytest.mark.parametrize("pixel_format", RAW_FORMATS)
def test_a_raw_array_has_exactly_the_bytes_of_a_picture(pixel_format):
    raw = RawPicture((64, 48), pixel_format)
    assert np.prod(raw.shape()) == raw.bytes


def raw_of(bgr: np.ndarray, pixel_format: str) -> np.ndarray:
    """As a camera would send it; by OpenCV's forward conversions and our own interleaving for NV12."""
    height, width = bgr.shape[:2]
    if pixel_format in {"yuv420", "nv12"}:
        i420 = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
        if pixel_format == "yuv420":
            return i420
        luma, chroma = i420[:height], i420[height:].reshape(2, -1)
        return np.concatenate([luma.ravel(), chroma.T.ravel()]).reshape(height * 3 // 2, width)
    if pixel_format == "yuyv422":
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_YUY2)
    return {"bgr24": bgr, "rgb24": bgr[..., ::-1], "gray8": bgr[..., 0]}[pixel_format]


@pytest.mark.parametrize("pixel_format", RAW_FORMATS)
def test_each_raw_format_becomes_the_picture_that_it_was(pixel_format):
    bgr = np.zeros((16, 32, 3), np.uint8)
    bgr[:8], bgr[8:] = (40, 80, 200), (90, 90, 90)
    raw = RawPicture((32, 16), pixel_format)
    found = raw.converter()(np.ascontiguousarray(raw_of(bgr, pixel_format)))
    expected = bgr[..., 0] if pixel_format == "gray8" else bgr
    assert np.abs(found.astype(int) - expected).max() <= 6  # rounding of YUV in eight bits


@pytest.mark.parametrize(
    ("size", "pixel_format"), [((33, 16), "yuv420"), ((32, 15), "nv12"), ((33, 16), "yuyv422")]
)
def test_odd_sides_that_a_format_cannot_have_are_refused(size, pixel_format):
    with pytest.raises(InputError, match="needs an even width"):
        RawPicture(size, pixel_format)
