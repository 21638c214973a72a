"""All devices on a broker, from what each of them publishes about itself: who is online, which version and bundles it
runs, what is degraded and why, how late its decisions are. Asks nothing of the devices.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from threading import Lock
from typing import Any

from edgeinfer.cli.broker import Subscription, add_broker, look_at_json
from edgeinfer.cli.setting import seconds
from edgeinfer.cli.table import columns
from edgeinfer.wire.roster import HEARTBEAT_S, Roster, Seen

_REDRAW_S = 2.0
_HEADS = ("device", "condition", "version", "p95 ms", "bundles")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_broker(parser)
    parser.add_argument("--watch", action="store_true", help="draw the table again every 2 s, until Ctrl-C")
    parser.add_argument(
        "--for", dest="for_s", type=seconds, default=HEARTBEAT_S + 1, metavar="S",
        help="listen for S seconds first (6: each device's heartbeat comes once in that)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object on stdout")
    parser.epilog = "exit code: 0 all devices are online and well · 1 some are not, or no connection"


def main(args: argparse.Namespace) -> int:
    look_at_json(args.topic)
    roster, lock = Roster(), Lock()

    def take(topic: str, payload: bytes) -> None:
        with lock:
            roster.take(topic, payload, time.monotonic())

    topics = [(f"{args.topic}/{kind}", 1) for kind in ("status", "health", "heartbeat")]
    with Subscription(args, topics, take) as broker:
        while args.watch and not broker.ended:
            broker.wait(_REDRAW_S)
            with lock:
                print("\033[H\033[2J" + _as_text(roster, time.monotonic()), flush=True)
        if not args.watch:
            broker.wait(args.for_s)
    now_s = time.monotonic()
    if not args.watch:
        print(_as_json(roster, now_s) if args.json else _as_text(roster, now_s))
    if not roster.devices:
        print(
            f"no device on {args.topic}: is the topic right? (sinks with encoding sparkplug are not seen here)",
            file=sys.stderr,
        )
    return 0 if roster.devices and all(s.condition(now_s) == "ok" for s in roster.devices.values()) else 1


def _as_json(roster: Roster, now_s: float) -> str:
    rows = {root: _row(seen, now_s) for root, seen in sorted(roster.devices.items())}
    return json.dumps({"devices": rows}, indent=2, ensure_ascii=False)


def _row(seen: Seen, now_s: float) -> dict[str, Any]:
    health = seen.health
    return {
        "device": health.device if health else None,
        "condition": seen.condition(now_s),
        "version": health.version if health else None,
        "config": health.config if health else None,
        "models": seen.models,
        "p95_ms": seen.p95_ms,
        "degraded": health.degraded if health else {},
    }


def _as_text(roster: Roster, now_s: float) -> str:
    rows = [list(_HEADS)]
    notes = []
    for root, seen in sorted(roster.devices.items()):
        row = _row(seen, now_s)
        shown = (
            row["device"] or root,
            row["condition"],
            row["version"],
            row["p95_ms"],
            ", ".join(row["models"]),
        )
        rows.append(["-" if cell in {None, ""} else str(cell) for cell in shown])
        notes += [f"{shown[0]}: {part}: {why}" for part, why in row["degraded"].items()]
    return "\n".join([*columns(rows, indent=""), *notes])
