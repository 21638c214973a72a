"""A packed bundle: one zip of manifest, files and perhaps a signature; the same bundle, the same bytes.

Stored, not deflated: what zlib makes differs between its versions, and int8 weights hardly shrink.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edgeinfer.errors import BundleError
from edgeinfer.store.bundle import Bundle
from edgeinfer.store.find import MANIFEST

SIGNATURE = f"{MANIFEST}.sig"
SUFFIX = ".bundle"
_SIZE_MAX = 2 << 30
_FILES_MAX = 1000
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell


def is_packed(path: Path) -> bool:
    """A zip with a manifest in it; a .tflite with a zip at its end is none."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def pack(bundle: Bundle, path: Path, signature: bytes = b"") -> None:
    """Writes the manifest first, then its signature, then each listed file in the manifest's order."""
    files = {MANIFEST: (bundle.folder / MANIFEST).read_bytes()}
    if signature:
        files[SIGNATURE] = signature
    with path.open("wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, files)
        for name in bundle.manifest.files:
            with (
                bundle.path(name).open("rb") as file,
                archive.open(_entry(name), "w", force_zip64=True) as place,
            ):
                shutil.copyfileobj(file, place)


def resign(path: Path, out: Path, manifest: str, signature: bytes) -> None:
    """The zip at `path` with `signature` beside its `manifest`, in place of any that was there."""
    name = f"{manifest}.sig"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for entry in old.infolist():
            if entry.filename != name:
                with old.open(entry) as file, archive.open(_entry(entry.filename), "w") as place:
                    shutil.copyfileobj(file, place)
        _add(archive, {name: signature})


def unpack(path: Path, folder: Path) -> None:
    """Into `folder`, which is empty; what it unpacks to is judged by open_bundle, not here.

    Raises:
        BundleError: no zip, damaged, too large, or with a name that leaves the folder.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _judge(path, entries)
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as file, target.open("xb") as place:
                    shutil.copyfileobj(file, place)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, FileExistsError) as error:
        raise BundleError(f"{path}: expected a packed bundle, found: {error}; copy it again") from error


def _judge(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _FILES_MAX or sum(entry.file_size for entry in entries) > _SIZE_MAX:
        raise BundleError(
            f"{path}: over {_FILES_MAX} files or {_SIZE_MAX >> 30} GB unpacked; this is no bundle"
        )
    for entry in entries:
        parts = entry.filename.split("/")
        if entry.is_dir() or entry.filename.startswith("/") or {"", ".", ".."} & {*parts}:
            raise BundleError(f"{path}: holds {entry.filename!r}, which no packed bundle has; do not use it")


def _add(archive: zipfile.ZipFile, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        archive.writestr(_entry(name), content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry
