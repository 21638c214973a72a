"""The store: named bundles in versions, each under the digest of its manifest; one small file per name is the truth.

    models/.incoming/…            drafts, swept when their maker is dead
    models/NAME/index.json        which versions there are, which is used, which were
    models/NAME/0123456789ab/     a version; it never changes

A version that the index does not name is no part of the store: `add` moves a finished folder into place and then
replaces the index, so that a kill, a full disk or a power cut at any moment leaves the store as it was.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgeinfer.errors import BundleError, nearest
from edgeinfer.store.bundle import Bundle, open_bundle
from edgeinfer.store.draft import locked, spoken, sync_tree, write_through
from edgeinfer.store.find import MANIFEST, SYSTEM, user_store
from edgeinfer.store.index import INDEX, Index, Version, read_index, short


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a store. `loose`: a folder that was copied here by hand, without versions."""

    name: str
    index: Index
    folder: Path | None  # of the version that is used
    loose: bool = False


def default_root() -> Path:
    """The system's store for whoever may write to it, else the user's."""
    parent = next(p for p in (SYSTEM, *SYSTEM.parents) if p.exists())
    return SYSTEM if os.access(parent, os.W_OK) else user_store()


class Shelf:
    """One store on disk. Each change is made under a lock and is whole or not there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self) -> list[Entry]:
        """What is there, by name."""
        if not self.root.is_dir():
            return []
        folders = sorted(p for p in self.root.iterdir() if p.is_dir() and not p.name.startswith("."))
        return [entry for folder in folders if (entry := _entry(folder))]

    def entry(self, name: str) -> Entry:
        """Raises BundleError where the store has none of that name."""
        found = _entry(self.root / name) if name and not name.startswith(".") and "/" not in name else None
        if found is None:
            known = [e.name for e in self.entries()]
            there = ", ".join(known) or "nothing"
            raise BundleError(
                f"the store {self.root} has no {name!r}{nearest(name, known)} (there is: {there})"
            )
        return found

    def place(self, draft: Path, *, use: bool = False) -> tuple[Bundle, bool]:
        """Takes the finished bundle in `draft` in; the bundle in its place, and whether it is used now.

        The first version of a name is used at once, later ones when `use` says so. The same bundle again is
        no new version.

        Raises:
            BundleError: it is not whole, or a folder without versions has its name.
            EdgeinferError: there is no room.
        """
        bundle = open_bundle(draft)
        name, digest = bundle.manifest.name, short(bundle.identity)
        with spoken(self.root):
            sync_tree(draft)
            with locked(self.root):
                folder = self._folder(name)
                _sweep(folder)
                index = read_index(folder).with_version(Version(digest, bundle.manifest.version))
                if not (folder / digest).exists():
                    draft.chmod(0o755)
                    draft.rename(folder / digest)
                if use or index.current is None:
                    index = index.using(digest)
                _write(folder, index)
        return open_bundle(folder / digest), index.current == digest

    def known(self, bundle: Bundle, *, by_any_number: bool) -> Version | None:
        """The version that `bundle` is already; `by_any_number`: also one that differs in nothing but its number."""
        folder, wanted = self.root / bundle.manifest.name, _said(bundle.folder)
        versions = read_index(folder).versions
        same = [v for v in versions if v.digest == short(bundle.identity)]
        if by_any_number and not same:
            same = [v for v in versions if _said(folder / v.digest) == wanted]
        return same[-1] if same else None

    def use(self, name: str, version: str) -> Version:
        """That version is the current one from now on."""
        with locked(self.root):
            index = self._versions(name)
            found = index.find(name, version)
            open_bundle(self.root / name / found.digest)
            _write(self.root / name, index.using(found.digest))
        return found

    def rollback(self, name: str) -> Version:
        """The one that was used before is the current one again."""
        with locked(self.root):
            index = self._versions(name).rolled_back(name)
            open_bundle(self.root / name / str(index.current))
            _write(self.root / name, index)
        return next(v for v in index.versions if v.digest == index.current)

    def remove(self, name: str, version: str = "") -> list[Version]:
        """Takes one version away, or without `version` the whole name; what was removed.

        Raises:
            BundleError: there is none such, or it is the one that is used.
        """
        with locked(self.root):
            index = self._versions(name)
            if not version:
                _write(self.root / name, Index())
                shutil.rmtree(self.root / name)
                return list(index.versions)
            found = index.find(name, version)
            if found.digest == index.current:
                raise BundleError(
                    f"{name}: {found.version} is the version that is used; use another one first (edgeinfer model "
                    f"use {name} VERSION), or remove the whole name (edgeinfer model remove {name})"
                )
            _write(self.root / name, index.without(found.digest))
            shutil.rmtree(self.root / name / found.digest)
        return [found]

    def next_version(self, name: str) -> str:
        """The first number that is above all versions that are numbers."""
        numbers = [int(v.version) for v in read_index(self.root / name).versions if v.version.isdecimal()]
        return str(max(numbers, default=0) + 1)

    def _versions(self, name: str) -> Index:
        entry = self.entry(name)
        if entry.loose:
            raise BundleError(
                f"{self.root / name}: was copied here by hand and has no versions; move it away and add it: "
                f"edgeinfer model add PATH/{name}"
            )
        return entry.index

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if (folder / MANIFEST).is_file():
            raise BundleError(
                f"{folder}: a bundle of this name was copied here by hand; move it away first, or give --name"
            )
        folder.mkdir(exist_ok=True)
        return folder


def _said(folder: Path) -> bytes:
    """All that a bundle's manifest says, the hashes of its files with it, but for the number of its version."""
    try:
        lines = (folder / MANIFEST).read_bytes().splitlines()
    except OSError:  # damaged: like nothing else
        return bytes(folder)
    head = next((n for n, line in enumerate(lines) if line.startswith(b"[")), len(lines))
    return b"\n".join([*(line for line in lines[:head] if not line.startswith(b"version")), *lines[head:]])


def _entry(folder: Path) -> Entry | None:
    if (folder / MANIFEST).is_file():
        return Entry(folder.name, Index(), folder, loose=True)
    index = read_index(folder)
    if not index.versions:
        return None
    return Entry(folder.name, index, folder / index.current if index.current else None)


def _write(folder: Path, index: Index) -> None:
    write_through(folder / INDEX, msgspec.json.encode(index))


def _sweep(folder: Path) -> None:
    """Version folders that no index names: their maker died between moving them here and saying so."""
    named = {v.digest for v in read_index(folder).versions}
    for path in [p for p in folder.iterdir() if p.is_dir() and p.name not in named]:
        shutil.rmtree(path)
