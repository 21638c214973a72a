"""From what a user named to the files of a bundle in a draft folder: copied, unpacked, fetched or made."""

from __future__ import annotations

import argparse
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.cli.model_draft import Wish, make, wish_of
from edgeinfer.cli.progress import Progress
from edgeinfer.errors import BundleError, InputError, nearest
from edgeinfer.store import open_bundle
from edgeinfer.store.archive import take
from edgeinfer.store.bundle import file_sha256
from edgeinfer.store.catalog import Listed, read_catalog
from edgeinfer.store.download import download
from edgeinfer.store.draft import draft
from edgeinfer.store.find import MANIFEST
from edgeinfer.store.packed import SIGNATURE, is_packed, unpack
from edgeinfer.store.parts import part_of
from edgeinfer.store.shelf import Shelf

_WEB = ("http://", "https://")


@dataclass(frozen=True)
class _Wanted:
    """What is behind an address: its sha256, and where in an archive the model lies."""

    url: str
    digest: str
    member: tuple[str, ...] = ()
    member_digest: str = ""


def gather(args: argparse.Namespace, shelf: Shelf, folder: Path, *, signed_only: bool) -> bool:
    """Fills `folder` with a bundle; whether the number of its version was chosen here.

    Raises:
        InputError: there is no such thing, or more must be said about it.
        BundleError: it is damaged, or not what its sha256 says.
        DeviceError: the download did not come to its end; what came is kept for the next time.
    """
    wish = wish_of(args, shelf)
    path = Path(args.what).expanduser()
    if args.what.startswith(_WEB):
        wanted = _Wanted(args.what, args.sha256)
        return _fetched(args, shelf, wanted, wish, folder, signed_only=signed_only)
    if path.exists():
        return _taken(path, wish, folder, signed_only=signed_only)
    return _listed(args, shelf, wish, folder, signed_only=signed_only)


def _taken(path: Path, wish: Wish, folder: Path, *, signed_only: bool) -> bool:
    if path.name == MANIFEST:
        path = path.parent
    if path.is_dir():
        _copied(path, folder)
        _refuse_other_name(wish, folder, path)
    elif is_packed(path):
        unpack(path, folder)
        _refuse_other_name(wish, folder, path)
    elif signed_only:
        raise BundleError(
            f"{path}: is not signed, and this device takes only signed bundles: make one where the key is "
            "(edgeinfer model add there, then edgeinfer model pack NAME --key KEY), and add that file here"
        )
    else:
        make(path, wish, folder)
        return not wish.version
    return False


def _refuse_other_name(wish: Wish, folder: Path, path: Path) -> None:
    """A bundle says itself what it is, and is signed like that."""
    manifest = open_bundle(folder).manifest
    for option, wanted, found in (
        ("--name", wish.name, manifest.name),
        ("--version", wish.version, manifest.version),
    ):
        if wanted not in {"", found}:
            raise InputError(
                f"{option} {wanted}: {path} is a bundle already, and says {found!r}: leave {option} out, "
                "or add the .tflite in it as a model of its own"
            )


def _copied(path: Path, folder: Path) -> None:
    """The files that the manifest lists, no more: a checkout's folder may hold training data."""
    bundle = open_bundle(path)
    extra = [SIGNATURE] if (path / SIGNATURE).exists() else []
    for name in (MANIFEST, *extra, *bundle.manifest.files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path / name, folder / name)


def _fetched(
    args: argparse.Namespace, shelf: Shelf, wanted: _Wanted, wish: Wish, folder: Path, *, signed_only: bool
) -> bool:
    """What is behind the address; a file with a wrong hash is thrown away, so that the next call fetches it anew."""
    name = wanted.url.partition("?")[0].rstrip("/").rpartition("/")[2] or "download"
    with draft(shelf.root) as side:
        whole = side / name
        with part_of(shelf.root, wanted.url, time.time()) as part:
            with Progress(name, unit="bytes") as progress:
                download(wanted.url, part, progress.grow, timeout_s=args.stall)
            part.replace(whole)
        _must_be(wanted.url, whole, wanted.digest)
        if wanted.member:
            archive, whole = whole, side / _file_name(wanted.member[-1])
            take(archive, wanted.member, whole)
            _must_be(f"{wanted.url}: {wanted.member[-1]}", whole, wanted.member_digest)
        return _taken(whole, wish, folder, signed_only=signed_only)


def _must_be(what: str, path: Path, digest: str) -> None:
    if digest and (found := file_sha256(path)) != digest:
        raise BundleError(
            f"{what}: expected the sha256 {digest}, found {found}: it was damaged or replaced on the way; "
            "ask its maker, and do not use it"
        )


def _file_name(member: str) -> str:
    """Of the model in the bundle; what a catalogue says becomes no path."""
    name = member.rpartition("/")[2]
    if not re.fullmatch(r"\w[\w.-]*\.tflite", name):
        raise InputError(f"member: expected the name of a .tflite in the archive, found {member!r}")
    return name


def _listed(args: argparse.Namespace, shelf: Shelf, wish: Wish, folder: Path, *, signed_only: bool) -> bool:
    catalog = read_catalog(args.catalog)
    entry = catalog.get(args.what)
    if entry is None:
        known = ", ".join(catalog)
        raise InputError(
            f"{args.what}: there is no such file or folder, and the catalogue has no such name"
            f"{nearest(args.what, catalog)} (it has: {known})"
        )
    wish = _filled(wish, args.what, entry)
    if entry.remote:
        wanted = _Wanted(entry.url, entry.sha256, entry.member, entry.member_sha256)
        return _fetched(args, shelf, wanted, wish, folder, signed_only=signed_only)
    path = args.catalog.parent / entry.url
    proof = path / MANIFEST if path.is_dir() else path
    if not proof.is_file():
        raise InputError(f"{args.catalog}: {args.what}: there is no {proof}")
    if (found := file_sha256(proof)) != entry.sha256:
        raise BundleError(f"{proof}: expected the sha256 {entry.sha256}, found {found}: it was changed")
    return _taken(path, wish, folder, signed_only=signed_only)


def _filled(wish: Wish, name: str, entry: Listed) -> Wish:
    """What the user did not say, the catalogue does."""
    return Wish(
        name=wish.name or name,
        version=wish.version or entry.version,
        labels=wish.labels or entry.labels,
        decoder={**entry.decoder, **wish.decoder},
        input={**entry.input, **wish.input},
        outputs=wish.outputs or entry.outputs,
        summary=wish.summary or entry.summary,
        licence=wish.licence or entry.licence,
        provenance=wish.provenance or entry.provenance,
        golden=wish.golden,
        next_version=wish.next_version,
    )
