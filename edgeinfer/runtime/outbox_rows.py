"""How an entry looks in the outbox's file: msgpack, fields by position; knows nothing of SQLite or of sinks."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from edgeinfer.events import Decision, Entry, Instant, State


class _Row(msgspec.Struct, array_like=True, frozen=True):
    """New fields go to the end and have a default: rows of an older version stay readable."""

    id: str
    boot: str
    device: str
    pipeline: str
    rule: str
    subject: str
    state: str | float
    mono_ns: int
    unix_ns: int
    synced: bool
    at_boot: str
    source: str
    n: int
    details: dict[str, Any]
    model: str
    config: str
    age_ms: float


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Row)


def pack(entry: Entry) -> bytes:
    """All of `entry` but its seq, which is the row's key.

    Raises:
        TypeError: `details` hold something that JSON cannot.
    """
    d = entry.decision
    return _encoder.encode(
        _Row(
            id=entry.id,
            boot=entry.boot,
            device=entry.device,
            pipeline=d.pipeline,
            rule=d.rule,
            subject=d.subject,
            state=d.state,
            mono_ns=d.at.mono_ns,
            unix_ns=d.at.unix_ns,
            synced=d.at.synced,
            at_boot=d.at.boot,
            source=d.key[0],
            n=d.key[1],
            details=dict(d.details),
            model=entry.model,
            config=entry.config,
            age_ms=entry.age_ms,
        )
    )


def unpack(seq: int, body: bytes) -> Entry:
    """The inverse of `pack`; tuples in `details` come back as lists, as JSON would have them.

    Raises:
        msgspec.DecodeError: the row is damaged.
    """
    r = _decoder.decode(body)
    at = Instant(r.at_boot, r.mono_ns, r.unix_ns, r.synced)
    decision = Decision(
        r.pipeline,
        r.rule,
        r.subject,
        cast(State, r.state),
        at,
        (r.source, r.n),
        r.details,
    )
    return Entry(seq, r.id, r.boot, r.device, decision, r.model, r.config, r.age_ms)
