"""Lists what is plugged in: board, cameras and their sizes, serial ports, accelerators; by the names that stay.

It scans no network. With --ask the free serial ports are opened and asked for their HELLO: some boards restart then.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edgeinfer.devices.found import ROOT, Found, look

_SIZES_SHOWN = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="all of it, as JSON")
    parser.add_argument(
        "--ask", action="store_true", help="ask each free serial port which node answers (may restart boards)"
    )
    parser.add_argument("--baud", type=int, default=115_200, help="of the nodes' link (default 115200)")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.epilog = "exit code: 0, also when nothing is plugged in"


def main(args: argparse.Namespace) -> int:
    found = look(args.root)
    nodes = _ask(found, args.baud) if args.ask else {}
    if args.json:
        body = msgspec.to_builtins(found) | ({"nodes": nodes} if args.ask else {})
        print(json.dumps(body, indent=2))
    else:
        print("\n".join(as_text(found, nodes)))
    return 0


def _ask(found: Found, baud: int) -> dict[str, str]:
    """Port → the node that answers, or why none does."""
    from edgeinfer.cli import firmware_list

    return {
        port.name: firmware_list.look(port.name, ask=True, baud=baud)["condition"] for port in found.serial
    }


def as_text(found: Found, nodes: dict[str, str]) -> Iterator[str]:
    board = found.board
    memory = f", {board.memory_mb} MB of memory" if board.memory_mb else ""
    yield f"board: {board.model} ({board.machine}, Linux {board.kernel}{memory})"
    yield from _cameras(found)
    yield from _serial(found, nodes)
    yield from _accelerators(found)


def _cameras(found: Found) -> Iterator[str]:
    yield "cameras:" if found.cameras else "cameras: none (one on a ribbon cable is read by the source pipe)"
    for camera in found.cameras:
        yield f"  {camera.name}  {camera.device}  {camera.card}"
        if camera.sizes:
            more = len(camera.sizes) - _SIZES_SHOWN
            yield f"    {', '.join(camera.sizes[:_SIZES_SHOWN])}{f' and {more} more' if more > 0 else ''}"
        yield from _problem(camera.problem)


def _serial(found: Found, nodes: dict[str, str]) -> Iterator[str]:
    yield "serial ports:" if found.serial else "serial ports: none"
    for port in found.serial:
        yield f"  {port.name}  {port.device}  {port.product or port.usb_id}".rstrip()
        if not port.stays:
            yield "    this name may belong to another device after the next start, and it has no better one"
        if port.name in nodes:
            yield f"    {nodes[port.name]}"
        else:
            yield from _problem(port.problem)


def _accelerators(found: Found) -> Iterator[str]:
    yield "accelerators:" if found.accelerators else "accelerators: none"
    for one in found.accelerators:
        warm = "" if one.temp_c is None else f"  {one.temp_c:.0f} °C"
        yield f"  Edge TPU on {one.bus}  {one.node}  {one.state}{warm}"
        yield from _problem(one.problem)
    library = found.libedgetpu
    if library:
        yield f"  libedgetpu: {library.path} (for {library.machine or 'no machine: it is no library'})"
    elif found.accelerators:
        yield "  libedgetpu: not found; docs/accelerators.md says how to install it"


def _problem(text: str) -> Iterator[str]:
    if text:
        yield f"    {text}"
