"""Writes a package onto the board on a port, and proves by the node's own HELLO that it runs exactly that image.

Before anything is written: hashes and, where a key is configured, the signature; that the image is meant for this
board; a copy of what runs now, where it can be read back. When the new image does not prove itself, the old one
comes back. Every step is in the log; after a broken run, --resume goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from edgeinfer.cli.firmware_bars import Bars
from edgeinfer.cli.firmware_lend import LEASE_S, borrowed
from edgeinfer.cli.firmware_place import TRUSTED_KEY, folder_of, key_of, socket_of
from edgeinfer.cli.firmware_stop import Stop, stoppable
from edgeinfer.errors import EdgeinferError, InputError

if TYPE_CHECKING:
    from firmware_bridge.flash.order import Order, Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", type=Path, nargs="?", metavar="PACKAGE", help="an .efw file")
    parser.add_argument(
        "--port",
        action="append",
        required=True,
        metavar="PORT",
        help="where the board is; several: several boards",
    )
    parser.add_argument(
        "--resume", action="store_true", help="repeat the run on this port that was broken off"
    )
    parser.add_argument("--dry-run", action="store_true", help="all checks, nothing written")
    parser.add_argument("--force", action="store_true", help="write although the node runs this very image")
    parser.add_argument(
        "--no-backup", action="store_true", help="do not read back what runs now (faster; no rollback)"
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="PEM",
        help=f"only flash what this key signed (default: {TRUSTED_KEY}, if there)",
    )
    parser.add_argument("--baud", type=int, default=115_200, help="of the node's link (default 115200)")
    parser.add_argument(
        "--lease",
        type=float,
        default=LEASE_S,
        metavar="S",
        help=f"after so long without a sign of life the daemon takes its port back ({LEASE_S:.0f})",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=15.0,
        metavar="S",
        help="how long the new image may take to say HELLO, and a cable that fell out to be put in again (15)",
    )


def main(args: argparse.Namespace) -> int:
    """The worst exit code of all boards."""
    if len({os.path.realpath(port) for port in args.port}) < len(args.port):
        raise InputError("--port: the same port is given twice")
    orders = [_order(args, port) for port in args.port]
    with Bars(args.port) as bars, stoppable() as stop:
        found = _all(orders, args, bars, stop)
    errors = [one for one in found if isinstance(one, Exception)]
    verdicts = [one for one in found if not isinstance(one, Exception)]
    for verdict in verdicts:
        print(json.dumps(asdict(verdict)) if args.json else verdict.sentence)
    if errors:
        raise errors[0]
    return max(verdict.exit_code for verdict in verdicts)


def _order(args: argparse.Namespace, port: str) -> Order:
    from firmware_bridge.flash.journal import Journal
    from firmware_bridge.flash.order import Order

    folder, package = folder_of(args), args.package
    broken = Journal(folder).broken(port)
    if args.resume:
        if broken is None or broken.package is None:
            raise InputError(f"{port}: no broken run in {folder}: nothing to resume; name a package")
        package = package or broken.package
    elif package is None:
        raise InputError("name the package to flash (or --resume a broken run)")
    if broken is not None:
        print(f"{port}: the last run ({broken.job}) was {broken.summary['result']}", file=sys.stderr)
    return Order(
        package=package,
        port=port,
        folder=folder,
        key=key_of(args),
        dry_run=args.dry_run,
        force=args.force,
        backup=not args.no_backup,
        prove_s=args.wait,
        back_s=args.wait,
    )


def _all(orders: list[Order], args: argparse.Namespace, bars: Bars, stop: Stop) -> list[Verdict | Exception]:
    """Every board in a thread of its own; daemon threads, so that the third Ctrl-C ends at once (the log knows where)."""
    found: dict[str, Verdict | Exception] = {}

    def work(order: Order) -> None:
        try:
            found[order.port] = _one(order, args, bars, stop)
        except Exception as error:
            found[order.port] = error

    threads = [Thread(target=work, args=(order,), daemon=True) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[order.port] for order in orders]


def _one(order: Order, args: argparse.Namespace, bars: Bars, stop: Stop) -> Verdict:
    from firmware_bridge.flash.errors import FlashError
    from firmware_bridge.flash.job import Job
    from firmware_bridge.flash.order import World
    from firmware_bridge.flash.wire import hello_at

    door = socket_of(args)

    @contextmanager
    def lend(port: str) -> Iterator[str]:
        with ExitStack() as loan:
            try:
                owner = loan.enter_context(borrowed(port, door, args.lease))
            except EdgeinferError as error:
                raise FlashError(str(error)) from error
            yield owner

    world = World(hello_at(args.baud), lend, lambda text, share: bars.tell(order.port, text, share), stop)
    return Job(order, world).run()
