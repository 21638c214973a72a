"""What a user may write about a broker: where it listens and how it lets us in; connects to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from edgeinfer.errors import InputError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_URL = "mqtt://localhost:1883"


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """docs/configuration.md says what each is for; the options of a sink or a source have these too."""

    url: str = _URL
    urls: tuple[str, ...] = ()
    client_id: str = ""
    credentials_file: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    version: Literal[0, 3, 5] = 0


@dataclass(frozen=True, slots=True)
class Use:
    """What a connection is for. `expire_s` and `session_s` are of MQTT 5 only; `retained`: whether those are heard."""

    in_flight: int = 20
    ack_timeout_s: float = 10.0
    expire_s: int = 0
    session_s: int = 0
    retained: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int
    tls: bool


def check(options: Access) -> None:
    """Raises InputError for what no type can say."""
    if options.key and not options.cert:
        raise InputError('key: a key is of no use without its certificate; write cert = "…" beside it')


def addresses(options: Access) -> tuple[Address, ...]:
    """The brokers, the preferred one first.

    Raises:
        InputError: a URL that is none, two that are the same, or `url` beside `urls`.
    """
    if options.urls and options.url != _URL:
        raise InputError("urls: write either url or urls; the first of urls is the preferred one")
    found = tuple(map(_parse, options.urls or (options.url,)))
    for n, address in enumerate(found):
        if address in found[:n]:
            raise InputError(f"urls: {address.host}:{address.port} is there twice")
    return found


def _parse(url: str) -> Address:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"url {url!r}: {error}") from error
    if scheme not in _PORTS or not host or parts.path.strip("/"):
        raise InputError(f"url {url!r}: expected mqtt://host:port, or mqtts://host:port for TLS")
    if parts.username or parts.password:
        raise InputError(f"url of {host}: user and password do not belong here; write a credentials_file")
    return Address(host, port or _PORTS[scheme], scheme == "mqtts")
