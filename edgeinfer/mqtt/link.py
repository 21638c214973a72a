"""One connection to a broker, from CONNECT until it is lost; who connects again makes a new one.

Everything that paho would remember over connections (packet ids, unacknowledged messages) dies with its client: the
outbox is the only memory, and a message is never sent by two of them.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from threading import Condition
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Message, Outcome
from edgeinfer.mqtt.client import Dial, connect, make
from edgeinfer.mqtt.ears import Ears, pass_on
from edgeinfer.mqtt.flight import Flight
from edgeinfer.mqtt.properties import Packed
from edgeinfer.mqtt.pump import Pump
from edgeinfer.mqtt.words import ABOUT_A_MESSAGE, UNSUPPORTED_VERSION

_CONNECT_S = 10.0
_GOODBYE_S = 0.5
_PATIENCE_S = 1.0  # the longest wait for the network at a stretch: the keepalive is looked at in between
_HEADER_BYTES = 16  # at most: fixed header, length of the topic, packet id


class WrongVersion(DeliveryError):  # noqa: N818  reads as what happened
    """The broker may know only an older version of MQTT."""


class Link:
    """Opens in `__init__`, which blocks for at most about 20 s.

    Attributes:
        lost: why there is no connection any more; None while there is one.
        thrown_out: the broker ended it in a way that what was sent last may have caused.
        retains: whether the broker keeps retained messages; else they are sent as ordinary ones.

    Raises:
        DeliveryError: no connection; says why and what to do.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial, self._words = dial, dial.words
        self.lost: str | None = None
        self._wrong_version = self.thrown_out = False
        self._connected = False
        self._window, self.retains, self._max_bytes = dial.use.in_flight, True, 268_435_455
        self._wake = Condition()  # for who waits that the connection ends
        self._flight = Flight()
        self._client = make(dial)
        self._ears = Ears(self._client, dial)
        self._pump = Pump(self._client)
        self._listen_to_paho()
        self._open()

    # --- connecting --------------------------------------------------------------------------------------

    def _listen_to_paho(self) -> None:
        client = self._client
        client.on_message = lambda _c, _u, message: self._on_message(message)
        client.on_socket_open, client.on_subscribe = self._on_socket_open, self._on_subscribe
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish = self._on_publish

    def _open(self) -> None:
        try:
            connect(self._client, self._dial)
        except (OSError, ValueError) as error:
            self.lost = self._words.error(error)
            self.close()
            raise DeliveryError(self.lost) from None
        with self._pump.turn():
            self._pump_until(lambda: self._connected, _CONNECT_S)
        if self._connected:
            self._pump.start(f"{self._dial.place.name}-mqtt")
        else:
            self.kill(self._words.broker("takes the connection but does not answer: is it hanging?"))
            self.close()
            raise (WrongVersion if self._wrong_version else DeliveryError)(self.lost)

    def _on_socket_open(self, _client: Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

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
        self._window = min(self._window, getattr(properties, "ReceiveMaximum", self._window))
        self._max_bytes = min(self._max_bytes, getattr(properties, "MaximumPacketSize", self._max_bytes))
        self.retains = bool(getattr(properties, "RetainAvailable", 1))
        self._ears.listen()  # before anything is published: answers to it must reach us
        self._connected = True

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        denied = self._ears.granted(mid, refused=any(reason.is_failure for reason in reasons))
        text = self._words.broker(f"does not let this user read {', '.join(denied)}")
        self._dial.place.report("listening", text if denied else None)

    def _on_message(self, message: MQTTMessage) -> None:
        """The flag says: kept by the broker from before, and not published now (3.3.1.3)."""
        if message.retain and not self._dial.use.retained:
            self._dial.place.meters.count("retained")
            return
        pass_on(message, self._dial.place)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.thrown_out = self.lost is None and reason.value in ABOUT_A_MESSAGE
            self._lose(self._words.reason(reason.value, str(reason)))
        elif self._connected:
            self.thrown_out = self.lost is None
            self._lose(self._words.broker("is gone: the connection broke"))
        else:
            self._wrong_version = True  # what a 3.1.1 broker may do with a CONNECT of version 5
            self._lose(self._words.broker(self._words.closed(tls=self._dial.tls is not None)))

    def _lose(self, why: str) -> None:
        with self._wake:
            self.lost = self.lost or why
            self._wake.notify_all()

    def wait_lost(self, timeout_s: float | None = None) -> bool:
        with self._wake:
            return self._wake.wait_for(lambda: self.lost is not None, timeout_s)

    def end(self) -> None:
        """Nothing is delivered any more; who waits for the loss closes it in order."""
        self._lose("ended")

    def kill(self, why: str) -> None:
        """Cuts the connection off, as a broken network would: the broker sends the last will."""
        self.lost = self.lost or why  # before it breaks, or the break is taken for the reason
        self._shut()
        self._lose(why)  # wakes others only now: one of them says goodbye, and then there is no will

    def _shut(self) -> None:
        if isinstance(sock := self._client.socket(), socket.socket):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    sock, socket.SHUT_RDWR
                )  # below TLS, which would wait for the other side

    def close(self) -> None:
        """Says goodbye where that is possible, and ends the thread; safe twice and from any thread."""
        self._lose("closed")
        with self._pump.turn(_GOODBYE_S) as alone:
            if alone:
                self._client.disconnect()
                self._pump_until(lambda: self._client.socket() is None, _GOODBYE_S, even_lost=True)
        if self._client.socket() is not None:
            self._shut()  # it does not even take the goodbye
        self._pump.stop()
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
        with self._pump.turn():
            self._flight.begin(batch)
            for place, message in enumerate(batch):
                if self._dial.pace.limited and message.seq is not None:
                    self._pump_until(lambda: False, self._dial.pace.wait_s(time.monotonic()))
                if len(self._flight) >= self._window and not self._wait(self._window * 3 // 4):
                    break
                if self.lost is not None:
                    break
                self._publish(place, message)
            self._wait(0)
            settled = self._flight.outcomes()
        if batch and not settled:
            raise DeliveryError(self.lost or "nothing was settled")
        return settled

    def _publish(self, place: int, message: Message) -> None:
        properties = Packed(message, self._dial.use.expire_s) if self._dial.version == 5 else None
        size = len(message.topic.encode()) + len(message.payload) + len(properties or b"") + _HEADER_BYTES
        if size > self._max_bytes:
            self._flight.refuse(
                place, f"{message.topic}: {self._words.too_large(len(message.payload), self._max_bytes)}"
            )
            return
        try:
            retain = message.retain and self.retains
            info = self._client.publish(
                message.topic,
                message.payload,
                message.qos,
                retain,
                properties,  # type: ignore[arg-type]  # it has what paho asks of one
            )
        except ValueError as error:
            self._flight.refuse(place, str(error))
            return
        if self._dial.pace.limited:
            self._dial.pace.spent(size, time.monotonic())
        self._flight.left(place, info.mid)

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._flight.settle(mid, reason)

    def _wait(self, room: int) -> bool:
        """Until no more than `room` messages are in flight; cuts off a broker that settles nothing for too long."""
        while self.lost is None and len(self._flight) > room:
            seen = self._flight.settled
            if not self._pump_until(lambda: self._flight.settled != seen, self._dial.use.ack_timeout_s):  # noqa: B023  used here
                self.kill(self._words.broker(f"acknowledged nothing for {self._dial.use.ack_timeout_s:g} s"))
        return self.lost is None

    def _pump_until(self, done: Callable[[], bool], timeout_s: float, *, even_lost: bool = False) -> bool:
        """Serves the network until `done`, until the connection is lost, or for so long; whether there is no more to wait for."""
        deadline_s = time.monotonic() + timeout_s
        while not done() and (even_lost or self.lost is None):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            self._quick()
            self._pump.once(min(left_s, _PATIENCE_S))
        return True

    def _quick(self) -> None:
        """A broker without TCP_NODELAY (mosquitto's default) keeps the next PUBACK until the kernel here confirms this
        one, which Linux delays by 40 ms; tcp(7): the option does not stay, it is set each time.
        """
        if isinstance(sock := self._client.socket(), socket.socket):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
