"""One connection to a broker, from CONNECT until it is lost; who connects again makes a new one.

Everything that paho would remember over connections (packet ids, unacknowledged messages) dies with its client: the
outbox is the only memory, and a message is never sent by two of them.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition, Event
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Outcome, Refused, Sent
from edgeinfer.ports import SinkPlace
from edgeinfer.sinks.mqtt_words import UNSUPPORTED_VERSION, Words

KEEPALIVE_S = 10  # a broker gives up after 1.5 times that (MQTT 5, 3.1.2.10): the last will fires within 15 s
_CONNECT_S = 10.0
_GOODBYE_S = 0.5

_ACKED, _SENT = Acked(), Sent()


class WrongVersion(DeliveryError):  # noqa: N818  reads as what happened
    """The broker may know only an older version of MQTT."""


@dataclass(frozen=True, slots=True)
class Dial:
    """What it takes to connect."""

    words: Words
    version: int  # 5 or 3
    tls: ssl.SSLContext | None
    user: str | None
    password: str | None
    in_flight: int
    ack_timeout_s: float
    place: SinkPlace


class Link:
    """Opens in `__init__`, which blocks for at most about 20 s.

    Attributes:
        lost: why there is no connection any more; None while there is one.
        retains: whether the broker keeps retained messages; else they are sent as ordinary ones.

    Raises:
        DeliveryError: no connection; says why and what to do.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial, self._words = dial, dial.words
        self.lost: str | None = None
        self._wrong_version = False
        self._connected, self._gone = False, Event()
        self._window, self.retains, self._max_bytes = dial.in_flight, True, 268_435_455
        # Never held while paho is called: its network thread calls back with paho's own locks held.
        self._wake = Condition()
        self._waiting: dict[int, int] = {}  # packet id → place in the batch
        self._early: dict[int, ReasonCode] = {}  # acknowledged before publish() had returned the packet id
        self._batch: Sequence[Message] = ()
        self._outcomes: list[Outcome | None] = []
        self._settled = 0
        self._room = 0  # how few must be in flight before the courier is woken
        self._sock: Any = None  # set by paho before anything is sent
        self._client = self._make()
        self._open()

    # --- connecting --------------------------------------------------------------------------------------

    def _make(self) -> Client:
        dial = self._dial
        client = Client(
            CallbackAPIVersion.VERSION2,
            self._words.client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if dial.version == 5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(0)  # the window is ours
        if dial.user is not None:
            client.username_pw_set(dial.user, dial.password)
        if dial.tls is not None:
            client.tls_set_context(dial.tls)
        if (will := dial.place.will) is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_message = lambda _c, _u, message: dial.place.heard(message.topic, bytes(message.payload))
        client.on_socket_open = self._on_socket_open
        client.on_subscribe = self._on_subscribe
        client.on_connect, client.on_disconnect, client.on_publish = (
            self._on_connect,
            self._on_disconnect,
            self._on_publish,
        )
        return client

    def _open(self) -> None:
        try:
            self._client.connect(self._words.host, self._words.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self.lost = self._words.error(error)
            self.close()
            raise DeliveryError(self.lost) from None
        self._client.loop_start()
        with self._wake:
            self._wake.wait_for(lambda: self._connected or self.lost is not None, _CONNECT_S)
        if not self._connected:
            self.kill(self._words.broker("takes the connection but does not answer: is it hanging?"))
            self.close()
            raise (WrongVersion if self._wrong_version else DeliveryError)(self.lost)

    def _on_socket_open(self, _client: Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock

    def _on_connect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._wrong_version = reason.value == UNSUPPORTED_VERSION
            self._lose(self._words.reason(reason.value, str(reason)))
            return
        with self._wake:
            self._window = min(self._window, getattr(properties, "ReceiveMaximum", self._window))
            self._max_bytes = min(self._max_bytes, getattr(properties, "MaximumPacketSize", self._max_bytes))
            self.retains = bool(getattr(properties, "RetainAvailable", 1))
            self._connected = True
            self._wake.notify_all()
        for topic in self._dial.place.listens:
            self._client.subscribe(topic, 1)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        place = self._dial.place
        text = self._words.broker(f"does not let this user read {', '.join(place.listens)}")
        place.report("listening", text if any(reason.is_failure for reason in reasons) else None)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._gone.set()
        if flags.is_disconnect_packet_from_server:
            self._lose(self._words.reason(reason.value, str(reason)))
        elif self._connected:
            self._lose(self._words.broker("is gone: the connection broke"))
        else:
            self._wrong_version = True  # what a 3.1.1 broker may do with a CONNECT of version 5
            self._lose(self._words.broker("closes the connection without an answer"))

    def _lose(self, why: str) -> None:
        with self._wake:
            self.lost = self.lost or why
            self._wake.notify_all()

    def wait_lost(self, timeout_s: float | None = None) -> bool:
        with self._wake:
            return self._wake.wait_for(lambda: self.lost is not None, timeout_s)

    def kill(self, why: str) -> None:
        """Cuts the connection off, as a broken network would: the broker sends the last will."""
        self._lose(why)
        self._shut()

    def _shut(self) -> None:
        if isinstance(sock := self._client.socket(), socket.socket):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    sock, socket.SHUT_RDWR
                )  # below TLS, which would wait for the other side

    def close(self) -> None:
        """Says goodbye where that is possible, and ends paho's thread; safe twice and from any thread."""
        self._lose("closed")
        self._client.disconnect()
        if self._client.socket() is not None and not self._gone.wait(_GOODBYE_S):
            self._shut()  # it does not even take the goodbye
        self._client.loop_stop()
        # The client is freed at once, and closes its sockets, only when nothing refers back to it.
        self._client.on_socket_open = self._client.on_connect = None
        self._client.on_disconnect = self._client.on_publish = None
        self._client.on_subscribe = self._client.on_message = None

    # --- sending -----------------------------------------------------------------------------------------

    def deliver(self, batch: Sequence[Message]) -> list[Outcome]:
        """Outcomes of the first messages, up to where the connection was lost.

        Raises:
            DeliveryError: it was lost before anything of the batch was settled.
        """
        with self._wake:
            self._batch, self._outcomes = batch, [None] * len(batch)
        for place, message in enumerate(batch):
            if len(self._waiting) >= self._window and not self._wait(self._window // 2):
                break
            if self.lost is not None:
                break
            self._publish(place, message)
        self._wait(0)
        settled: list[Outcome] = []
        for outcome in self._outcomes:
            if outcome is None:
                break
            settled.append(outcome)
        if batch and not settled:
            raise DeliveryError(self.lost or "nothing was settled")
        return settled

    def _publish(self, place: int, message: Message) -> None:
        if len(message.payload) + len(message.topic) + 16 > self._max_bytes:
            self._outcomes[place] = Refused(f"larger than the broker's limit of {self._max_bytes} bytes")
            return
        try:
            mid = self._client.publish(
                message.topic, message.payload, message.qos, message.retain and self.retains
            ).mid
        except ValueError as error:
            self._outcomes[place] = Refused(str(error))
            return
        with self._wake:
            reason = self._early.pop(mid, None)
            if reason is None:
                self._waiting[mid] = place
            else:
                self._outcomes[place] = _outcome(message, reason)

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        """QoS 1: acknowledged. QoS 0: written to the socket."""
        with contextlib.suppress(OSError):
            # A broker without TCP_NODELAY (mosquitto's default) keeps the next PUBACK until the kernel here confirms
            # this one, which Linux delays by 40 ms; tcp(7): the option does not stay, it is set each time.
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        with self._wake:
            place = self._waiting.pop(mid, None)
            if place is None:
                self._early[mid] = reason
            else:
                self._outcomes[place] = _outcome(self._batch[place], reason)
            self._settled += 1
            if len(self._waiting) <= self._room:
                self._wake.notify_all()

    def _wait(self, room: int) -> bool:
        """Until no more than `room` messages are in flight; cuts off a broker that settles nothing for too long."""
        deadline_s, seen = time.monotonic() + self._dial.ack_timeout_s, -1
        while True:
            with self._wake:
                self._room = room
                if self.lost is not None or len(self._waiting) <= room:
                    return self.lost is None
                if self._settled != seen:
                    seen, deadline_s = self._settled, time.monotonic() + self._dial.ack_timeout_s
                elif time.monotonic() >= deadline_s:
                    break
                self._wake.wait(max(deadline_s - time.monotonic(), 0.0))
        self.kill(self._words.broker(f"acknowledged nothing for {self._dial.ack_timeout_s:g} s"))
        return False


def _outcome(message: Message, reason: ReasonCode) -> Outcome:
    """MQTT 5 alone tells a refused message from a delivered one; "no matching subscribers" (0x10) is no failure."""
    if reason.is_failure:
        return Refused(f"{message.topic}: {reason}")
    return _ACKED if message.qos else _SENT
