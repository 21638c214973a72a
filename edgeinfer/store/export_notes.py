"""What the exporters of YOLO write about a model: task, names, sizes; JSON, a Python literal or flat YAML. Opens no file."""

from __future__ import annotations

import ast
from typing import Any

import msgspec
from msgspec import Struct

from edgeinfer.store.flat_yaml import parse_flat_yaml
from edgeinfer.store.labels import NO_CLASS

FILE_NAMES = ("metadata.json", "temp_meta.txt", "meta.txt", "metadata.yaml")
"""Ultralytics since 8.3; 8.0 to 8.2; the YOLOv5 repository; hand-made."""
SIDECAR = "metadata.yaml"
"""Lies in the folder of a saved_model export, beside its .tflite files."""

_MOST_CHARACTERS = 1 << 20
_MOST_NAMES = 100_000


class ExportNotes(Struct, frozen=True):
    """`source` says where it was read. `task` is "detect" where the exporter says none (YOLOv5).

    `image_size` is (height, width), () where it is not told. `end2end`: the outputs are final findings, 1x300x6.
    `nms`: suppression was built into the exported graph. `keypoints` is (points, values each), () for other tasks.
    `point_names` are the names of those points where the training gave some.
    """

    source: str
    task: str = "detect"
    head: str = ""
    names: tuple[str, ...] = ()
    stride: int = 0
    image_size: tuple[int, ...] = ()
    channels: int = 3
    end2end: bool = False
    nms: bool = False
    keypoints: tuple[int, ...] = ()
    point_names: tuple[str, ...] = ()
    version: str = ""
    description: str = ""
    licence: str = ""


class _Arguments(Struct):
    nms: bool | None = None


class _Raw(Struct):
    """The keys that we use, as all versions write them; others are ignored."""

    names: dict[int, str] | list[str] = {}
    task: str | None = None
    head: str | None = None
    stride: float | None = None
    imgsz: list[int] | int | None = None
    channels: int | None = None
    end2end: bool | None = None
    args: _Arguments | None = None
    kpt_shape: list[int] | None = None
    kpt_names: dict[int, list[str] | None] | None = None
    version: str | float | None = None
    description: str | None = None
    license: str | None = None


def parse_export_notes(text: str, source: str) -> ExportNotes:
    """Raises ValueError when `text` is none of the three, or a key has another type than Ultralytics gives it."""
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"expected at most {_MOST_CHARACTERS:,} characters, found {len(text):,}")
    try:
        raw = msgspec.convert(_table(text), _Raw, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    return ExportNotes(
        source=source,
        task=raw.task or "detect",
        head=raw.head or "",
        names=_names(raw.names),
        stride=int(raw.stride or 0),
        image_size=_size(raw.imgsz),
        channels=raw.channels or 3,
        end2end=bool(raw.end2end),
        nms=bool(raw.args and raw.args.nms),
        keypoints=tuple(raw.kpt_shape or ()),
        point_names=tuple((raw.kpt_names or {}).get(0) or ()),
        version=str(raw.version or ""),
        description=(raw.description or "").strip(),
        licence=raw.license or "",
    )


def _table(text: str) -> dict[Any, Any]:
    found = _literal(text) if text.lstrip().startswith("{") else parse_flat_yaml(text)
    if not isinstance(found, dict) or not found:
        raise ValueError("expected a table of names and values")
    return found


def _literal(text: str) -> Any:
    """JSON, or what `str()` makes of a Python dict (before 8.3)."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        try:
            return ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError(f"it is neither JSON nor a Python literal: {error}") from error


def _names(names: dict[int, str] | list[str]) -> tuple[str, ...]:
    """In the order of the classes; a number without a name is no class."""
    if isinstance(names, list):
        return tuple(names)
    count = max(names, default=-1) + 1
    if count > _MOST_NAMES or min(names, default=0) < 0:
        raise ValueError(f"names: expected classes 0, 1, 2, …, found {min(names)} to {max(names)}")
    return tuple(names.get(i, NO_CLASS) for i in range(count))


def _size(imgsz: list[int] | int | None) -> tuple[int, ...]:
    if imgsz is None:
        return ()
    sides = (imgsz, imgsz) if isinstance(imgsz, int) else tuple(imgsz)
    return sides * 2 if len(sides) == 1 else sides[:2]
