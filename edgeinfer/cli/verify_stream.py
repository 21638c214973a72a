"""Subscribes to a broker as a stranger would, and says whether the promise is kept: are decisions missing, repeated,
out of order, late? For each device on the broker.

A hole that the device itself explains (`gap`: its outbox was full) is told and is no failure; neither are repeats.
Lateness compares the device's clock with this machine's: both have to be right.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from threading import Lock
from typing import Any

from edgeinfer.cli.broker import Subscription, add_broker, look_at_json
from edgeinfer.cli.setting import seconds
from edgeinfer.cli.table import columns
from edgeinfer.wire.stream import Streams

_DEEPEST = 4
"""Levels between the root and `decision`, as a sink's `decision_topic` may have; `#` would bring all states as well."""
_COLUMNS = {
    "device": "device", "decisions": "decisions", "missing": "missing", "out_of_order": "disorder",
    "repeats": "repeats", "told_gaps": "told gaps", "restarts": "restarts", "late": "late", "worst_s": "worst s",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_broker(parser)
    parser.add_argument("--for", dest="for_s", type=seconds, metavar="S", help="end after S seconds (Ctrl-C)")
    parser.add_argument(
        "--late", dest="late_s", type=seconds, default=5.0, metavar="S", help="late from S on (5)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    parser.epilog = (
        "exit code: 0 nothing is missing and all came in order · 1 it is not so, or no connection\n"
        "example: edgeinfer verify-stream mqtt://broker:1883 --for 3600"
    )


def main(args: argparse.Namespace) -> int:
    look_at_json(args.topic)
    streams, lock = Streams(args.late_s), Lock()

    def take(topic: str, payload: bytes) -> None:
        with lock:
            streams.take(topic, payload, time.time())

    topics = [(f"{args.topic}{'/+' * deep}/decision/+", 1) for deep in range(_DEEPEST + 1)]
    topics.append((f"{args.topic}/gap", 1))
    with Subscription(args, topics, take, keep=True) as broker:
        print(f"listening to {args.topic} on {args.url}", file=sys.stderr, flush=True)
        broker.wait(args.for_s)
    with lock:
        print(_as_json(streams) if args.json else _as_text(streams))
        return 0 if streams.whole else 1


def _rows(streams: Streams) -> list[dict[str, Any]]:
    rows = []
    for device, stream in sorted(streams.devices.items()):
        plain = {k: v for k, v in asdict(stream).items() if not k.startswith("_")}
        rows.append(
            {"device": device, "missing": stream.missing, **plain, "worst_s": round(stream.worst_s, 3)}
        )
    return rows


def _as_json(streams: Streams) -> str:
    body = {"whole": streams.whole, "foreign": streams.foreign, "devices": _rows(streams)}
    return json.dumps(body, indent=2)


def _as_text(streams: Streams) -> str:
    rows = _rows(streams)
    if not rows:
        return "no decisions came: is the topic right, does a device decide? (sinks with encoding sparkplug are not seen here)"
    table = [list(_COLUMNS.values()), *([str(row[key]) for key in _COLUMNS] for row in rows)]
    lines = list(columns(table, indent=""))
    for row in rows:
        lines += [f"{row['device']}: {a} to {b} never came and nobody said why" for a, b in row["holes"]]
    if streams.foreign:
        lines.append(f"{streams.foreign} messages on these topics are not ours")
    return "\n".join(lines)
