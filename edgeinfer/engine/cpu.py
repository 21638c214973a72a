"""The backend `cpu`: TFLite on the CPU, in this process where the runtime is robust, else in a child."""

from __future__ import annotations

import msgspec

from edgeinfer.engine.isolated import ALONE
from edgeinfer.engine.runtimes import find_runtime
from edgeinfer.engine.tflite import open_here
from edgeinfer.ports import BackendPlace, ModelFile, Session

_OPENER = "edgeinfer.engine.tflite:open_here"


class Cpu:
    """LiteRT (XNNPACK); tflite-runtime where LiteRT is absent, always isolated: it dies of a damaged file."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """Nothing to choose: `threads` and `isolate` stand in [model.NAME] itself."""

    files = ("cpu",)
    isolates = accelerates = False

    def __init__(self, options: Options | None = None, place: BackendPlace | None = None) -> None:  # noqa: ARG002  each backend is built so
        self._place = place or ALONE

    def open(self, model: ModelFile) -> Session:
        """As the port says.

        Raises:
            BundleError: the file cannot run here.
            InputError: no runtime is installed, or one that the installed numpy breaks.
        """
        if model.isolate or model.python or find_runtime().must_isolate:
            return self._place.isolated(model, _OPENER)
        return open_here(model)
