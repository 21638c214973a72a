"""One line of the audit log: JSON that carries the hash of the line before it, and its own; touches no file.

    {"n":7,"at":"2026-11-24T10:59:33.120Z","kind":"command",…,"prev":"<64 hex>","hash":"<64 hex>"}

`hash` is the SHA-256 (FIPS 180-4) of the line's bytes without `,"hash":"…"`. The chain begins at n = 1 with 64 zeros
as `prev`. Whoever may write the files may also make a whole new chain: what proves against that is a head that
somebody else keeps (see docs/audit.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

GENESIS = "0" * 64
_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\Z')
_SEAL_BYTES = len(',"hash":""}') + 64
_TAKEN = ("n", "at", "kind", "prev", "hash")

_encode = msgspec.json.Encoder().encode


class Broken(ValueError):  # noqa: N818  reads as what the line is
    """This is no line of a chain; says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """`at` is RFC 3339 text in UTC; `facts` are what `kind` brings along."""

    n: int
    at: str
    kind: str
    facts: Mapping[str, Any]
    prev: str
    hash: str


def seal(n: int, at: str, kind: str, facts: Mapping[str, Any], prev: str) -> tuple[bytes, str]:
    """The bytes of a line, without its line break, and its hash.

    Raises:
        ValueError: `facts` use one of the names that every line has.
        TypeError: they hold what JSON cannot.
    """
    if taken := [name for name in _TAKEN if name in facts]:
        raise ValueError(f"{taken[0]!r} is a name that each line has already")
    body = _encode({"n": n, "at": at, "kind": kind, **facts, "prev": prev})
    own = sha256(body).hexdigest()
    return body[:-1] + b',"hash":"%b"}' % own.encode(), own


def parse(raw: bytes) -> Line:
    """The inverse of `seal`.

    Raises:
        Broken: the bytes are not what was once sealed.
    """
    match = _SEAL.search(raw)
    if match is None:
        raise Broken("this is no line of the log: it does not end with a hash")
    body, own = raw[:-_SEAL_BYTES] + b"}", match[1].decode()
    if sha256(body).hexdigest() != own:
        raise Broken("the line was changed: its hash does not fit")
    try:
        facts = msgspec.json.decode(body, type=dict[str, Any])
        head = [facts.pop(name) for name in ("n", "at", "kind", "prev")]
    except (msgspec.DecodeError, KeyError) as error:
        raise Broken(f"this is no line of the log: {error}") from None
    n, at, kind, prev = head
    if type(n) is not int or not all(isinstance(text, str) for text in (at, kind, prev)):
        raise Broken("this is no line of the log: n, at, kind or prev is of another type")
    return Line(n, at, kind, facts, prev, own)
