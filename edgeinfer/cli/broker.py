"""What the commands that look at a broker as a stranger share: which broker, and a subscription; publishes nothing."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.secrets import read_login

Take = Callable[[str, bytes], None]
_ANSWER_S = 10.0
_SPARKPLUG = "spBv1.0"


def add_broker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="mqtt://HOST:PORT, or mqtts://HOST:PORT for TLS")
    parser.add_argument(
        "--topic", default="edgeinfer/+", help="the root topic of the devices, with wildcards (edgeinfer/+)"
    )
    parser.add_argument(
        "--credentials-file", default="", metavar="FILE", help="user:password, for this user alone"
    )
    parser.add_argument("--ca", default="", metavar="PEM", help="the broker's authority, for mqtts")


def look_at_json(topic: str) -> None:
    """Raises InputError where `topic` is Sparkplug's: these commands read what sinks of encoding json publish."""
    if topic.split("/", maxsplit=1)[0] == _SPARKPLUG:
        raise InputError(
            f"--topic {topic!r}: this reads the messages of encoding json, and these are Sparkplug's: a Sparkplug host "
            "sees missing ones by seq; give the device a second sink with encoding json, and the topic of that one here"
        )


class Subscription:
    """Listens from `__enter__`, which returns once the broker has granted all `topics` (with QoS), to `__exit__`.

    `take` is called in another thread. `keep`: the broker keeps what comes while the connection is broken.

    Raises:
        InputError: the URL or a file is wrong.
        DeliveryError: the broker cannot be reached, or refuses.
    """

    def __init__(
        self, args: argparse.Namespace, topics: Sequence[tuple[str, int]], take: Take, *, keep: bool = False
    ) -> None:
        self._args, self._topics, self._keep = args, list(topics), keep
        self._granted, self._ended = Event(), Event()
        self._refused = ""
        self._name = f"edgeinfer-look-{time.time_ns():x}"
        self._client = _client(args, self._name, keep=keep)
        self._client.on_connect, self._client.on_subscribe = self._connected, self._subscribed
        self._client.on_message = lambda _client, _userdata, message: take(message.topic, message.payload)

    def __enter__(self) -> Subscription:
        url = self._args.url
        try:
            self._client.connect(_host(url), _port(url))
        except (OSError, ValueError) as error:
            raise DeliveryError(f"{url} cannot be reached: {error}; is the broker running?") from error
        self._client.loop_start()
        if not self._granted.wait(_ANSWER_S) or self._refused:
            self._end()
            raise DeliveryError(f"{url} {self._refused or 'does not answer: is it hanging?'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def ended(self) -> bool:
        """Whether the user has seen enough."""
        return self._ended.is_set()

    def wait(self, timeout_s: float | None) -> None:
        """Until time is over, or Ctrl-C."""
        try:
            self._ended.wait(timeout_s)
        except KeyboardInterrupt:
            self._ended.set()

    def _end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        if self._keep and not self._refused:
            self._forget()

    def _forget(self) -> None:
        """The broker would go on keeping messages for us: a clean session under the same name ends that (3.1.1, 3.1.2.4)."""
        client, done = _client(self._args, self._name, keep=False), Event()
        client.on_connect = lambda *_: done.set()
        with contextlib.suppress(OSError, ValueError):
            client.connect(_host(self._args.url), _port(self._args.url))
            client.loop_start()
            done.wait(_ANSWER_S)
            client.disconnect()
            client.loop_stop()

    def _connected(self, client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refuse(f"refuses the connection: {reason}; look at --credentials-file")
        else:
            client.subscribe(self._topics)

    def _subscribed(self, _client: Any, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse(f"does not let this user read {', '.join(topic for topic, _ in self._topics)}")
        self._granted.set()

    def _refuse(self, why: str) -> None:
        self._refused = why
        self._granted.set()


def _client(args: argparse.Namespace, name: str, *, keep: bool) -> Any:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    scheme = urlsplit(args.url).scheme
    if scheme not in {"mqtt", "mqtts"} or not _host(args.url):
        raise InputError(f"expected mqtt://HOST:PORT or mqtts://HOST:PORT, found {args.url!r}")
    client = Client(
        CallbackAPIVersion.VERSION2,
        name,
        protocol=MQTTProtocolVersion.MQTTv311,
        clean_session=not keep,
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
