"""Which output of a bare .tflite plays which role for a decoder, and the labels that the file itself holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeinfer import registry
from edgeinfer.engine.describe import ModelFacts
from edgeinfer.errors import InputError
from edgeinfer.store.labels import parse_labels

_ONE = {"grid": "heat", "classify": "scores", "anomaly": "reconstruction"}
_POST_PROCESSED = ("boxes", "classes", "scores", "count")  # the order of TFLite_Detection_PostProcess


def roles(
    facts: ModelFacts, decoder: dict[str, Any], outputs: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The manifest's [decoder] (without labels) and [outputs].

    Raises:
        InputError: no decoder is named, there is none of that name, or it does not follow from the shapes which output is which.
    """
    kind = decoder.get("kind")
    if not kind:
        known = ", ".join(registry.kinds("decoders"))
        raise InputError(f"{facts.file}: say what its outputs mean with --decoder KIND (there are: {known})")
    registry.find("decoders", str(kind))
    found = dict(outputs) or _by_shape(facts, str(kind))
    if not found:
        there = ", ".join(f"{t.name} {t.shape}" for t in facts.spec.outputs)
        raise InputError(
            f"{facts.file}: which output is which does not follow from their shapes; name them with --output "
            f"ROLE=TENSOR (docs/bundles.md lists the roles of {kind}); the outputs are: {there}"
        )
    return decoder, found


def _by_shape(facts: ModelFacts, kind: str) -> dict[str, str]:
    outputs = facts.spec.outputs
    if kind in _ONE and len(outputs) == 1:
        return {_ONE[kind]: outputs[0].name}
    if kind == "ssd" and len(outputs) == 4:
        ordered = sorted(outputs, key=lambda t: t.name)
        return {role: t.name for role, t in zip(_POST_PROCESSED, ordered, strict=True)}
    if kind == "ssd" and len(outputs) == 2:
        boxes = [t for t in outputs if t.shape[-1:] == (4,)]
        scores = [t for t in outputs if t.shape[-1:] != (4,)]
        return {"boxes": boxes[0].name, "scores": scores[0].name} if len(boxes) == len(scores) == 1 else {}
    return {}


def labels_inside(facts: ModelFacts) -> tuple[str, ...]:
    """Of the first file of labels that TFLite metadata appended."""
    for name, lines in facts.embedded.items():
        if name.endswith(".txt") and (labels := parse_labels("\n".join(lines))):
            return labels
    return ()
