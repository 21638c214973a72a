"""What a daemon knows of why it decided: the event recorder's post, and the answer to `explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.plan import DOOR, Services, digest
from edgeinfer.commands.table import Explain
from edgeinfer.config import bytes_of
from edgeinfer.errors import EdgeinferError
from edgeinfer.events import Entry
from edgeinfer.recording.accounts import Why, why
from edgeinfer.runtime.event_recorder import POST, EventRecorder, Keep
from edgeinfer.runtime.event_shelf import FOLDER, EventShelf
from edgeinfer.runtime.history import find
from edgeinfer.runtime.reasons import MOST, Reasons
from edgeinfer.runtime.supervisor import Plan, Spec
from edgeinfer.taps import Account


class Explaining:
    """Of the daemon of one state folder; `blueprint` is told anew at each plan."""

    def __init__(self, services: Services, state_dir: Path) -> None:
        self._services, self._folder = services, state_dir / FOLDER
        self._reasons = Reasons()
        self._rules: dict[str, dict[str, Any]] = {}
        self._device = ""
        services.taps.add(self._reasons)

    def posts(self, blueprint: Blueprint) -> Plan:
        """The event recorder, where a pipeline keeps pictures."""
        self._device = blueprint.device
        self._rules = {name: _shown(plugin) for name, plugin in blueprint.rules.items()}
        keeps = _keeps(blueprint)
        if not keeps:
            return {}
        max_bytes = bytes_of(blueprint.state.events_max)
        return {
            POST: Spec(lambda: self._recorder(keeps, max_bytes), digest(str(keeps), str(max_bytes)), DOOR)
        }

    def _recorder(self, keeps: list[Keep], max_bytes: int) -> EventRecorder:
        services, shelf = self._services, EventShelf(self._folder, max_bytes)
        return EventRecorder(
            keeps,
            shelf,
            self._why,
            services.aside,
            self._device,
            services.taps,
            services.health,
            services.fatal,
        )

    def _why(self, entry: Entry, account: Account | None, missing: str = "") -> Why:
        return why(entry, account, self._rules.get(entry.decision.rule, {}), [missing] if missing else [])

    def answer(self, asked: Explain) -> object:
        """As JSON can hold it.

        Raises:
            EdgeinferError: nothing is known of that decision (any more).
        """
        known = self._reasons.of(asked.id)
        if known is not None:
            return msgspec.to_builtins(self._why(*known))
        entry = find(self._services.outbox, asked.id)
        if entry is None:
            raise EdgeinferError(unknown(asked.id))
        return msgspec.to_builtins(self._why(entry, None, FORGOTTEN))


FORGOTTEN = (
    f"findings, states and stage times: a daemon remembers them of its last {MOST} decisions, until it ends; "
    "a pipeline with keep = {} keeps them on disk"
)


def unknown(decision: str) -> str:
    return (
        f"nothing is known of the decision {decision!r}: it was never made here, or it is older than what is kept "
        "(state.history and state.events_max say how much that is)"
    )


def _shown(plugin: Any) -> dict[str, Any]:
    options: dict[str, Any] = msgspec.to_builtins(plugin.options, enc_hook=str)
    return {"kind": plugin.part.kind, **options}


def _keeps(blueprint: Blueprint) -> list[Keep]:
    return [
        Keep(
            name,
            pipeline.options.all_sources,
            frozenset(keep.rules),
            keep.before_s,
            keep.after_s,
            keep.fps,
            keep.quality,
            keep.thumbnail,
        )
        for name, pipeline in blueprint.pipelines.items()
        if (keep := pipeline.options.keep) is not None
    ]
