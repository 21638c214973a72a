"""What commands change: pipelines that pause, values within their limits, versions of bundles; tried before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeinfer.app import override_file
from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.override_file import Overrides
from edgeinfer.app.overriding import check_pipeline, check_value
from edgeinfer.commands.table import Pause, Resume, Set, Use
from edgeinfer.errors import EdgeinferError, InputError, nearest
from edgeinfer.runtime.states import States
from edgeinfer.store.find import stores
from edgeinfer.store.shelf import Shelf


class Orders:
    """Handlers for the table of commands; all run in the supervisor's thread.

    Args:
        blueprint: the config that runs.
        folder: the state folder, where the overrides lie.
        redraw: applies the config that runs anew, with the overrides and bundles as they are now; raises EdgeinferError
            and changes nothing when that is wrong. The user's files are not read: half an edit in them does not matter.
        states: hear of it when a pipeline goes on.
    """

    def __init__(
        self, blueprint: Callable[[], Blueprint], folder: Path, redraw: Callable[[], Any], states: States
    ) -> None:
        self._blueprint, self._folder, self._redraw, self._states = blueprint, folder, redraw, states

    def pause(self, asked: Pause) -> dict[str, Any]:
        """Pausing what is paused does nothing."""
        check_pipeline(self._blueprint(), asked.pipeline)
        now = self._blueprint().overrides
        paused = now.paused if asked.pipeline in now.paused else (*now.paused, asked.pipeline)
        self._keep(Overrides(now.values, paused))
        return {"pipeline": asked.pipeline, "paused": True}

    def resume(self, asked: Resume) -> dict[str, Any]:
        """Resuming what runs does nothing."""
        check_pipeline(self._blueprint(), asked.pipeline)
        now = self._blueprint().overrides
        if asked.pipeline in now.paused:
            self._states.set_aside(self._blueprint().pipelines[asked.pipeline].options.rules, "starting")
        self._keep(Overrides(now.values, tuple(name for name in now.paused if name != asked.pipeline)))
        return {"pipeline": asked.pipeline, "paused": False}

    def set(self, asked: Set) -> dict[str, Any]:
        """The value holds from now on; null takes an earlier one back."""
        now = self._blueprint().overrides
        values = {key: value for key, value in now.values.items() if key != asked.key}
        if asked.value is not None:
            check_value(self._blueprint(), asked.key, asked.value)
            values[asked.key] = asked.value
        elif asked.key not in now.values:
            there = ", ".join(now.values) or "nothing"
            raise InputError(f"{asked.key} was not set{nearest(asked.key, now.values)} (set now: {there})")
        self._keep(Overrides(values, now.paused))
        return {"key": asked.key, "value": asked.value}

    def _keep(self, wanted: Overrides) -> None:
        """In the file first, so that what runs is never more than what is written."""
        now = self._blueprint().overrides
        if wanted == now:
            return
        override_file.write(self._folder, wanted)
        try:
            self._redraw()
        except EdgeinferError:
            override_file.write(self._folder, now)
            raise

    def use(self, asked: Use) -> dict[str, Any]:
        """Of a bundle that a model of this config names without a version; goes back where the config does not fit it."""
        models = self._blueprint().models
        names = [model.options.bundle for model in models.values()]
        if asked.bundle not in names or "/" in asked.bundle or "@" in asked.bundle:
            text = f"no model of this config uses the current version of a bundle {asked.bundle!r}"
            raise InputError(f"{text} (bundles: {', '.join(names) or 'none'})")
        shelf = Shelf(self._store_of(asked.bundle))
        before = shelf.entry(asked.bundle).index.current
        version = shelf.use(asked.bundle, asked.version)
        try:
            self._redraw()
        except EdgeinferError:
            if before:
                shelf.use(asked.bundle, before)
            raise
        return {"bundle": asked.bundle, "version": version.version, "digest": version.digest}

    def _store_of(self, bundle: str) -> Path:
        """The first store that has it is the one that the daemon takes it from."""
        found = next((root for root in stores(self._folder) if (root / bundle).is_dir()), None)
        if found is None:
            raise InputError(f"{bundle} is in no store: it has no versions")
        return found
