"""A float .tflite to full int8 by ai-edge-quantizer; prepares no samples and judges no accuracy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from edgeinfer.engine.describe import ModelFacts, describe
from edgeinfer.engine.tflite import one_line
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.tensors import TensorSpec

Array = NDArray[Any]


class Quantized(msgspec.Struct, frozen=True):
    """`floating` operators stay in float between a DEQUANTIZE and a QUANTIZE; 0 is what accelerators want."""

    file: str
    before_bytes: int
    after_bytes: int
    samples: int
    floating: int
    operators: dict[str, int]


def float_input(path: Path) -> TensorSpec:
    """The one input of a float model.

    Raises:
        BundleError: the file is missing or damaged.
        InputError: it has several inputs, is quantized already, or its input has no fixed shape.
    """
    inputs = describe(path).spec.inputs
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs)
        raise InputError(
            f"{path}: has {len(inputs)} inputs ({names}); only models with one can be calibrated"
        )
    tensor = inputs[0]
    if tensor.dtype != "float32":
        raise InputError(
            f"{path}: expected a float model, found the input {tensor.name!r} of {tensor.dtype}: it is quantized already; "
            f"quantize the float file that it was made of"
        )
    if not tensor.shape or min(tensor.shape) < 1:
        raise InputError(
            f"{path}: its input {tensor.name!r} has no fixed shape ({tensor.shape}): export it with one"
        )
    return tensor


def quantize(path: Path, inputs: Sequence[Array], out: Path) -> Quantized:
    """Writes `out`, int8 within and at both ends, opened once before it is there.

    Args:
        path: the float model; it must have a signature, as Keras and ai-edge-torch write it.
        inputs: what the model will see, each of its input's shape, float32.
        out: the new file; replaced at once or not at all.

    Raises:
        InputError: the extra is missing, the model has no signature, or the quantizer cannot do it.
        EdgeinferError: what came out cannot be opened, or `out` cannot be written.
    """
    quantizer, recipe = _tool()
    key, name = _signature(path)
    try:
        with _quiet():
            tool = quantizer.Quantizer(str(path), recipe.static_wi8_ai8())
            seen = tool.calibrate({key: [{name: each} for each in inputs]}, num_threads=1)
            done = tool.quantize(seen, enable_progress_bar=False, enable_progress_report=False)
    except (ValueError, RuntimeError, KeyError, TypeError, NotImplementedError) as error:
        raise InputError(f"{path}: ai-edge-quantizer cannot quantize it: {one_line(error)}") from error
    made = bytes(done.quantized_model)
    facts = _written(made, out)
    floating = facts.operators.get("DEQUANTIZE", 0)
    return Quantized(str(out), path.stat().st_size, len(made), len(inputs), floating, facts.operators)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without its bar on stderr, and its warning that calibration takes memory."""
    with warnings.catch_warnings(), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield


def _tool() -> tuple[Any, Any]:
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ImportError as error:
        raise InputError(
            f"quantizing needs ai-edge-quantizer, which is not installed ({error}): pip install 'edgeinfer[quantize]'"
        ) from error
    return quantizer, recipe


def _signature(path: Path) -> tuple[str, str]:
    """(key of the signature, its name of the input)."""
    from ai_edge_litert.interpreter import Interpreter

    signatures: dict[str, dict[str, list[str]]] = Interpreter(str(path)).get_signature_list()
    for key, names in signatures.items():
        return key, names["inputs"][0]
    raise InputError(
        f"{path}: has no signature, which the quantizer needs: export it from Keras or a SavedModel "
        f"(TFLiteConverter.from_keras_model), not from a frozen graph"
    )


def _written(made: bytes, out: Path) -> ModelFacts:
    """Opened under another name first: a file that is there works."""
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.write_bytes(made)
        facts = describe(draft)
        ends = (*facts.spec.inputs, *facts.spec.outputs)
        other = next((tensor for tensor in ends if tensor.dtype != "int8"), None)
        if other is not None:
            raise EdgeinferError(
                f"{out}: not written: {other.name!r} came out as {other.dtype} and not as int8: the quantizer does not "
                f"know an operator beside it (edgeinfer model inspect lists them)"
            )
        draft.replace(out)
    except OSError as error:
        raise EdgeinferError(f"{out}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return facts
