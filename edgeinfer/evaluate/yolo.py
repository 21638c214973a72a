"""A data.yaml of the YOLO family as examples: pictures, and a .txt of boxes for each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.evaluate.examples import Dataset, Example, TrueBox
from edgeinfer.evaluate.pictures import frame_of, is_picture, pictures_in
from edgeinfer.geometry import Box


class _Yaml(msgspec.Struct, frozen=True):
    """What of a data.yaml matters here; `train` and more may stand beside it."""

    names: list[str] | dict[int, str]
    path: str = ""
    val: str | list[str] = ""
    test: str | list[str] = ""


def read_yolo(path: Path, part: str = "val") -> Dataset:
    """The pictures of `part` ("val" or "test") with their boxes.

    The boxes of `images/a/1.jpg` stand in `labels/a/1.txt`: a line `class cx cy w h` each, normalised; without a
    file there is nothing in the picture. Source: https://docs.ultralytics.com/datasets/detect/.

    Raises:
        InputError: PyYAML is missing, it is no such file, there is no picture, or a line of boxes is wrong.
    """
    data = _parsed(path)
    names = dict(enumerate(data.names)) if isinstance(data.names, list) else data.names
    places = getattr(data, part)
    if not places:
        raise InputError(f"{path}: {part}: expected a folder of pictures, found nothing")
    root = path.parent / data.path
    pictures = [
        p
        for place in ([places] if isinstance(places, str) else places)
        for p in _pictures(path, root / place)
    ]
    examples = [Example(p.name, partial(frame_of, p), boxes=tuple(_boxes(p, names))) for p in pictures]
    return Dataset("boxes", tuple(names.values()), examples)


def _parsed(path: Path) -> _Yaml:
    try:
        import yaml
    except ImportError as error:
        raise InputError(
            f"{path}: PyYAML reads it and is not installed: pip install 'edgeinfer[eval]'"
        ) from error
    try:
        raw: Any = yaml.safe_load(path.read_text())
        return msgspec.convert(raw, _Yaml, strict=False)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a data.yaml with names and val: {error}") from error


def _pictures(path: Path, place: Path) -> list[Path]:
    """Of a folder, or of a .txt that lists them."""
    if place.suffix == ".txt" and place.is_file():
        listed = [place.parent / line.strip() for line in place.read_text().splitlines() if line.strip()]
        return [p for p in listed if is_picture(p)]
    found = pictures_in(place) if place.is_dir() else []
    if not found:
        raise InputError(f"{path}: expected pictures in {place}, found none")
    return found


def _boxes(picture: Path, names: dict[int, str]) -> Iterator[TrueBox]:
    file = _label_file(picture)
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if line.strip():
            yield _box(line, names, f"{file}:{number}")


def _label_file(picture: Path) -> Path:
    """The last folder `images` becomes `labels`; without one the boxes lie beside the picture."""
    parts = list(picture.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _box(line: str, names: dict[int, str], where: str) -> TrueBox:
    try:
        kind, *numbers = line.split()
        cx, cy, w, h = map(float, numbers)
        label = names[int(kind)]
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{where}: expected `class cx cy w h` with a class of 0 to {len(names) - 1}, found {line!r}"
        ) from error
    return TrueBox(label, Box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
