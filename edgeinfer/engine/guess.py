"""How a model that brings no manifest is to be used: a guess from its tensors and what its file says. Opens nothing.

The parts: `guess_yolo` (what Ultralytics and YOLOv5 export), `guess_outputs` (all other outputs), `guess_input`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgeinfer.engine.guess_input import guess_input
from edgeinfer.engine.guess_outputs import guess_outputs
from edgeinfer.engine.guess_words import Case, Guess, Heads, unrecognised
from edgeinfer.engine.guess_yolo import guess_yolo
from edgeinfer.store.metadata import Metadata
from edgeinfer.tensors import ModelSpec

__all__ = ["Guess", "guess"]


def guess(
    spec: ModelSpec, metadata: Metadata, labels: Sequence[str] = (), operators: Iterable[str] = ()
) -> Guess:
    """Decoder, its options, outputs by role, and how a picture is prepared, each with the reason.

    Args:
        spec: the model's tensors.
        metadata: what its file says (`edgeinfer.store.metadata.read_metadata`).
        labels: names of the classes that the user gives; they come before those of the file.
        operators: the names of the model's operators, where they are known; they tell a softmax in the model.

    Raises:
        BundleError: it is known and not done (says its name), or not recognised (says what there is and which
            decoders could be named by hand).
    """
    case = Case(spec, metadata, tuple(labels) or metadata.labels, frozenset(operators))
    heads: Heads | None = guess_yolo(case) or guess_outputs(case)
    if heads is None:
        raise unrecognised(spec)
    return guess_input(case, heads)
