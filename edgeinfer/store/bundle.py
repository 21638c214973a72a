"""A bundle, opened: manifest strict, every listed file's sha256 right, labels and arrays read. Runs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.distributions import Reference
from edgeinfer.errors import BundleError, Problem
from edgeinfer.ports import ModelFile
from edgeinfer.store.find import MANIFEST
from edgeinfer.store.labels import parse_labels
from edgeinfer.store.manifest import Manifest, parse

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was found in `folder`, verified. `identity` ("person@sha256:0123456789ab") stands in every decision."""

    folder: Path
    manifest: Manifest
    identity: str
    labels: tuple[str, ...]
    arrays: Mapping[str, NDArray[Any]]  # by decoder option
    reference: Reference | None = None

    def path(self, name: str) -> Path:
        return self.folder / name

    def model(self, variants: Sequence[str], threads: int = 1, *, isolate: bool = False) -> ModelFile:
        """The file of the first of `variants` that there is.

        Raises:
            BundleError: the bundle has none of them; says for which backends it has.
        """
        name = next((self.manifest.variants[v] for v in variants if v in self.manifest.variants), None)
        if name is None:
            known, where = ", ".join(self.manifest.variants), self.manifest.where.at("variants")
            raise BundleError(f"{where}: has no file for the backend {variants[0]!r}, only for: {known}")
        return ModelFile(str(self.path(name)), self.manifest.files[name], threads, isolate)


def open_bundle(folder: Path) -> Bundle:
    """Reads and verifies the bundle in `folder`; cheap next to opening a model (one pass over each file).

    Raises:
        BundleError: all problems at once, each with its file and key.
    """
    where = folder / MANIFEST
    raw = _read(where)
    try:
        manifest, problems = parse(raw.decode(), str(where))
    except UnicodeDecodeError as error:
        raise BundleError(f"{where}: is no text (UTF-8): {error}") from error
    if manifest is None:
        raise BundleError("\n".join(map(str, problems)))
    wrong = wrong_files(folder, manifest)
    if wrong:
        raise BundleError("\n".join(map(str, wrong)))
    identity = f"{manifest.name}@sha256:{sha256(raw).hexdigest()[:12]}"
    labels, arrays = _labels(folder, manifest), _arrays(folder, manifest)
    return Bundle(folder, manifest, identity, labels, arrays, _reference(folder, manifest))


def wrong_files(folder: Path, manifest: Manifest) -> list[Problem]:
    """Every listed file that is missing or is not what the manifest was written for."""
    found = []
    for name, expected in manifest.files.items():
        try:
            digest = file_sha256(folder / name)
        except OSError as error:
            text = (
                f"is listed in {MANIFEST} and cannot be read ({error.strerror}): get the whole bundle again"
            )
            found.append(Problem(str(folder / name), text))
            continue
        if digest != expected:
            found.append(Problem(str(folder / name), _changed(expected, digest)))
    return found


def _changed(expected: str, digest: str) -> str:
    return (
        f"is not the file that {MANIFEST} was written for (sha256 expected {expected}, found {digest}). It is damaged "
        f"or was changed: get the bundle again, or, if you changed it on purpose, write the new sha256 in [files]"
    )


def file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error


def _labels(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    path = folder / manifest.labels
    try:
        labels = parse_labels(_read(path).decode())
    except UnicodeDecodeError as error:
        raise BundleError(f"{path}: is no text (UTF-8): {error}") from error
    if not labels:
        raise BundleError(f"{path}: holds no label; expected one name a line")
    return labels


def _reference(folder: Path, manifest: Manifest) -> Reference | None:
    if not manifest.reference:
        return None
    path = folder / manifest.reference
    try:
        return msgspec.json.decode(_read(path), type=Reference)
    except msgspec.DecodeError as error:
        raise BundleError(
            f"{path}: is no reference (edgeinfer model reference makes one): {error}"
        ) from error


def _arrays(folder: Path, manifest: Manifest) -> dict[str, NDArray[Any]]:
    found = {}
    for key, name in manifest.arrays.items():
        try:
            found[key] = np.load(folder / name, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise BundleError(f"{folder / name}: is no array that numpy can read: {error}") from error
    return found
