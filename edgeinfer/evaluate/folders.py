"""A folder of class folders, or a plain one, with pictures or readings in it; no picture is opened before its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from edgeinfer.errors import InputError
from edgeinfer.evaluate.examples import Dataset, Example
from edgeinfer.evaluate.pictures import frame_of, is_picture
from edgeinfer.evaluate.tables import SUFFIXES, read_csv, read_npy
from edgeinfer.events import Frame, Readings


def read_folder(folder: Path, channels: tuple[str, ...] | None) -> Dataset:
    """Each folder inside is a class, of its name; without folders the samples have no class.

    Args:
        folder: pictures, or where the model takes readings, .csv and .npy files.
        channels: those that a model of readings needs, () for any; None for pictures.

    Raises:
        InputError: nothing in it, or a class without a sample.
    """
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not classes:
        return Dataset("unlabelled", (), _samples(folder, "", channels))
    examples = [example for path in classes for example in _samples(path, path.name, channels)]
    return Dataset("classes", tuple(path.name for path in classes), examples)


def _samples(folder: Path, label: str, channels: tuple[str, ...] | None) -> list[Example]:
    fits = is_picture if channels is None else _is_readings
    files = sorted(path for path in folder.rglob("*") if path.is_file() and fits(path))
    if not files:
        wanted = "a picture" if channels is None else "readings (.csv, .npy)"
        raise InputError(f"{folder}: expected {wanted} in it, found none")
    return [example for path in files for example in _of_file(path, label, channels)]


def _is_readings(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _of_file(path: Path, label: str, channels: tuple[str, ...] | None) -> Iterator[Example]:
    if channels is not None and path.suffix.lower() == ".csv":
        yield from (Example(each.name, each.load, label) for each in read_csv(path, channels).examples)
        return
    load: Callable[[], Frame | Readings] = (
        partial(frame_of, path) if channels is None else partial(read_npy, path, channels)
    )
    yield Example(f"{label}/{path.name}" if label else path.name, load, label)
