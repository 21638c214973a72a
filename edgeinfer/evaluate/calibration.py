"""Samples as the float input tensors that a quantizer watches: prepared as the daemon prepares them; quantizes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer import recording
from edgeinfer.engine.fit import Fit
from edgeinfer.engine.window import features
from edgeinfer.engine.window_collect import Collector
from edgeinfer.engine.window_predictor import standardizer
from edgeinfer.errors import InferenceLost, InputError
from edgeinfer.evaluate.folders import read_folder
from edgeinfer.evaluate.pictures import frame_of, is_picture
from edgeinfer.evaluate.tables import SUFFIXES, read_csv
from edgeinfer.events import Frame, Readings
from edgeinfer.store import Bundle, InputOptions, WindowOptions
from edgeinfer.tensors import TensorSpec

Array = NDArray[Any]
Sample = Frame | Readings
Prepare = Callable[[Sample], Iterator[Array]]

ENOUGH = 10
"""Fewer samples than this leave the range of most activations to chance; TensorFlow's guide says 100 to 500."""


def calibration(
    path: Path, tensor: TensorSpec, like: Bundle | None, pictures: InputOptions, most: int
) -> list[Array]:
    """Up to `most` inputs of `tensor`'s shape, float32, spread over what `path` holds.

    Args:
        path: a folder of pictures (or .csv and .npy), a recording, a CSV, or one picture.
        tensor: the float model's input.
        like: a bundle whose `[input]` or `[window]` says how samples are prepared.
        pictures: how a picture is prepared without one; readings are then taken as they are.
        most: of pictures, at least `ENOUGH`.

    Raises:
        InputError: it holds too few samples, or they do not fit the model's input.
    """
    window = like.manifest.window if like else None
    samples = samples_of(path, window.channels if window else ())
    found = list(_thinned(_prepared(samples, tensor, like, pictures), most))
    if len(found) < ENOUGH:
        raise InputError(
            f"{path}: holds {len(found)} samples for the model's input {tensor.name!r} of shape {tensor.shape}; "
            f"expected {ENOUGH} at least, better 100 and more, that show all that the model will see"
        )
    return found


def samples_of(path: Path, channels: tuple[str, ...]) -> Iterator[Sample]:
    """Every picture or stretch of readings, loaded one by one; `channels` are those that a CSV must have.

    Raises:
        InputError: `path` is missing, or is nothing that holds samples.
    """
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if (path / "recording.json").is_file():
        return (seen for seen in recording.read(path) if isinstance(seen, Frame | Readings))
    if path.is_dir():
        return (
            example.load() for example in read_folder(path, channels if _has_tables(path) else None).examples
        )
    if suffix == ".csv":
        return (example.load() for example in read_csv(path, channels).examples)
    if is_picture(path):
        return iter((frame_of(path),))
    raise InputError(f"{path}: expected a folder of pictures, a recording, or a CSV of readings")


def _has_tables(folder: Path) -> bool:
    return any(each.suffix.lower() in SUFFIXES for each in folder.rglob("*"))


def _thinned(inputs: Iterator[Array], most: int) -> Iterator[Array]:
    """All where they are few; else every second, fourth … one, so that they spread over the whole."""
    kept: list[Array] = []
    stride = 1
    for n, each in enumerate(inputs):
        if n % stride == 0:
            kept.append(each)
        if len(kept) == 2 * most:
            kept, stride = kept[::2], 2 * stride
    step = max(1, -(-len(kept) // most))
    return islice(iter(kept[::step]), most)


def _prepared(
    samples: Iterator[Sample], tensor: TensorSpec, like: Bundle | None, pictures: InputOptions
) -> Iterator[Array]:
    """Built for the kind of the first sample."""
    prepare: Prepare | None = None
    for sample in samples:
        prepare = prepare or _preparer(sample, tensor, like, pictures)
        yield from prepare(sample)


def _preparer(sample: Sample, tensor: TensorSpec, like: Bundle | None, pictures: InputOptions) -> Prepare:
    takes = like.manifest.input if like else pictures
    if isinstance(sample, Frame):
        if takes is None:
            raise InputError(
                f"{sample.key[0]}: is a picture, and {like.identity if like else ''} takes readings"
            )
        return _of_pictures(Fit(tensor, takes))
    if like is not None and like.manifest.window is None:
        raise InputError(f"{sample.key[0]}: holds readings, and {like.identity} takes pictures")
    return _of_readings(tensor, like, sample)


def _of_pictures(fit: Fit) -> Prepare:
    def prepare(sample: Sample) -> Iterator[Array]:
        if isinstance(sample, Frame):
            yield fit(sample.pixels)[0].copy()

    return prepare


def _of_readings(tensor: TensorSpec, like: Bundle | None, first: Readings) -> Prepare:
    window = (like.manifest.window if like else None) or _plain_window(tensor, first)
    scaled = standardizer(like, window) if like else np.asarray
    collectors: dict[str, Collector] = {}

    def prepare(sample: Sample) -> Iterator[Array]:
        if not isinstance(sample, Readings):
            return
        collector = collectors.setdefault(sample.key[0], Collector(window))
        try:
            for _, rows in collector.add(sample):
                yield _shaped(scaled(features(rows, window)), tensor, sample.key[0])
        except InferenceLost as error:
            raise InputError(f"{sample.key[0]}: {error}") from error

    return prepare


def _shaped(numbers: Array, tensor: TensorSpec, where: str) -> Array:
    if numbers.size != math.prod(tensor.shape):
        raise InputError(
            f"{where}: a window makes {numbers.size} numbers; the model's input {tensor.name!r} has the shape {tensor.shape}"
        )
    return numbers.astype(np.float32).reshape(tensor.shape)


def _plain_window(tensor: TensorSpec, first: Readings) -> WindowOptions:
    """The rows as they are: as many as fill the tensor."""
    length, rest = divmod(math.prod(tensor.shape), len(first.channels))
    if rest or length < 1:
        raise InputError(
            f"{first.key[0]}: {len(first.channels)} channels do not fill the model's input {tensor.name!r} of shape "
            f"{tensor.shape}; say with --like BUNDLE how readings are prepared"
        )
    rate = 1e9 / first.period_ns if first.period_ns else 1.0  # features "raw" do not ask for it
    return WindowOptions(length=length, channels=first.channels, rate_hz=rate)
