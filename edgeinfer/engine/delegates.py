"""A delegate library put to work: loading it, what goes wrong there in words, and what it has really taken over."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.engine.coral import whereabouts
from edgeinfer.engine.runtimes import Runtime, find_runtime
from edgeinfer.engine.tflite import TfliteSession, one_line
from edgeinfer.errors import BundleError, InferenceLost, InputError
from edgeinfer.ports import Delegate, ModelFile

_INSTALL = {
    "libedgetpu.so.1": "install libedgetpu1-std of coral.ai, or a newer build for your runtime (docs/accelerators.md)"
}
_SYMBOLS = ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate")
"""Source: tensorflow/lite/delegates/external/external_delegate_interface.h."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many of the file's `of` operators the delegate runs."""

    nodes: int
    of: int


def open_delegated(model: ModelFile) -> TfliteSession:
    """Loads `model` with its delegate into this process, and counts what the delegate takes.

    It is counted before the tensors are allocated: the runtime's own XNNPACK comes in only then, for what the delegate
    left, and is not mistaken for it.

    Raises:
        InferenceLost: the library finds no device, or refuses the model.
        InputError: no such library, or one that is no delegate; no runtime.
        BundleError: the runtime does not take the file.
    """
    if model.delegate is None:
        raise AssertionError("for models with a delegate only")
    runtime, name = find_runtime(), Path(model.delegate.library).name
    interpreter, taken = _interpreter(runtime, model, model.delegate)
    told = f"{runtime}, {name} ({taken.nodes} of {taken.of} operators)"
    nothing = f"the delegate {name} took none of the {taken.of} operators: the CPU runs them all"
    return TfliteSession(interpreter, told, warning="" if taken.nodes else nothing)


def _interpreter(runtime: Runtime, model: ModelFile, delegate: Delegate) -> tuple[Any, Taken]:
    module = runtime.interpreter()
    loaded = _load(module, delegate)
    try:
        interpreter = module.Interpreter(
            model_path=model.path, num_threads=model.threads, experimental_delegates=[loaded]
        )
        taken = count(interpreter._get_ops_details())  # noqa: SLF001  nothing public tells it; both runtimes have it
        interpreter.allocate_tensors()
    except ValueError as error:
        raise BundleError(f"{model.path}: is damaged or no TFLite model: {one_line(error)}") from error
    except RuntimeError as error:
        raise _refused(model, delegate, one_line(error)) from error
    return interpreter, taken


def _load(module: Any, delegate: Delegate) -> Any:
    library = delegate.library
    _probe(library)
    try:
        return module.load_delegate(library, delegate.options)
    except ValueError as error:
        said = " ".join(str(error).splitlines()[1:]).strip()
        raise InferenceLost(
            f"{library} gives no delegate for {_shown(delegate.options)}: " + (said or _silence(library))
        ) from error


def _probe(library: str) -> None:
    """Both runtimes' Delegate leaves a traceback on stderr where the library is not what it needs: it is looked at first."""
    try:
        loaded = ctypes.PyDLL(library)  # as they load it
    except OSError as error:
        what = _INSTALL.get(library, "look at the path, and at what the library itself needs (ldd)")
        raise InputError(f"the delegate library {library} cannot be loaded: {error}; {what}") from error
    missing = [name for name in _SYMBOLS if not hasattr(loaded, name)]
    if missing:
        raise InputError(
            f"{library} is no TFLite delegate: it has no {missing[0]}; name the delegate's own library"
        )


def _silence(library: str) -> str:
    """Delegates that find no device say nothing, and libedgetpu is one of them."""
    if "edgetpu" in Path(library).name:
        return f"it finds no device; {whereabouts()}"
    return "it finds no device; is it plugged in, may this user open it, does it know these options?"


def _refused(model: ModelFile, delegate: Delegate, text: str) -> BundleError | InferenceLost:
    said, unresolved, _ = text.partition("Encountered unresolved custom op")
    if said or not unresolved:
        return InferenceLost(f"{delegate.library} refuses {model.path}: {said}")
    if "edgetpu-custom-op" in text:
        return BundleError(
            f"{model.path}: is compiled for an Edge TPU, and {delegate.library} did not take its operator"
        )
    return BundleError(f"{model.path}: needs an operator that neither runtime nor delegate has: {text}")


def _shown(options: Mapping[str, str]) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in options.items()) or "no options"


def count(ops: Iterable[Mapping[str, Any]]) -> Taken:
    """What the nodes named DELEGATE stand for, from the runtime's list: the file's nodes first, DELEGATE ones behind.

    A taken node stays in the list. Those that make a DELEGATE's outputs, back to its inputs, are the taken ones.
    """
    nodes = list(ops)
    ours = [node for node in nodes if node["op_name"] == "DELEGATE"]
    made_by = {int(t): n for n, node in enumerate(nodes) if node not in ours for t in node["outputs"]}
    taken: set[int] = set()
    for delegate in ours:
        stop, left = set(map(int, delegate["inputs"])), [int(t) for t in delegate["outputs"]]
        while left:
            maker = made_by.get(left.pop())
            if maker is not None and maker not in taken:
                taken.add(maker)
                left += [int(t) for t in nodes[maker]["inputs"] if int(t) not in stop]
    return Taken(len(taken), len(nodes) - len(ours))
