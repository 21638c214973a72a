"""Ed25519 keys: make a pair that signs bundles, firmware and other files, and show what a device trusts.

The private half stays where you build (mode 0600, never on a device). The public half goes into
/etc/edgeinfer/trust/ of each device: from then on it takes only what was signed.
"""

from __future__ import annotations

import argparse
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.app.trust import need_cryptography, trusted_keys
from edgeinfer.cli.trust import add_trust
from edgeinfer.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DEFAULT = Path("~/.config/edgeinfer/key.pem")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="key_command", required=True, metavar="new|show")
    new = commands.add_parser("new", help="make a pair: FILE, and FILE with .pub.pem for the devices")
    new.add_argument(
        "file", type=Path, nargs="?", default=DEFAULT, metavar="FILE", help=f"default: {DEFAULT}"
    )
    show = commands.add_parser("show", help="the public half of a key, and what this device trusts")
    show.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a private or a public key")
    for command in (new, show):
        command.add_argument("--json", action="store_true", help="for programs: one JSON object on stdout")
    add_trust(show)


def main(args: argparse.Namespace) -> int:
    need_cryptography()
    return _new(args) if args.key_command == "new" else _show(args)


def _new(args: argparse.Namespace) -> int:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path: Path = args.file.expanduser()
    public = public_path(path)
    key = Ed25519PrivateKey.generate()
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _write_new(public, _pem(key.public_key()), 0o644)
    mark = fingerprint(key.public_key())
    if args.json:
        print(json.dumps({"private": str(path), "public": str(public), "fingerprint": mark}))
    else:
        print(f"{path}: signs; keep it secret, and keep a copy\n{public}: fingerprint {mark}")
        print(f"on each device: sudo install -D -m 644 {public.name} /etc/edgeinfer/trust/{public.name}")
    return 0


def _show(args: argparse.Namespace) -> int:
    paths = [args.file.expanduser()] if args.file else trusted_keys(args.trust)
    keys = {str(path): load_public(path) for path in paths}
    if args.json:
        rows = [{"file": f, "fingerprint": fingerprint(k), "pem": _pem(k).decode()} for f, k in keys.items()]
        print(json.dumps(rows))
        return 0
    if not keys:
        print(f"{args.trust}: no key in it: this device takes unsigned bundles and firmware")
    for file, key in keys.items():
        print(f"{file}: fingerprint {fingerprint(key)}\n{_pem(key).decode()}", end="")
    return 0


def public_path(path: Path) -> Path:
    """`key.pem` has its public half in `key.pub.pem`."""
    return path.with_name(f"{path.stem}.pub.pem")


def load_public(path: Path) -> Ed25519PublicKey:
    """The public half of a PEM file of either kind; raises InputError when it is none of ours."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the key cannot be read: {error.strerror}") from error
    try:
        private = b"PRIVATE KEY" in content
        key = load_pem_private_key(content, None) if private else load_pem_public_key(content)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: expected an unencrypted PEM key: {error}") from error
    if isinstance(key, Ed25519PrivateKey):
        return key.public_key()
    if isinstance(key, Ed25519PublicKey):
        return key
    raise InputError(f"{path}: expected an Ed25519 key; make one: edgeinfer key new")


def fingerprint(key: Ed25519PublicKey) -> str:
    """16 digits of the sha256 of the raw 32 bytes: enough to compare by eye."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _pem(key: Ed25519PublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Never over a key that is there: what it signed could not be renewed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise InputError(
            f"{path}: is there already, and a key is never overwritten; name another file"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)
