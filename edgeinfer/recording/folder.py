"""The folder of a recording: the names in it, its segments, and recording.json, which says what it is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edgeinfer.errors import InputError

VERSION = 2
FORMAT = "edgeinfer recording"
HEAD, EVENTS, FRAMES = "recording.json", "events.jsonl", "frames"


class Head(msgspec.Struct, frozen=True):
    """recording.json; `created` is RFC 3339 in UTC."""

    format: str
    version: int
    device: str
    created: str


def is_recording(path: Path) -> bool:
    """Whether it says so; not whether it can be read."""
    return (path / HEAD).is_file()


def head_of(path: Path) -> Head:
    """What recording.json says; a version newer than `VERSION` is the reader's matter.

    Raises:
        InputError: it is no recording.
    """
    expected = f"expected the folder of a recording (with recording.json and 000001/{EVENTS} in it)"
    try:
        head = msgspec.json.decode((path / HEAD).read_bytes(), type=Head)
    except OSError as error:
        raise InputError(f"{path}: {expected}; {HEAD}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InputError(f"{path / HEAD}: {expected}, found something else: {error}") from error
    if head.format != FORMAT:
        raise InputError(f"{path / HEAD}: {expected}, found the format {head.format!r}")
    if not segments(path):
        newer = "" if head.version <= VERSION else f"; {newer_than_ours(head)}"
        raise InputError(f"{path}: {expected}; {EVENTS} is missing{newer}")
    return head


def newer_than_ours(head: Head) -> str:
    return f"made by a newer edgeinfer (version {head.version} of the format; this one reads up to {VERSION})"


def segments(path: Path) -> list[Path]:
    """The folders with an events.jsonl, the oldest first; version 1 had one, the recording's own."""
    numbered = sorted(p for p in path.glob("[0-9]*") if p.name.isdigit() and (p / EVENTS).is_file())
    return numbered or ([path] if (path / EVENTS).is_file() else [])


def segment_name(number: int) -> str:
    return f"{number:06d}"
