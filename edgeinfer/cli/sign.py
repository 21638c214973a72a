"""Signs a packed bundle or a firmware package inside of itself, a bundle's folder or any other file beside it.

What is signed in a bundle or package is its manifest, which holds the sha256 of every file. Beside any other FILE
stands FILE.sig: 64 bytes, Ed25519 (RFC 8032) over the whole file.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path

from edgeinfer.app.trust import need_cryptography
from edgeinfer.cli.key import DEFAULT
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.store import open_bundle
from edgeinfer.store.find import MANIFEST
from edgeinfer.store.packed import resign

_INSIDE = (MANIFEST, "firmware.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE|DIR", help="a bundle, a package, or any file")
    parser.add_argument("--key", type=Path, default=DEFAULT, metavar="PEM", help=f"default: {DEFAULT}")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object on stdout")


def main(args: argparse.Namespace) -> int:
    path: Path = args.file
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    signed = _sign(path, args.key.expanduser())
    print(json.dumps({"file": str(path), "signature": signed}) if args.json else f"{path}: signed ({signed})")
    return 0


def signature(content: bytes, key: Path) -> bytes:
    """64 bytes; raises InputError when `key` is no Ed25519 private key, or cryptography is not installed."""
    from firmware_bridge.flash.errors import PackageError
    from firmware_bridge.flash.signing import sign

    need_cryptography()
    try:
        return sign(content, key)
    except PackageError as error:
        raise InputError(f"{error}; make a key: edgeinfer key new") from error


def _sign(path: Path, key: Path) -> str:
    """Where the signature stands now."""
    if path.is_dir():
        manifest = open_bundle(path).folder / MANIFEST
        return _beside(manifest, key)
    inside = _manifest_in(path)
    if not inside:
        return _beside(path, key)
    with zipfile.ZipFile(path) as archive:
        made = signature(archive.read(inside), key)
    fresh = path.with_name(f".{path.name}.new")
    try:
        resign(path, fresh, inside, made)
        fresh.replace(path)
    except OSError as error:
        raise EdgeinferError(f"{path}: cannot be written: {error.strerror}; it is unchanged") from error
    finally:
        fresh.unlink(missing_ok=True)
    return f"inside, over {inside}"


def _beside(path: Path, key: Path) -> str:
    made = signature(path.read_bytes(), key)
    beside = path.with_name(f"{path.name}.sig")
    try:
        beside.write_bytes(made)
    except OSError as error:
        raise EdgeinferError(f"{beside}: cannot be written: {error.strerror}") from error
    return str(beside)


def _manifest_in(path: Path) -> str:
    """The manifest of a packed bundle or a firmware package; "" for any other file."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return ""
    try:
        with zipfile.ZipFile(path) as archive:
            return next((name for name in _INSIDE if name in archive.namelist()), "")
    except zipfile.BadZipFile:
        return ""
