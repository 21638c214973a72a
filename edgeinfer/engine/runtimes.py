"""Which TFLite runtime is installed, found without importing it (it may be one that must run in a child)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

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

        return import_module(self.module)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def find_runtime() -> Runtime:
    """LiteRT, or tflite-runtime where LiteRT is absent.

    Raises:
        InputError: there is none, or one that the installed numpy breaks; says what to install.
    """
    if find_spec("ai_edge_litert") is not None:
        return Runtime(
            "ai-edge-litert", _version("ai-edge-litert"), "ai_edge_litert.interpreter", must_isolate=False
        )
    if find_spec("tflite_runtime") is None:
        raise InputError(
            f"no TFLite runtime is installed: {INSTALL} (32-bit or old boards: pip install 'edgeinfer[tflite-runtime]')"
        )
    _refuse_new_numpy(_version("tflite-runtime"))
    return Runtime(
        "tflite-runtime", _version("tflite-runtime"), "tflite_runtime.interpreter", must_isolate=True
    )


def runtime_name() -> str:
    """For people: "ai-edge-litert 2.3.0", or why there is none."""
    try:
        runtime = find_runtime()
    except InputError as error:
        return str(error)
    return f"{runtime} (in a child process)" if runtime.must_isolate else str(runtime)


def _refuse_new_numpy(runtime: str) -> None:
    numpy = _version("numpy")
    if numpy.split(".")[0].isdigit() and int(numpy.split(".")[0]) >= 2:
        raise InputError(
            f"tflite-runtime {runtime} works with numpy below 2 only, found numpy {numpy}: "
            f"pip install 'numpy<2', or better {INSTALL}"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a distribution's own package may lack the metadata
        return "of unknown version"
