"""Shows what a package holds (and whether every hash is right), or what the node on a port says that it runs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.cli.firmware_lend import borrowed
from edgeinfer.cli.firmware_place import folder_of, socket_of
from edgeinfer.errors import EdgeinferError

if TYPE_CHECKING:
    from firmware_bridge.flash.package import Package
    from firmware_bridge.flash.running import Running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="PACKAGE|PORT", help="an .efw file, or a serial port")
    parser.add_argument("--key", type=Path, metavar="PEM", help="also check that this key signed the package")
    parser.add_argument("--baud", type=int, default=115_200, help="of the node's link (default 115200)")


def main(args: argparse.Namespace) -> int:
    path = Path(args.what)
    found = _node(args) if path.is_char_device() else _package(path, args.key)
    if args.json:
        print(json.dumps(found))
    else:
        lines = [f"{key:<10} {value}" for key, value in found.items() if not isinstance(value, list)]
        print("\n".join([*lines, *(f"image      {_line(part)}" for part in found.get("parts", ()))]))
    return 0


def _package(path: Path, key: Path | None) -> dict[str, Any]:
    from firmware_bridge.flash.package import load

    package: Package = load(path, key)
    manifest = asdict(package.manifest)
    parts = list(manifest.pop("parts"))
    signed = "yes, by this key" if key else "yes, not checked (--key)" if package.signature else "no"
    return {**manifest, "digest": package.digest, "signed": signed, "parts": parts}


def _node(args: argparse.Namespace) -> dict[str, Any]:
    from firmware_bridge.flash import lock
    from firmware_bridge.flash.wire import hello_at

    with borrowed(args.what, socket_of(args)) as owner:
        lock.wait_free(args.what, 3.0 if owner else 0.0)
        running = hello_at(args.baud)(args.what, 4.0)
    if running is None:
        raise EdgeinferError(
            f"{args.what}: no HELLO within 4 s: not our firmware, another baud rate, or only a bootloader; "
            "it can still be flashed"
        )
    return {"runs": str(running), **asdict(running), **_doubts(args, running)}


def _doubts(args: argparse.Namespace, running: Running) -> dict[str, str]:
    """Name and version of a half-written image look right: only its CRC tells."""
    from firmware_bridge.flash import backup
    from firmware_bridge.flash.journal import Journal

    broken = Journal(folder_of(args)).broken(args.what)
    if broken is None or not backup.torn(running, broken):
        return {}
    last = broken.summary
    return {
        "doubt": f"the last run ({last['what']}) was {last['result']}, and this CRC is neither of its image nor of the one "
        f"before: probably half of it; edgeinfer firmware flash --resume --port {args.what}"
    }


def _line(part: dict[str, Any]) -> str:
    slot = f" slot {part['slot']}" if part["slot"] else ""
    return f"{part['file']} at 0x{part['offset']:x}{slot}, {part['length']} bytes, CRC {part['crc32']:08x}"
