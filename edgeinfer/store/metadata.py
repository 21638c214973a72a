"""What a .tflite file says about itself, and what its exporter laid beside it; every read bounded, no model run."""

from __future__ import annotations

import mmap
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from edgeinfer.errors import BundleError
from edgeinfer.store.export_notes import FILE_NAMES, SIDECAR, ExportNotes, parse_export_notes
from edgeinfer.store.flatbuffer import Damaged
from edgeinfer.store.labels import parse_labels
from edgeinfer.store.tflite_notes import Signature, TensorNote, TfliteNotes, read_notes

MOST_FILES = 64
MOST_BYTES = 2 << 20
"""Unpacked, of each file in the zip: ImageNet's 22,000 names are 0.5 MB."""


class Metadata(Struct, frozen=True):
    """All that is told without running the model.

    `files` are the text files of the zip at the model's end, by name, as lines. `labels_from` says in words where
    the labels come from, "" where there are none. `inputs` and `outputs` are in the order of the model's tensors,
    empty where TFLite metadata is absent. `problems` are sentences about metadata that is there but unreadable.
    """

    files: dict[str, tuple[str, ...]] = {}
    export: ExportNotes | None = None
    inputs: tuple[TensorNote, ...] = ()
    outputs: tuple[TensorNote, ...] = ()
    signatures: tuple[Signature, ...] = ()
    labels: tuple[str, ...] = ()
    labels_from: str = ""
    description: str = ""
    licence: str = ""
    problems: tuple[str, ...] = ()


def read_metadata(path: Path) -> Metadata:
    """Reads the zip that Ultralytics, YOLOv5 and Model Maker append, TFLite metadata, signatures, and sidecar files.

    Raises:
        BundleError: `path` cannot be read, or what is packed into it is no metadata but a bomb.
    """
    problems: list[str] = []
    files = embedded_texts(path, problems)
    notes = _flatbuffer(path, problems)
    export = _export(path, files, problems)
    labels, source = _labels(path, files, notes, export)
    lines = {name: tuple(text.splitlines()) for name, text in files.items()}
    return Metadata(
        files=lines,
        export=export,
        inputs=notes.inputs,
        outputs=notes.outputs,
        signatures=notes.signatures,
        labels=labels,
        labels_from=source,
        description=(export.description if export else "") or notes.description,
        licence=(export.licence if export else "") or notes.licence,
        problems=tuple(problems),
    )


def embedded_texts(path: Path, problems: list[str]) -> dict[str, str]:
    """The text files of the zip at the end of `path`, by name; {} where there is no zip.

    What cannot be unpacked is told in `problems`. Raises BundleError for more than `MOST_FILES` files or a file of
    more than `MOST_BYTES`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(_texts(path, archive, problems))
    except zipfile.BadZipFile:
        return {}
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error


def _texts(path: Path, archive: zipfile.ZipFile, problems: list[str]) -> Iterator[tuple[str, str]]:
    names = archive.namelist()
    if len(names) > MOST_FILES:
        raise BundleError(
            f"{path}: {len(names)} files are packed into it; expected metadata, at most {MOST_FILES} files"
        )
    for name in names:
        try:
            with archive.open(name) as file:
                data = file.read(MOST_BYTES + 1)  # the size in the zip's directory may lie
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            problems.append(f"{name}, packed into the model, cannot be unpacked: {error}")
            continue
        if len(data) > MOST_BYTES:
            raise BundleError(f"{path}: {name!r}, packed into it, unpacks to more than {MOST_BYTES:,} bytes")
        if b"\0" not in data:
            yield name, data.decode(errors="replace")


def _flatbuffer(path: Path, problems: list[str]) -> TfliteNotes:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return read_notes(mapped)
    except Damaged as error:
        problems.append(f"the model's own metadata is damaged: {error}")
    except ValueError:
        problems.append("the file is empty")
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    return TfliteNotes()


def _export(path: Path, files: dict[str, str], problems: list[str]) -> ExportNotes | None:
    """From the zip, else from the metadata.yaml that lies beside the model in its export folder."""
    found = [(f"{name} in the model", files[name]) for name in FILE_NAMES if name in files]
    beside = path.parent / SIDECAR
    if not found and (text := _beside(beside)) is not None:
        found = [(str(beside), text)]
    for source, text in found:
        try:
            return parse_export_notes(text, source)
        except ValueError as error:
            problems.append(f"{source} is not as Ultralytics writes it: {error}")
    return None


def _labels(
    path: Path, files: dict[str, str], notes: TfliteNotes, export: ExportNotes | None
) -> tuple[tuple[str, ...], str]:
    """The names that stand nearest to the model's outputs, and where they stand."""
    if export is not None and export.names:
        return export.names, export.source
    named = [note.labels_file for note in notes.outputs if note.labels_file in files]
    for name in [*named, *_label_files(files)]:
        if labels := parse_labels(files[name]):
            return labels, f"{name} in the model"
    for beside in _label_sidecars(path):
        if (text := _beside(beside)) is not None and (labels := parse_labels(text)):
            return labels, str(beside)
    return (), ""


def _label_files(files: dict[str, str]) -> list[str]:
    """A zip without TFLite metadata: its only text, or the one that is called so."""
    texts = [name for name in files if name.endswith(".txt") and name not in FILE_NAMES]
    return texts if len(texts) == 1 else [name for name in texts if "label" in name.lower()]


def _label_sidecars(path: Path) -> list[Path]:
    """As Teachable Machine (labels.txt), Coral's and TensorFlow's downloads name what they lay beside a model."""
    stem = path.stem.removesuffix("_edgetpu")
    names = (f"{stem}.txt", f"{stem}_labels.txt", "labels.txt", "labelmap.txt")
    return [path.parent / name for name in names]


def _beside(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        return None
    return data.decode(errors="replace") if len(data) <= MOST_BYTES else None
