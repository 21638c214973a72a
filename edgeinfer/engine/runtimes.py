"""Which TFLite runtime is installed, found without importing it (it may be one that must run in a child)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from edgeinfer.engine.quiet import said_its_first
from edgeinfer.errors import InputError

INSTALL = "pip install ai-edge-litert"


@dataclass(frozen=True, slots=True)
class Runtime:
    """An installed runtime. `must_isolate`: it takes the whole process down on a damaged file."""

    name: str
    version: str
    module: str
    must_isolate: bool

    def interpreter(self) -> Any:
        """Its module with `Interpreter` in it, imported now."""
        from importlib import import_module

        said_its_first(self.module)
        return import_module(self.module)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find_runtime() -> Runtime:
    """LiteRT, or tflite-runtime where LiteRT is absent.

    Raises:
        InputError: there is none, or one that the installed numpy breaks; says what to install.
    """
    return choose(_installed("ai-edge-litert"), _installed("tflite-runtime"), _installed("numpy") or "")


def choose(litert: str | None, tflite: str | None, numpy: str) -> Runtime:
    """Which of the installed versions (None: not there) runs the models."""
    if litert is not None:
        return Runtime("ai-edge-litert", litert, "ai_edge_litert.interpreter", must_isolate=False)
    if tflite is None:
        raise InputError(
            f"no TFLite runtime is installed: {INSTALL} (where there is no wheel of it: pip install 'edgeinfer[tflite-runtime]')"
        )
    major = numpy.partition(".")[0]
    if major.isdigit() and int(major) >= 2:
        raise InputError(
            f"tflite-runtime {tflite} works with numpy below 2 only, found numpy {numpy}: "
            f"pip install 'numpy<2', or better {INSTALL}"
        )
    return Runtime("tflite-runtime", tflite, "tflite_runtime.interpreter", must_isolate=True)


def runtime_name() -> str:
    """For people: "ai-edge-litert 2.3.0", or why there is none."""
    try:
        runtime = find_runtime()
    except InputError as error:
        return str(error)
    return f"{runtime} (in a child process)" if runtime.must_isolate else str(runtime)


def _installed(package: str) -> str | None:
    """Its version; "of unknown version" where the module is there and the metadata is not (a distribution's own)."""
    if find_spec(package.replace("-", "_")) is None:
        return None
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
