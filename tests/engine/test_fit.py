"""Pictures into the input tensor."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.engine.fit import GREY, Fit
from edgeinfer.errors import BundleError, InputError
from edgeinfer.geometry import Box
from edgeinfer.store import InputOptions
from edgeinfer.tensors import TensorSpec

SIZES = st.tuples(st.integers(1, 300), st.integers(1, 300))


def spec(shape=(1, 30, 40, 3), dtype="uint8", scale=1 / 255, zero_point=0) -> TensorSpec:
    return TensorSpec("picture", shape, dtype, scale, zero_point, 0)


def options(fit="stretch", **others) -> InputOptions:
    return InputOptions(**({"fit": fit, "std": 255.0} | others))


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, *channels), np.uint8)


def by_the_book(pixels: np.ndarray, tensor: TensorSpec, how: InputOptions) -> np.ndarray:
    """Stretch in float, as a textbook would: resize, swap, normalise, divide, round, saturate."""
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    nchw = how.layout == "NCHW"
    height, width = tensor.shape[2:4] if nchw else tensor.shape[1:3]
    small = cv2.resize(pixels, (width, height))
    small = small if how.colour == "BGR" else cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    if how.colour == "GRAY":
        small = cv2.cvtColor(cv2.resize(pixels, (width, height)), cv2.COLOR_BGR2GRAY)[..., None]
    real = (small.astype(np.float64) - how.mean) / how.std
    real = real.transpose(2, 0, 1) if nchw else real
    if not tensor.quantized:
        return real[None].astype(tensor.dtype)
    limits = np.iinfo(tensor.dtype)
    return np.clip(real / tensor.scale + tensor.zero_point, limits.min, limits.max)[None]


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("colour", ["RGB", "BGR", "GRAY"])
@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [("uint8", 1 / 255, 0), ("uint8", 1 / 127.5, 127), ("int8", 1 / 255, -128), ("int8", 0.021, -9)]
    + [("int16", 1e-4, 0), ("float32", 0.0, 0)],
)
@pytest.mark.parametrize(
    ("mean", "std"), [(0.0, 255.0), (127.5, 127.5), ((10.0, 20.0, 30.0), (60.0, 61.0, 62.0))]
)
def test_every_kind_of_tensor_holds_what_the_textbook_says(
    layout, colour, dtype, scale, zero_point, mean, std
) -> None:
    channels = 1 if colour == "GRAY" else 3
    shape = (1, 30, 40, channels) if layout == "NHWC" else (1, channels, 30, 40)
    if channels == 1 and isinstance(mean, tuple):
        mean, std = mean[:1], std[:1]
    tensor, how = (
        spec(shape, dtype, scale, zero_point),
        options(layout=layout, colour=colour, mean=mean, std=std),
    )
    pixels = noise(70, 90, 3)
    made, _ = Fit(tensor, how)(pixels)
    assert (made.shape, made.dtype) == (shape, dtype)
    worst = np.abs(made - by_the_book(pixels, tensor, how)).max()
    assert worst <= (0.501 if tensor.quantized else 1e-5)


@pytest.mark.parametrize("colour", ["RGB", "GRAY"])
def test_a_grey_picture_is_taken(colour) -> None:
    channels = 1 if colour == "GRAY" else 3
    made, _ = Fit(spec((1, 30, 40, channels)), options(colour=colour))(noise(60, 80))
    assert (made[0] == cv2.resize(noise(60, 80), (40, 30))[..., None]).all()


def test_the_tensor_is_made_once_and_written_in_place() -> None:
    fit = Fit(spec(), options())
    first, _ = fit(noise(60, 80, 3))
    second, _ = fit(noise(20, 30, 3))
    assert first is second


def test_the_picture_itself_is_never_written_to() -> None:
    pixels = noise(30, 40, 3)
    pixels.flags.writeable = False
    for how in ("stretch", "letterbox", "crop"):
        Fit(spec(dtype="int8", zero_point=-128), options(how))(pixels)
    assert (pixels == noise(30, 40, 3)).all()


def test_letterbox_bars_are_grey_and_stay_grey_while_pictures_and_sizes_change() -> None:
    fit = Fit(spec((1, 40, 40, 3), "int8", 1 / 255, -128), options("letterbox"))
    for height, width in ((20, 40), (20, 40), (40, 20), (20, 40)):
        made, _ = fit(np.full((height, width, 3), 255, np.uint8))
        bars = made[0, :10] if width > height else made[0, :, :10]
        inside = made[0, 10:30] if width > height else made[0, :, 10:30]
        assert (bars == GREY - 128).all()
        assert (inside == 127).all()


@pytest.mark.parametrize("how", ["letterbox", "crop", "stretch"])
@settings(deadline=None, max_examples=60)
@given(size=SIZES)
def test_the_middle_stays_the_middle_and_the_way_back_is_the_inverse(how, size) -> None:
    """To within half a pixel, of the picture (crop) or of the tensor (letterbox)."""
    height, width = size
    _, back = Fit(spec(), options(how))(noise(height, width, 3))
    x, y = back.point((0.5, 0.5))
    u, v = back.inverse().point((0.5, 0.5))
    assert min(abs(x - 0.5) * width, abs(u - 0.5) * 40) <= 0.501
    assert min(abs(y - 0.5) * height, abs(v - 0.5) * 30) <= 0.501
    assert back.box(back.inverse().box(Box(0.2, 0.3, 0.6, 0.7))) == pytest.approx((0.2, 0.3, 0.6, 0.7))


@pytest.mark.parametrize("how", ["letterbox", "crop", "stretch"])
def test_a_white_block_comes_back_to_its_own_place(how) -> None:
    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[96:144, 128:192] = 255
    made, back = Fit(spec((1, 100, 100, 3)), options(how))(pixels)
    rows, columns = np.nonzero(made[0, ..., 0] > 200)
    found = Box(columns.min() / 100, rows.min() / 100, (columns.max() + 1) / 100, (rows.max() + 1) / 100)
    assert back.box(found) == pytest.approx((0.4, 0.4, 0.6, 0.6), abs=0.015)


def test_letterbox_keeps_the_aspect_ratio() -> None:
    _, back = Fit(spec((1, 40, 40, 3)), options("letterbox"))(noise(20, 80, 3))
    assert (back.sx, back.sy) == (1.0, 4.0)


def test_crop_takes_the_middle() -> None:
    pixels = np.zeros((20, 80, 3), np.uint8)
    pixels[:, 30:50] = 255
    made, back = Fit(spec((1, 20, 20, 3)), options("crop"))(pixels)
    assert (made == 255).all()
    assert back.box(Box(0, 0, 1, 1)) == Box(0.375, 0, 0.625, 1)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 5, 3)),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros(5, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels) -> None:
    with pytest.raises(InputError, match="expected a picture of uint8"):
        Fit(spec(), options())(pixels)


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        ((1, 3, 30, 40), {"layout": "NHWC"}),
        ((1, 30, 40, 3), {"layout": "NCHW"}),
        ((1, 30, 40, 3), {"colour": "GRAY"}),
        ((1, 10), {}),
        ((1, -1, -1, 3), {}),
        ((2, 30, 40, 3), {}),
        ((), {}),
    ],
)
def test_a_tensor_that_is_not_what_the_manifest_says_is_refused(shape, how) -> None:
    with pytest.raises(BundleError, match=r"input\.layout: .* has the shape"):
        Fit(spec(shape), options(**how))


def test_an_input_of_any_size_is_refused() -> None:
    with pytest.raises(BundleError, match=r"input\.name: expected an input of a fixed height and width"):
        Fit(spec((1, 1, 1, 3)), options())
