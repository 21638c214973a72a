"""The folder of a recording: the names in it, and recording.json, which says what it is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edgeinfer.errors import InputError

VERSION = 1
FORMAT = "edgeinfer recording"
HEAD, EVENTS, FRAMES = "recording.json", "events.jsonl", "frames"


class Head(msgspec.Struct, frozen=True):
    """recording.json; `created` is RFC 3339 in UTC."""

    format: str
    version: int
    device: str
    created: str


def head_of(path: Path) -> Head:
    """What recording.json says.

    Raises:
        InputError: it is no recording, or one of a newer version.
    """
    expected = "expected the folder of a recording (with recording.json and events.jsonl in it)"
    try:
        head = msgspec.json.decode((path / HEAD).read_bytes(), type=Head)
    except OSError as error:
        raise InputError(f"{path}: {expected}; {HEAD}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InputError(f"{path / HEAD}: {expected}, found something else: {error}") from error
    if head.format != FORMAT:
        raise InputError(f"{path / HEAD}: {expected}, found the format {head.format!r}")
    if head.version > VERSION:
        raise InputError(
            f"{path}: made by a newer edgeinfer (version {head.version} of the format; this one reads up to {VERSION})"
        )
    if not (path / EVENTS).is_file():
        raise InputError(f"{path}: {expected}; {EVENTS} is missing")
    return head
