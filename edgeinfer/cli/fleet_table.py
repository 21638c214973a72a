"""How a fleet is shown, to people and to programs; listens to nobody."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from edgeinfer.cli.table import columns
from edgeinfer.wire.roster import Roster, Seen

_HEADS = ("device", "condition", "version", "p95 ms", "bundles")
_NAMED = 3  # devices that a note names; the rest are counted

Rows = list[tuple[str, str, Seen]]
"""Root topic, condition, and what was seen."""


def as_json(roster: Roster, now_s: float) -> str:
    found = _judged(roster, now_s)
    devices = {root: _fields(condition, seen) for root, condition, seen in found}
    return json.dumps({"conditions": _counts(found), "devices": devices}, indent=2, ensure_ascii=False)


def as_text(roster: Roster, now_s: float, *, unwell: bool = False, lines: int | None = None) -> str:
    """A line for each device, the reasons, and last the sum.

    Args:
        roster: what was heard.
        now_s: by the listener's clock.
        unwell: leaves out the devices that are well.
        lines: no more than these; those that are not well come first then, and the rest is only counted.
    """
    found = _judged(roster, now_s)
    shown = [row for row in found if not unwell or row[1] != "ok"]
    notes = list(_notes(shown))
    if lines is not None:
        room = max(lines - 2, 1)  # the heads and the sum
        shown = sorted(shown, key=lambda row: row[1] == "ok")[:room]
        notes = notes[: room - len(shown)]
    table = [list(_HEADS), *(_cells(*row) for row in shown)] if shown else []
    return "\n".join([*(columns(table, indent="") if table else ()), *notes, _sum(found)])


def _judged(roster: Roster, now_s: float) -> Rows:
    return [(root, seen.condition(now_s), seen) for root, seen in sorted(roster.devices.items())]


def _fields(condition: str, seen: Seen) -> dict[str, Any]:
    health = seen.health
    return {
        "device": health.device if health else None,
        "condition": condition,
        "version": health.version if health else None,
        "config": health.config if health else None,
        "models": seen.models,
        "p95_ms": seen.p95_ms,
        "degraded": health.degraded if health else {},
    }


def _cells(root: str, condition: str, seen: Seen) -> list[str]:
    version = seen.health.version if seen.health else None
    cells = (_name(root, seen), condition, version, seen.p95_ms, ", ".join(seen.models))
    return ["-" if cell in {None, ""} else str(cell) for cell in cells]


def _name(root: str, seen: Seen) -> str:
    return seen.health.device if seen.health else root


def _notes(rows: Rows) -> Iterable[str]:
    """Each reason once, with the devices that have it: a broken switch is one line, not three hundred."""
    devices: dict[str, list[str]] = defaultdict(list)
    for root, _, seen in rows:
        for part, why in (seen.health.degraded if seen.health else {}).items():
            devices[f"{part}: {why}"].append(_name(root, seen))
    for reason, names in devices.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{more}: {reason}"


def _counts(rows: Rows) -> dict[str, int]:
    return dict(Counter(condition for _, condition, _ in rows).most_common())


def _sum(rows: Rows) -> str:
    counts = ", ".join(f"{count:,} {condition}" for condition, count in _counts(rows).items())
    return f"{len(rows):,} device{'s' if len(rows) != 1 else ''}: {counts or 'none was heard'}"
