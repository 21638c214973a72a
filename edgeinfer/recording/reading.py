"""Reads a recording, as far as it can be read; changes nothing in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Instant, Key
from edgeinfer.recording.folder import EVENTS, FRAMES, head_of
from edgeinfer.recording.lines import seen_in
from edgeinfer.taps import Seen

log = logging.getLogger(__name__)

Told = Callable[[str], None]
"""Takes a sentence about what could not be read."""


def read(path: Path, told: Told = log.warning) -> Iterator[Seen]:
    """All that was recorded, in order; `told` gets what had to be left out (a cut end, a damaged picture).

    Raises:
        InputError: it is no recording, of a newer version, or a line within is damaged.
    """
    head_of(path)

    def load(key: Key, at: Instant, picture: str) -> Frame | None:
        return _frame(key, at, path / FRAMES / Path(picture).name, told)  # never outside of the recording

    for number, raw in _lines(path, told):
        try:
            seen = seen_in(raw, load)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path / EVENTS}:{number}: expected an event, found: {error!r}") from error
        if seen is not None:
            yield seen


def kinds(path: Path) -> dict[str, dict[str, int]]:
    """Source → type of event → how many; reads no pictures. Raises as `read` does."""
    head_of(path)
    found: dict[str, dict[str, int]] = {}
    for number, raw in _lines(path, lambda _: None):
        try:
            counts = found.setdefault(raw["key"][0], {})
            counts[raw["type"]] = counts.get(raw["type"], 0) + 1
        except (KeyError, TypeError, IndexError) as error:
            raise InputError(f"{path / EVENTS}:{number}: expected an event with type and key") from error
    return found


def _lines(path: Path, told: Told) -> Iterator[tuple[int, dict[str, Any]]]:
    with (path / EVENTS).open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                told(f"{path / EVENTS} is cut off: line {number} is not whole and is left out")
                return
            try:
                raw = msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError as error:
                raise InputError(f"{path / EVENTS}:{number}: expected JSON: {error}") from error
            yield number, raw


def _frame(key: Key, at: Instant, file: Path, told: Told) -> Frame | None:
    import cv2
    import numpy as np

    data = np.frombuffer(file.read_bytes() if file.is_file() else b"", np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if pixels is None:
        told(f"{file} is {'damaged' if len(data) else 'missing'}: frame {key[0]}/{key[1]} is left out")
        return None
    return Frame(key, at, pixels)
