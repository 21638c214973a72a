"""A client of paho for one connection: everything that is known before CONNECT, and what CONNECT says."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeinfer.mqtt.access import Use
from edgeinfer.mqtt.pace import Pace
from edgeinfer.mqtt.words import Words
from edgeinfer.ports import SinkPlace

KEEPALIVE_S = 10  # a broker gives up after 1.5 times that (MQTT 5, 3.1.2.10): the last will fires within 15 s


@dataclass(frozen=True, slots=True)
class Dial:
    """What it takes to connect, and how to use the connection then."""

    words: Words
    version: int  # 5 or 3
    tls: ssl.SSLContext | None
    user: str | None
    password: str | None
    place: SinkPlace
    use: Use = field(default_factory=Use)
    pace: Pace = field(default_factory=Pace)


def make(dial: Dial) -> Client:
    """Not connected yet; its callbacks are the caller's to set."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        dial.words.client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if dial.version == 5 else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(0)  # the window is ours
    if dial.user is not None:
        client.username_pw_set(dial.user, dial.password)
    if dial.tls is not None:
        client.tls_set_context(dial.tls)
    if (will := dial.place.will()) is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    return client


def connect(client: Client, dial: Dial) -> None:
    """Blocks until TCP and TLS stand and CONNECT is written.

    Raises:
        OSError: and ValueError; no connection.
    """
    host, port = dial.words.host, dial.words.port
    if dial.version != 5 or not dial.use.session_s:  # clean: the outbox is the only memory
        client.connect(host, port, KEEPALIVE_S)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types there
    properties.SessionExpiryInterval = dial.use.session_s
    client.connect(host, port, KEEPALIVE_S, clean_start=False, properties=properties)
