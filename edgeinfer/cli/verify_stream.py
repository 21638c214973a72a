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
from pathlib import Path
from threading import Event, Lock
from typing import Any
from urllib.parse import urlsplit

from edgeinfer.cli.setting import seconds
from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.secrets import read_login
from edgeinfer.wire.stream import Streams

_COLUMNS = {
    "device": "device", "decisions": "decisions", "missing": "missing", "out_of_order": "disorder",
    "repeats": "repeats", "told_gaps": "told gaps", "restarts": "restarts", "late": "late", "worst_s": "worst s",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS")
    parser.add_argument(
        "--topic", default="edgeinfer/+", help="the root topic of the devices, with wildcards (edgeinfer/+)"
    )
    parser.add_argument("--for", dest="for_s", type=seconds, metavar="S", help="end after S seconds (Ctrl-C)")
    parser.add_argument(
        "--late", dest="late_s", type=seconds, default=5.0, metavar="S", help="late from S on (5)"
    )
    parser.add_argument("--credentials-file", default="", metavar="FILE", help="user:password")
    parser.add_argument("--ca", default="", metavar="PEM", help="the broker's authority, for mqtts")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    parser.epilog = (
        "exit code: 0 nothing is missing and all came in order · 1 it is not so, or no connection\n"
        "example: edgeinfer verify-stream mqtt://broker:1883 --for 3600"
    )


def main(args: argparse.Namespace) -> int:
    streams, lock = Streams(args.late_s), Lock()

    def take(topic: str, payload: bytes) -> None:
        with lock:
            streams.take(topic, payload, time.time())

    _listen(args, take)
    with lock:
        print(_as_json(streams) if args.json else _as_text(streams))
        return 0 if streams.whole else 1


def _listen(args: argparse.Namespace, take: Any) -> None:
    """Until time is over or Ctrl-C; a session that the broker keeps, so that a broken connection loses nothing."""
    client, ended, refused = _client(args), Event(), list[str]()

    def connected(client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            refused.append(str(reason))
            ended.set()
            return
        client.subscribe([(f"{args.topic}/decision/+", 1), (f"{args.topic}/gap", 1)])

    def subscribed(*_: Any) -> None:
        print(f"listening to {args.topic} on {args.url}", file=sys.stderr, flush=True)

    client.on_connect, client.on_subscribe = connected, subscribed
    client.on_message = lambda _client, _userdata, message: take(message.topic, message.payload)
    try:
        client.connect(_host(args.url), _port(args.url))
    except (OSError, ValueError) as error:
        raise DeliveryError(f"{args.url} cannot be reached: {error}; is the broker running?") from error
    client.loop_start()
    try:
        ended.wait(args.for_s)
    except KeyboardInterrupt:
        pass
    finally:
        client.disconnect()
        client.loop_stop()
    if refused:
        raise DeliveryError(f"{args.url} refuses the connection: {refused[0]}; look at --credentials-file")


def _client(args: argparse.Namespace) -> Any:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    scheme = urlsplit(args.url).scheme
    if scheme not in {"mqtt", "mqtts"} or not _host(args.url):
        raise InputError(f"expected mqtt://HOST:PORT or mqtts://HOST:PORT, found {args.url!r}")
    client = Client(
        CallbackAPIVersion.VERSION2,
        f"edgeinfer-verify-{time.time_ns():x}",
        protocol=MQTTProtocolVersion.MQTTv311,
        clean_session=False,
    )
    if args.credentials_file:
        login = read_login(args.credentials_file)
        client.username_pw_set(login.user, login.password)
    if scheme == "mqtts":
        if args.ca and not Path(args.ca).is_file():
            raise InputError(f"--ca {args.ca}: there is no such file")
        client.tls_set(args.ca or None)
    return client


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or (8883 if url.startswith("mqtts:") else 1883)
    except ValueError as error:
        raise InputError(f"{url}: {error}") from error


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
        return "no decisions came: is the topic right, does a device decide?"
    table = [list(_COLUMNS.values()), *([str(row[key]) for key in _COLUMNS] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
    for row in rows:
        lines += [f"{row['device']}: {a} to {b} never came and nobody said why" for a, b in row["holes"]]
    if streams.foreign:
        lines.append(f"{streams.foreign} messages on these topics are not ours")
    return "\n".join(lines)
