"""All devices on a broker, from what each of them publishes about itself: who is online, which version and bundles it
runs, what is degraded and why, how late its decisions are. Asks nothing of the devices.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from threading import Lock

from edgeinfer.cli.broker import Subscription, add_broker, look_at_json
from edgeinfer.cli.fleet_table import as_json, as_text
from edgeinfer.cli.setting import seconds
from edgeinfer.wire.roster import FIRST_S, Roster

_REDRAW_S = 2.0
_LOOK_S = 0.2
_KINDS = ("status", "health", "heartbeat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_broker(parser)
    parser.add_argument("--watch", action="store_true", help="draw the table again every 2 s, until Ctrl-C")
    parser.add_argument("--unwell", action="store_true", help="only the devices that are not well")
    parser.add_argument(
        "--for", dest="for_s", type=seconds, default=FIRST_S + 1, metavar="S",
        help=f"listen for at most S seconds ({FIRST_S + 1:g}); ends when the heartbeat of all that are online came",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object on stdout")
    parser.epilog = "exit code: 0 all devices are online and well · 1 some are not, or no connection"


def main(args: argparse.Namespace) -> int:
    look_at_json(args.topic)
    roster, lock = Roster(), Lock()

    def take(topic: str, payload: bytes) -> None:
        with lock:
            roster.take(topic, payload, time.monotonic())

    with Subscription(args, [(f"{args.topic}/{kind}", 1) for kind in _KINDS], take) as broker:
        if args.watch:
            _watch(broker, roster, lock, unwell=args.unwell)
        else:
            _gather(broker, roster, lock, args.for_s)
    now_s = time.monotonic()
    if not args.watch:
        print(as_json(roster, now_s) if args.json else as_text(roster, now_s, unwell=args.unwell))
    if not roster.devices:
        print(
            f"no device on {args.topic}: is the topic right? (sinks with encoding sparkplug are not seen here)",
            file=sys.stderr,
        )
    return 0 if roster.devices and all(s.condition(now_s) == "ok" for s in roster.devices.values()) else 1


def _gather(broker: Subscription, roster: Roster, lock: Lock, for_s: float) -> None:
    end_s = time.monotonic() + for_s
    while (now_s := time.monotonic()) < end_s and not broker.ended:
        with lock:
            if roster.settled(now_s):
                return
        broker.wait(min(_LOOK_S, end_s - now_s))


def _watch(broker: Subscription, roster: Roster, lock: Lock, *, unwell: bool) -> None:
    while not broker.ended:
        broker.wait(_REDRAW_S)
        lines = shutil.get_terminal_size().lines - 1
        with lock:
            text = as_text(roster, time.monotonic(), unwell=unwell, lines=lines)
        print("\033[H\033[2J" + text, flush=True)
