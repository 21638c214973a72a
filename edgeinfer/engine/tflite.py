"""A session over a TFLite interpreter in this very process; who isolates it, and when, is not its business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.engine.runtimes import Runtime, find_runtime
from edgeinfer.errors import BundleError, InferenceLost, InputError, nearest
from edgeinfer.events import Instant
from edgeinfer.ports import ModelFile
from edgeinfer.tensors import ModelSpec, TensorSpec

Array = NDArray[Any]


class TfliteSession:
    """A loaded model. Tensor numbers are read once; a call costs the runtime's own set, invoke and get."""

    def __init__(self, interpreter: Any, runtime: str, warning: str = "") -> None:
        self.spec, self.runtime, self.warning = read_spec(interpreter), runtime, warning
        self._interpreter = interpreter
        self._inputs = {t.name: t.index for t in self.spec.inputs}
        self._outputs = [(t.name, t.index) for t in self.spec.outputs]

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | None = None) -> dict[str, Array]:  # noqa: ARG002  the port has it
        """As the port says. Nothing in this process could enforce a deadline: ask for `isolate` where one counts."""
        if inputs.keys() != self._inputs.keys():
            raise InputError(f"expected the inputs {sorted(self._inputs)}, found {sorted(inputs)}")
        interpreter = self._interpreter
        try:
            for name, values in inputs.items():
                interpreter.set_tensor(self._inputs[name], values)
        except ValueError as error:
            raise InputError(f"the model {error}") from error
        try:
            interpreter.invoke()
        except RuntimeError as error:
            raise InferenceLost(f"{self.runtime}: {one_line(error)}") from error
        return {name: interpreter.get_tensor(index) for name, index in self._outputs}

    def operators(self) -> dict[str, int]:
        """The nodes of the graph as it runs, with how many there are: DELEGATE is what a delegate took."""
        return dict(Counter(op["op_name"] for op in self._interpreter._get_ops_details()).most_common())  # noqa: SLF001  nothing public tells it

    def close(self) -> None:
        self._interpreter = None


def open_here(model: ModelFile) -> TfliteSession:
    """Loads `model` into this process.

    Raises:
        BundleError: the runtime does not take the file.
        InputError: no runtime is installed.
    """
    runtime = find_runtime()
    try:
        module = runtime.interpreter()
        interpreter = module.Interpreter(model_path=model.path, num_threads=model.threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, SystemError, ImportError) as error:
        raise BundleError(f"{model.path}: {_refusal(model, error)} ({runtime})") from error
    return TfliteSession(interpreter, _described(runtime, interpreter, model.threads))


def _refusal(model: ModelFile, error: Exception) -> str:
    text = one_line(error)
    if not Path(model.path).is_file():
        return "there is no such file"
    if "edgetpu-custom-op" in text:
        return (
            "is compiled for an Edge TPU and cannot run on the CPU: give the file that it was compiled from"
        )
    if "unresolved custom op" in text.lower():
        return f"needs an operator that this runtime lacks: {text}"
    if "Didn't find op" in text:
        return f"was made for a newer runtime: {text}"
    return f"is damaged or no TFLite model: {text}"


def one_line(error: BaseException) -> str:
    """What a runtime says, without its line breaks."""
    return " ".join(str(error).split())


def _described(runtime: Runtime, interpreter: Any, threads: int) -> str:
    """`_get_ops_details` is private but the only way to tell what was delegated (both runtimes have it)."""
    names = {op["op_name"] for op in interpreter._get_ops_details()}  # noqa: SLF001  see above
    count = "1 thread" if threads == 1 else f"{threads} threads"
    return f"{runtime}, cpu ({'XNNPACK, ' if 'DELEGATE' in names else ''}{count})"


def read_spec(interpreter: Any) -> ModelSpec:
    """All inputs and outputs; an output whose shape is known only after an invoke has the shape ().

    Names that stand twice (some converters do that) get the runtime's number behind them: "output#17".
    """
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    return ModelSpec(distinct(map(_tensor, inputs)), distinct(map(_tensor, outputs)))


def distinct(tensors: Iterable[TensorSpec]) -> tuple[TensorSpec, ...]:
    found = tuple(tensors)
    count = Counter(t.name for t in found)
    return tuple(replace(t, name=f"{t.name}#{t.index}") if count[t.name] > 1 else t for t in found)


def _tensor(details: Mapping[str, Any]) -> TensorSpec:
    scale, zero_point = details["quantization"]
    shape = tuple(int(n) for n in details["shape"])
    dtype = np.dtype(details["dtype"]).name
    return TensorSpec(details["name"], shape, dtype, float(scale), int(zero_point), int(details["index"]))


def role_names(outputs: Mapping[str, str], spec: ModelSpec) -> None:
    """Checks that each tensor that the manifest's [outputs] names is one of the model's.

    Raises:
        BundleError: names the role, the nearest tensor, and all that there are.
    """
    known = [t.name for t in spec.outputs]
    wrong = [(role, name) for role, name in outputs.items() if name not in known]
    if wrong:
        lines = [
            f"outputs.{role}: the model has no output {name!r}{nearest(name, known)}" for role, name in wrong
        ]
        raise BundleError("\n".join([*lines, f"(its outputs are: {', '.join(known)})"]))
