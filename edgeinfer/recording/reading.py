"""Reads a recording, as far as it can be read; changes nothing in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Instant, Key
from edgeinfer.recording.folder import EVENTS, FRAMES, VERSION, head_of, newer_than_ours, segments
from edgeinfer.recording.lines import seen_in
from edgeinfer.recording.pictures import frame_of
from edgeinfer.taps import Event

log = logging.getLogger(__name__)

Told = Callable[[str], None]
"""Takes a sentence about what could not be read."""


class _Line(NamedTuple):
    segment: Path
    number: int
    raw: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.segment / EVENTS}:{self.number}"


def read(path: Path, told: Told = log.warning, source: str | None = None) -> Iterator[Event]:
    """All that was recorded, in order; `told` gets what had to be left out (a cut end, a damaged picture).

    Of a recording of a newer version `told` hears first, and then of what in it is not known here. With `source`
    only what has this name in its key is given, and no other picture is decoded.

    Raises:
        InputError: it is no recording, or a line within is damaged.
    """
    head = head_of(path)
    newer = head.version > VERSION
    if newer:
        told(f"{path}: {newer_than_ours(head)}: what this one understands of it is read")
    unknown: dict[str, int] = {}
    for line in _lines(path, told):
        if source is not None and (line.raw.get("key") or [source])[0] != source:
            continue
        kind = line.raw.get("type")
        if kind == "dropped":
            told(_dropped(line))
            continue
        try:
            seen = seen_in(line.raw, _loader(line.segment, told))
        except (KeyError, TypeError, ValueError) as error:
            if not newer:
                raise InputError(f"{line.place}: expected an event, found: {error!r}") from error
            unknown[str(kind)] = unknown.get(str(kind), 0) + 1
            continue
        if seen is not None:
            yield seen
    for kind, count in unknown.items():
        told(f"{path}: {count} events of the type {kind!r} are of a newer version and are left out")


def kinds(path: Path) -> dict[str, dict[str, int]]:
    """Source → type of event → how many; reads no pictures. Raises as `read` does."""
    newer = head_of(path).version > VERSION
    found: dict[str, dict[str, int]] = {}
    for line in _lines(path, lambda _: None):
        try:
            counts = found.setdefault(line.raw["key"][0], {})
            counts[line.raw["type"]] = counts.get(line.raw["type"], 0) + 1
        except (KeyError, TypeError, IndexError) as error:
            if not newer:
                raise InputError(f"{line.place}: expected an event with type and key") from error
    return found


def _loader(segment: Path, told: Told) -> Callable[[Key, Instant, str], Frame | None]:
    def load(key: Key, at: Instant, picture: str) -> Frame | None:
        return _frame(key, at, segment / FRAMES / Path(picture).name, told)  # never outside of the recording

    return load


def _lines(path: Path, told: Told) -> Iterator[_Line]:
    for segment in segments(path):
        with (segment / EVENTS).open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    told(f"{segment / EVENTS} is cut off: line {number} is not whole and is left out")
                    break
                try:
                    raw = msgspec.json.decode(line, type=dict[str, Any])
                except msgspec.DecodeError as error:
                    raise InputError(f"{segment / EVENTS}:{number}: expected JSON: {error}") from error
                yield _Line(segment, number, raw)


def _frame(key: Key, at: Instant, file: Path, told: Told) -> Frame | None:
    data = file.read_bytes() if file.is_file() else b""
    frame = frame_of(key, at, data)
    if frame is None:
        told(f"{file} is {'damaged' if data else 'missing'}: frame {key[0]}/{key[1]} is left out")
    return frame


def _dropped(line: _Line) -> str:
    frames, key = line.raw.get("frames"), line.raw.get("key")
    return f"{line.place}: {frames} frames from {key} on were not recorded: they came faster than they could be written"
