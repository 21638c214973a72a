"""Decisions that were made, delivered or not: the outbox as a memory; what it keeps is not decided here."""

from __future__ import annotations

from edgeinfer.events import Entry
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.outbox_rows import unpack

_IN_MEMORY = 512


def recent(outbox: Outbox, limit: int) -> list[Entry]:
    """The newest `limit` entries that are still here, in order.

    Raises:
        DeviceError: the disk cannot be read now.
    """
    return [e for e in outbox.read(max(outbox.newest - limit, 0), limit) if isinstance(e, Entry)]


def find(outbox: Outbox, decision: str) -> Entry | None:
    """The entry of the decision with this id; None when it is not (any more) here. Raises as `recent` does."""
    known = (entry for entry in recent(outbox, _IN_MEMORY) if entry.id == decision)
    stored = (unpack(*row) for row in outbox.rows_with(decision))
    return next(known, None) or next((entry for entry in stored if entry.id == decision), None)
