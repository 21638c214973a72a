"""What a user may write in `[model.NAME]`; nothing else."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class ModelOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`bundle` is a name in the store or a path; the first of `backends` that opens is used."""

    bundle: str
    backends: Annotated[tuple[str, ...], Meta(min_length=1)] = ("cpu",)
    threads: Annotated[int, Meta(ge=0, le=64)] = 1
    """More than 1 helps only models of many milliseconds on cores that are free (spinning workers cost others).
    0: this model's share of the cores, which the app works out."""
    isolate: bool | None = None
    """Run it in a child process: a runtime that crashes or hangs then costs one inference, not the daemon.
    Left out: every backend but `cpu` does."""
    python: str = ""
    """The interpreter of the child process: a Coral may need another TFLite runtime, and that one another Python.
    Left out: the daemon's own."""
    hang_s: Annotated[float, Meta(ge=0, le=600)] = 0.0
    """An inference in a child process that takes longer is taken for a hang, and the child is killed. 0: 0.4 s where
    another backend can go on at once, else 5 s."""
    retry_s: Annotated[float, Meta(ge=0.05, le=3600)] = 60.0
    """The longest pause before a lost accelerator is tried again; pauses begin at 0.5 s (or this) and double."""
    edgetpu: dict[str, Any] = {}
    external: dict[str, Any] = {}
    options: dict[str, dict[str, Any]] = {}
    """Tables of backends: of those that we ship under their names, of others under `options.NAME`."""

    def of(self, backend: str) -> dict[str, Any]:
        """What the user wrote for this backend."""
        shipped = {"edgetpu": self.edgetpu, "external": self.external}
        return shipped.get(backend, self.options.get(backend, {}))
