"""The backend `external`: any TFLite external delegate (Arm NN, Ethos-U, VX, GPU …), by its library and options."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta

from edgeinfer.engine.delegates import open_delegated
from edgeinfer.engine.isolated import ALONE
from edgeinfer.engine.runtimes import find_runtime
from edgeinfer.ports import BackendPlace, Delegate, ModelFile, Session

_OPENER = "edgeinfer.engine.delegates:open_delegated"


class External:
    """Takes the variant `external` of a bundle, else the one for the CPU."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`options` reach the library as text: `backends = "CpuAcc"` for Arm NN, for instance."""

        library: Annotated[str, Meta(min_length=1)]
        options: dict[str, str | int | float | bool] = {}

    files = ("external", "cpu")
    isolates = accelerates = True

    def __init__(self, options: Options, place: BackendPlace | None = None) -> None:
        self._place = place or ALONE
        self._delegate = Delegate(options.library, {k: _text(v) for k, v in options.options.items()})

    def open(self, model: ModelFile) -> Session:
        """As the port says; see delegates.py for what is raised."""
        return open_with(replace(model, delegate=self._delegate), self._place)


def open_with(model: ModelFile, place: BackendPlace) -> Session:
    """Here or in a child, as `model.isolate` and the runtime want it."""
    if model.isolate or model.python or find_runtime().must_isolate:
        return place.isolated(model, _OPENER)
    return open_delegated(model)


def _text(value: object) -> str:
    """TFLite's way: true and false in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)
