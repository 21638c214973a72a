"""Lists the serial ports by the name that stays (by-id), who has them open, and with --ask which nodes answer.

Asking opens the ports that are free; some boards restart when that happens.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from edgeinfer.errors import EdgeinferError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ask", action="store_true", help="ask each free port for its HELLO (may restart boards)"
    )
    parser.add_argument("--port", action="append", metavar="PORT", help="only this port (may be given again)")
    parser.add_argument("--baud", type=int, default=115_200, help="of the nodes' link (default 115200)")


def main(args: argparse.Namespace) -> int:
    from firmware_bridge.port import ports

    found = [
        look(port, ask=args.ask, baud=args.baud) for port in args.port or [port.name for port in ports()]
    ]
    for one in found:
        print(json.dumps(one) if args.json else "  ".join(str(value) for value in one.values() if value))
    if not found and not args.json:
        print("no serial ports; is the cable in? (dmesg | tail says what the kernel saw)")
    return 0


def look(port: str, *, ask: bool, baud: int) -> dict[str, Any]:
    """The port, the device behind it, and its condition in words: who has it, or with `ask` which node answers."""
    from firmware_bridge.flash import lock
    from firmware_bridge.flash.errors import FlashError
    from firmware_bridge.flash.wire import hello_at

    found: dict[str, Any] = {"port": port, "device": os.path.realpath(port)}
    try:
        lock.check(port)
        if not ask:
            return found | {"condition": "free"}
        running = hello_at(baud)(port, 4.0)
    except (FlashError, EdgeinferError) as error:
        return found | {"condition": str(error).removeprefix(f"{port} ").removeprefix(f"{port}: ")}
    return found | {"condition": str(running) if running else "free, no HELLO"}
