"""Makes one file out of what a build left: hex, elf, bin, ESP-IDF's flasher_args.json, MCUboot's signed image.

The same input gives the same bytes. For a board that edgeinfer knows, flasher and options are filled in; for
another, name them with --flasher and --set. Where the image is linked once for each slot of an A/B bootloader,
give each file with its slot: --slot a=app_a.hex --slot b=app_b.hex.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.errors import InputError

if TYPE_CHECKING:
    from firmware_bridge.flash.sources import Found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help=".hex .elf .bin, flasher_args.json or its folder"
    )
    parser.add_argument(
        "--slot", action="append", default=[], metavar="SLOT=FILE", help="an image linked for a slot"
    )
    parser.add_argument("--board", required=True, help="the board's name, as its firmware says it in HELLO")
    parser.add_argument("--name", required=True, help="the firmware's name")
    parser.add_argument("--version", help="the firmware's version (an MCUboot image brings its own)")
    parser.add_argument("--offset", type=_number, help="where a .bin belongs, such as 0x08000000")
    parser.add_argument("--build", default="", help="build digest, for a board that cannot hash its flash")
    parser.add_argument("--flasher", help="which tool writes it, where the board is not a known one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the flasher"
    )
    parser.add_argument(
        "--sign", "--key", dest="key", type=Path, metavar="PEM", help="sign with this Ed25519 private key"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: NAME-VERSION-BOARD.efw")


def main(args: argparse.Namespace) -> int:
    from firmware_bridge.flash import package
    from firmware_bridge.flash.flasher import kind

    found = _gather(args)
    flasher, options = _flasher(args, found)
    manifest = package.build(
        found,
        board=args.board,
        name=args.name,
        version=_version(args, found),
        flasher=flasher,
        build_digest=args.build or _digest(found),
        options=options,
    )
    raw = package.pack(manifest, found, args.key)
    made = package.read(raw, "the new package")
    kind(flasher)(options).fit(made)
    path = args.output or Path(f"{manifest.name}-{manifest.version}-{manifest.board}.efw")
    _write(path, raw)
    said = {"file": str(path), "package": made.label, "digest": made.digest, "signed": bool(made.signature)}
    signed = ", signed" if made.signature else ""
    print(json.dumps(said) if args.json else f"{path}: {made.label}, {len(raw)} bytes{signed}")
    return 0


def _flasher(args: argparse.Namespace, found: Sequence[Found]) -> tuple[str, dict[str, str | int]]:
    """Which tool writes it, and with which options: what the board is known to need, and --set over it."""
    from firmware_bridge.flash.boards import BOARDS

    known = BOARDS.get(args.board)
    name = args.flasher or (known.flasher if known else "mcuboot" if found[0].mcuboot else None)
    if name is None:
        raise InputError(
            f"--board: {args.board!r} is not a known one (those are: {', '.join(BOARDS)}); add --flasher and --set"
        )
    options = {**(known.options if known and known.flasher == name else {}), **_options(args.set)}
    chip = options.get("chip")
    if found[0].chip and name == "esptool" and chip not in {found[0].chip, None}:
        raise InputError(f"--board: {args.board} has an {chip}, and the build is for an {found[0].chip}")
    return str(name), options


def _digest(found: Sequence[Found]) -> str:
    """By which a node that cannot hash its flash proves an image: MCUboot knows its images by a hash of its own."""
    return found[0].mcuboot.digest.hex() if found[0].mcuboot else ""


def _write(path: Path, raw: bytes) -> None:
    try:
        path.write_bytes(raw)
    except OSError as error:
        raise InputError(f"--output: {path} cannot be written: {error.strerror}") from error


def _gather(args: argparse.Namespace) -> Sequence[Found]:
    from firmware_bridge.flash.sources import gather

    found = list(gather(args.file, args.offset)) if args.file else []
    for text in args.slot:
        slot, equals, file = text.partition("=")
        if not equals:
            raise InputError(f"--slot: expected SLOT=FILE, such as a=app_a.hex, found {text!r}")
        found += gather(Path(file), args.offset, slot)
    if not found:
        raise InputError("name a FILE, or one with --slot for each slot")
    return found


def _version(args: argparse.Namespace, found: Sequence[Found]) -> str:
    version = args.version or (found[0].mcuboot.version if found[0].mcuboot else "")
    if not version:
        raise InputError("--version is missing (only an MCUboot image says it by itself)")
    return str(version)


def _options(pairs: Sequence[str]) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"--set: expected KEY=VALUE, such as part=m328p, found {pair!r}")
        try:
            found[key] = int(value, 0)
        except ValueError:
            found[key] = value
    return found


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number such as 0x8000, found {text!r}") from None
