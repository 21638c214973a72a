"""Sends messages to an MQTT broker; connects and reconnects by itself, in a thread of its own."""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.events import Message, Outcome, Refused
from edgeinfer.ports import SinkPlace
from edgeinfer.secrets import read_login
from edgeinfer.sinks.mqtt_words import Words
from edgeinfer.sinks.topics import fill

if TYPE_CHECKING:  # paho takes 80 ms to import: where no broker is configured, nobody pays for it
    from edgeinfer.sinks.mqtt_link import Dial, Link

log = logging.getLogger(__name__)

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FIRST_S, _LAST_S = 0.5, 30.0  # back-off
_LIVED_S = 10.0  # a connection that held so long was a good one: the next back-off starts anew
_SUSPECT_LIVES = 2  # this many connections in a row did not hold
_MAX_REFUSED_TOPICS = 20


class Mqtt:
    """MQTT 5, or 3.1.1 where the broker knows no better; QoS 1 with many in flight."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write in a `[sink.NAME]` of kind "mqtt"."""

        url: str = "mqtt://localhost:1883"
        topic: str = "edgeinfer/{device}"
        encoding: str = "json"
        also: tuple[str, ...] = ()
        encodings: dict[str, dict[str, Any]] = {}
        client_id: str = ""
        credentials_file: str = ""
        ca: str = ""
        cert: str = ""
        key: str = ""
        version: Literal[0, 3, 5] = 0
        in_flight: int = 20
        ack_timeout_s: float = 10.0
        site: str = ""
        area: str = ""
        line: str = ""
        cell: str = ""

    @staticmethod
    def topic_root(options: Options, device: str) -> str:
        """The root topic with all placeholders filled.

        Raises:
            InputError: the template cannot be filled.
        """
        names = ("site", "area", "line", "cell")
        return fill(options.topic, {"device": device, **{name: getattr(options, name) for name in names}})

    def __init__(self, options: Options, place: SinkPlace) -> None:
        """Reads and checks all files that are named, connects only at the first `wait_ready`.

        Raises:
            InputError: an option is wrong, or a file cannot be read.
        """
        self.topic_root(options, place.device)
        if options.in_flight < 1 or options.ack_timeout_s <= 0:
            raise InputError("in_flight must be at least 1, and ack_timeout_s more than 0")
        self._options, self._place, self._report = options, place, place.report
        scheme, host, port = _parse(options.url)
        client_id = options.client_id or f"{place.device}-{place.machine_id[:8]}-{place.name}"
        self._words = Words(host, port, client_id, options.credentials_file)
        self._name = f"{place.name}-connect"
        self._tls = _tls(options) if scheme == "mqtts" else None
        _credentials(options.credentials_file)
        self.session = 0
        self._wake = Condition()
        self._link: Link | None = None
        self._closed = False
        self._dialler: Thread | None = None
        self._refused: set[str] = set()
        self._short_lives = 0

    # --- the port ----------------------------------------------------------------------------------------

    def wait_ready(self, timeout_s: float) -> bool:
        with self._wake:
            if self._dialler is None and not self._closed:
                self._dialler = Thread(target=self._keep_connected, name=self._name, daemon=True)
                self._dialler.start()
            self._wake.wait_for(lambda: self._closed or self._ready(), timeout_s)
            return self._ready()

    def _ready(self) -> bool:
        return self._link is not None and self._link.lost is None

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        link = self._link
        if link is None or link.lost is not None:
            raise DeliveryError(self._words.broker("is not connected"))
        outcomes = link.deliver(batch)
        self._tell_refused(batch, outcomes)
        return outcomes

    def close(self) -> None:
        """Safe from any thread, and twice; waits a moment for the goodbye."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
            link, dialler = self._link, self._dialler
        if link is not None:
            link.close()
        if dialler is not None:
            dialler.join(1.0)

    def _tell_refused(self, batch: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
        before = len(self._refused)
        for message, outcome in zip(batch, outcomes, strict=False):
            if isinstance(outcome, Refused):
                if len(self._refused) < _MAX_REFUSED_TOPICS:
                    self._refused.add(message.topic)
            elif self._refused:
                self._refused.discard(message.topic)
        if len(self._refused) != before:
            topics = ", ".join(sorted(self._refused))
            text = self._words.broker(f"refuses messages on {topics}: allow this user to write there")
            self._report("refused", text if topics else None)

    # --- connecting --------------------------------------------------------------------------------------

    def _keep_connected(self) -> None:
        wait_s = _FIRST_S
        while not self._closed:
            began_s = time.monotonic()
            if self._connect_once():
                lived = time.monotonic() - began_s > _LIVED_S
                self._short_lives = 0 if lived else self._short_lives + 1
                wait_s = _FIRST_S if lived else wait_s
            with self._wake:
                jittered_s = wait_s * random.uniform(0.75, 1.25)  # noqa: S311  jitter, not a secret
                self._wake.wait_for(lambda: self._closed, jittered_s)
            wait_s = min(wait_s * 2, _LAST_S)

    def _connect_once(self) -> bool:
        """Stays as long as the connection lives; whether there was one."""
        try:
            link = self._dial()
        except (DeliveryError, InputError) as error:
            self._report("broker", str(error))
            return False
        except Exception as error:
            log.exception("connecting failed in a way that is not known")
            self._report("broker", self._words.broker(f"cannot be reached, please report this: {error!r}"))
            return False
        self._report("broker", None)
        keeps = "does not keep retained messages: who connects later knows no states until they change"
        self._report("retain", None if link.retains else self._words.broker(keeps))
        with self._wake:
            self._link, self.session = link, self.session + 1
            self._wake.notify_all()
            closed = self._closed
        if not closed:
            link.wait_lost()
        link.close()
        with self._wake:
            self._link = None
        if not self._closed:
            self._report("broker", f"{link.lost}{self._suspicion()}")
        return True

    def _suspicion(self) -> str:
        """Not every broker says why it takes a connection away (MQTT 3.1.1 has no word for it)."""
        if self._short_lives < _SUSPECT_LIVES:
            return ""
        return f", again and again: perhaps another client uses the client id {self._words.client_id!r}"

    def _dial(self) -> Link:
        """Version 5 first, each time: only its reason codes tell a refused message from a delivered one."""
        from edgeinfer.sinks.mqtt_link import Link, WrongVersion

        try:
            return Link(self._make_dial(self._options.version or 5))
        except WrongVersion as error:
            if self._options.version or self._closed:
                raise
            try:
                return Link(self._make_dial(3))
            except DeliveryError:
                raise error from None

    def _make_dial(self, version: int) -> Dial:
        from edgeinfer.sinks.mqtt_link import Dial

        user, password = _credentials(self._options.credentials_file)
        o = self._options
        return Dial(
            self._words, version, self._tls, user, password, o.in_flight, o.ack_timeout_s, self._place
        )


def _parse(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"url {url!r}: {error}") from error
    if scheme not in _PORTS or not host or parts.path.strip("/"):
        raise InputError(f"url {url!r}: expected mqtt://host:port, or mqtts://host:port for TLS")
    if parts.username or parts.password:
        raise InputError(f"url of {host}: user and password do not belong here; write a credentials_file")
    return scheme, host, port or _PORTS[scheme]


def _tls(options: Mqtt.Options) -> ssl.SSLContext:
    for name in ("ca", "cert", "key"):
        path = getattr(options, name)
        if path and not Path(path).is_file():
            raise InputError(f"{name} = {path!r}: there is no such file")
    try:
        context = ssl.create_default_context(cafile=options.ca or None)
        if options.cert:
            context.load_cert_chain(options.cert, options.key or None)
    except (ssl.SSLError, OSError) as error:
        raise InputError(f"ca, cert or key cannot be used as PEM files: {error}") from error
    return context


def _credentials(path: str) -> tuple[str | None, str | None]:
    if not path:
        return None, None
    login = read_login(path)
    return login.user, login.password or None
