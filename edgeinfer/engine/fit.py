"""Pictures into a model's input tensor: geometry, colour, layout and quantization in place; infers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.engine.quantum import Quantum
from edgeinfer.errors import BundleError, InputError
from edgeinfer.geometry import IDENTITY, Affine
from edgeinfer.store import InputOptions
from edgeinfer.tensors import TensorSpec

Picture = NDArray[np.uint8]
Array = NDArray[Any]

GREY = 114
"""What fills the bars of a letterbox: the grey of the YOLO family's training code (Ultralytics, `LetterBox`)."""


class Fit:
    """Carries pictures of any size into one preallocated tensor of `spec`.

    `fit(pixels)` takes (H, W, 3) BGR or (H, W) grey, uint8, and gives the tensor, (1, h, w, c) or (1, c, h, w),
    and the map from the model's normalised coordinates back to the picture's. The tensor is overwritten by
    the next call.
    """

    def __init__(self, spec: TensorSpec, options: InputOptions) -> None:
        """Raises BundleError when `spec` is no picture of the manifest's layout and colour."""
        cv2.setNumThreads(1)  # its pool spins on cores that models and decoders need, and saves 0.05 ms
        height, width, self._channels = _picture_shape(spec, options)
        self._options, self._size = options, (width, height)
        self._canvas = _canvas(height, width, self._channels)
        quantum = Quantum(spec, options, self._channels)
        self._tensor = quantum.tensor
        self._finish: Callable[[Picture], None] = quantum.bind(self._canvas)
        if quantum.is_identity:  # the canvas is the tensor: nothing is left to do
            self._canvas = quantum.tensor.reshape(self._canvas.shape)
        self._shape: tuple[int, ...] = ()
        self._place = _Placement((0, 0, 0, 0), (0, 0, width, height), IDENTITY)
        self._view = self._small = self._canvas

    def __call__(self, pixels: Array) -> tuple[Array, Affine]:
        if pixels.shape != self._shape:
            self._aim(pixels)
        x, y, width, height = self._place.source
        self._draw(pixels[y : y + height, x : x + width])
        self._finish(self._canvas)
        return self._tensor, self._place.back

    def _aim(self, pixels: Array) -> None:
        """The geometry of a new picture size; the bars are painted here and stay."""
        if (
            pixels.dtype != np.uint8
            or pixels.ndim not in {2, 3}
            or 0 in pixels.shape
            or pixels.shape[2:] not in {(), (3,)}
        ):
            found = f"{pixels.dtype} of shape {pixels.shape}"
            raise InputError(
                f"expected a picture of uint8, (height, width, 3) BGR or (height, width) grey; found {found}"
            )
        self._place = _PLACE[self._options.fit](pixels.shape[1], pixels.shape[0], *self._size)
        x, y, width, height = self._place.target
        self._canvas[...] = GREY
        self._view = self._canvas[y : y + height, x : x + width]
        self._small = np.empty(
            (height, width, *pixels.shape[2:]), np.uint8
        )  # on its way from grey or to grey
        self._shape = pixels.shape

    def _draw(self, picture: Array) -> None:
        """`picture` onto its place in the canvas, in the model's colours."""
        grey_in, grey_out = picture.ndim == 2, self._channels == 1
        if grey_in == grey_out:
            _resize(picture, self._view)
            if not grey_out and self._options.colour == "RGB":
                _convert(self._view, cv2.COLOR_BGR2RGB, self._view)
            return
        _resize(picture, self._small)
        _convert(self._small, cv2.COLOR_GRAY2BGR if grey_in else cv2.COLOR_BGR2GRAY, self._view)


def _picture_shape(spec: TensorSpec, options: InputOptions) -> tuple[int, int, int]:
    """(height, width, channels) of the input tensor."""
    wanted = 1 if options.colour == "GRAY" else 3
    shape = (
        spec.shape
        if options.layout == "NHWC"
        else tuple(spec.shape[i] for i in (0, 2, 3, 1) if i < len(spec.shape))
    )
    if len(spec.shape) != 4 or shape[0] != 1 or shape[3] != wanted or min(shape) < 1:
        letters = (
            "(1, height, width, channels)" if options.layout == "NHWC" else "(1, channels, height, width)"
        )
        text = f"input.layout: {options.layout} with colour {options.colour} means {letters} with {wanted} channel(s)"
        raise BundleError(f"{text}; the model's input {spec.name!r} has the shape {spec.shape}")
    if min(shape[1:3]) <= 1:  # the runtime tells 1 where the file leaves a side open
        text = "expected an input of a fixed height and width, and this one is of any (a dynamic shape)"
        raise BundleError(f"input.name: {text}: {spec.name!r} has {spec.shape}; export it for one size")
    return shape[1], shape[2], shape[3]


def _canvas(height: int, width: int, channels: int) -> Picture:
    return np.full((height, width, 3) if channels == 3 else (height, width), GREY, np.uint8)


def _resize(picture: Array, into: Array) -> None:
    """OpenCV writes into `into` itself where its layout allows (OpenCV 4 and 5 do); else its copy is copied."""
    size = (into.shape[1], into.shape[0])
    out = cv2.resize(picture, size, dst=into, interpolation=cv2.INTER_LINEAR)
    if out is not into:
        into[...] = out


def _convert(picture: Array, code: int, into: Array) -> None:
    out = cv2.cvtColor(picture, code, dst=into)
    if out is not into:
        into[...] = out


class _Placement(NamedTuple):
    """Which part of the picture (x, y, w, h) fills which part of the canvas, and the way back."""

    source: tuple[int, int, int, int]
    target: tuple[int, int, int, int]
    back: Affine


def _stretch(width: int, height: int, w: int, h: int) -> _Placement:
    return _Placement((0, 0, width, height), (0, 0, w, h), IDENTITY)


def _letterbox(width: int, height: int, w: int, h: int) -> _Placement:
    scale = min(w / width, h / height)
    nw, nh = max(1, round(width * scale)), max(1, round(height * scale))
    x, y = (w - nw) // 2, (h - nh) // 2
    return _Placement((0, 0, width, height), (x, y, nw, nh), Affine(w / nw, h / nh, -x / nw, -y / nh))


def _crop(width: int, height: int, w: int, h: int) -> _Placement:
    scale = max(w / width, h / height)
    cw, ch = min(width, max(1, round(w / scale))), min(height, max(1, round(h / scale)))
    x, y = (width - cw) // 2, (height - ch) // 2
    return _Placement((x, y, cw, ch), (0, 0, w, h), Affine(cw / width, ch / height, x / width, y / height))


_PLACE = {"stretch": _stretch, "letterbox": _letterbox, "crop": _crop}
