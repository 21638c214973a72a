"""Makes one file of a bundle, signed where a key is given; `edgeinfer model add` takes it on the device.

It may travel by USB stick or plain HTTP: the signature is over the manifest, which holds the sha256 of every file.
The same bundle and key give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeinfer.cli.model_store import tell
from edgeinfer.cli.sign import signature
from edgeinfer.errors import EdgeinferError
from edgeinfer.store import find_bundle, open_bundle
from edgeinfer.store.find import MANIFEST
from edgeinfer.store.packed import SUFFIX, pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="NAME|DIR", help="a bundle's name (NAME@VERSION), or its folder")
    parser.add_argument("--key", type=Path, metavar="PEM", help="sign with this Ed25519 private key")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f"default: NAME-VERSION{SUFFIX} in this folder"
    )


def main(args: argparse.Namespace) -> int:
    bundle = open_bundle(find_bundle(args.what, args.state))
    made = signature((bundle.folder / MANIFEST).read_bytes(), args.key.expanduser()) if args.key else b""
    path: Path = args.output or Path(f"{bundle.manifest.name}-{bundle.manifest.version}{SUFFIX}")
    fresh = path.with_name(f".{path.name}.new")
    try:
        pack(bundle, fresh, made)
        fresh.replace(path)
    except OSError as error:
        raise EdgeinferError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
    size = path.stat().st_size
    told = {"file": str(path), "identity": bundle.identity, "signed": bool(made), "size_bytes": size}
    signed = "signed" if made else "not signed (--key)"
    tell(args, told, f"{path}: {bundle.identity}, {size:,} bytes, {signed}")
    return 0
