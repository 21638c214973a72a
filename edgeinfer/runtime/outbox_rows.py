"""How decisions become entries, and entries rows: msgpack, fields by position; knows nothing of SQLite or of sinks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from edgeinfer.events import Decision, Entry, Instant, State, decision_id


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


def enveloped(
    decisions: Sequence[Decision], device: str, now: Instant, first_seq: int, model: str, config: str
) -> list[Entry]:
    """The decisions of one step with their envelopes, numbered from `first_seq`."""
    ordinals: Counter[tuple[object, ...]] = Counter()
    entries = []
    for seq, d in enumerate(decisions, first_seq):
        same = (d.pipeline, d.rule, d.subject, d.state, d.at.unix_ns)
        identity = decision_id(device, d, ordinals[same])
        ordinals[same] += 1
        age_ms = (now.mono_ns - d.at.mono_ns) / 1e6 if d.at.boot == now.boot else 0.0
        entries.append(Entry(seq, identity, now.boot, device, d, model, config, age_ms))
    return entries


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
