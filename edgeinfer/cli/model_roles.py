"""How a bare .tflite is to be used: what its file tells, with what the user says before it; asks only for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer import registry
from edgeinfer.cli.model_store import warn
from edgeinfer.engine.describe import ModelFacts
from edgeinfer.engine.guess import Guess, guess
from edgeinfer.engine.guess_input import guess_input
from edgeinfer.engine.guess_words import Case, Heads
from edgeinfer.errors import BundleError, InputError
from edgeinfer.store.metadata import Metadata, read_metadata

_ONE = {"grid": "heat", "classify": "scores", "anomaly": "reconstruction"}


@dataclass(frozen=True)
class Said:
    """What the user, or the catalogue, says: labels, and keys of the manifest's tables."""

    labels: tuple[str, ...]
    decoder: Mapping[str, Any]
    input: Mapping[str, Any]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Use:
    """The manifest's tables, complete; `decoder` is without `labels`."""

    labels: tuple[str, ...]
    decoder: dict[str, Any]
    input: dict[str, Any]
    outputs: dict[str, str]
    licence: str
    summary: str


def use_of(facts: ModelFacts, said: Said) -> Use:
    """Everything that a manifest needs.

    Raises:
        BundleError: the outputs are not recognised, or of a kind that edgeinfer does not decode.
        InputError: something must be said: labels, decoder, options, or which output is which.
    """
    metadata = read_metadata(Path(facts.file))
    found = _guess(facts, metadata, said)
    if said.decoder.get("kind"):
        registry.find("decoders", str(said.decoder["kind"]))
    _ask(facts, found, said)
    for sentence in _still_assumed(found, said):
        warn(f"assumed: {sentence}")
    given = msgspec.to_builtins(found.input)
    return Use(
        labels=found.labels,
        decoder={"kind": found.decoder, **found.options, **said.decoder},
        input={**{key: value for key, value in given.items() if value != ""}, **said.input},
        outputs=found.outputs,
        licence=metadata.licence,
        summary=metadata.description,
    )


def _guess(facts: ModelFacts, metadata: Metadata, said: Said) -> Guess:
    """The guess; where the user names another decoder, or it is not recognised, only its input part."""
    kind = str(said.decoder.get("kind", ""))
    try:
        found = guess(facts.spec, metadata, said.labels, facts.operators)
        if kind in {"", found.decoder} and not said.outputs:
            return found
        kind = kind or found.decoder
    except BundleError as error:
        if not kind:
            known = ", ".join(registry.kinds("decoders"))
            raise BundleError(
                f"{facts.file}: {error}\nName one with --decoder KIND (there are: {known})"
            ) from error
    registry.find("decoders", kind)
    outputs = dict(said.outputs) or _by_shape(facts, kind)
    case = Case(facts.spec, metadata, said.labels or metadata.labels, frozenset(facts.operators))
    return guess_input(case, Heads(kind, outputs))


def _by_shape(facts: ModelFacts, kind: str) -> dict[str, str]:
    """Where a kind has one role and the model one output, there is nothing to ask."""
    outputs = facts.spec.outputs
    if kind in _ONE and len(outputs) == 1:
        return {_ONE[kind]: outputs[0].name}
    there = ", ".join(f"{t.name} {t.shape}" for t in outputs)
    raise InputError(
        f"{facts.file}: which output is which does not follow from their shapes; name them with --output ROLE=TENSOR "
        f"(docs/bundles.md lists the roles of {kind}); the outputs are: {there}"
    )


def _ask(facts: ModelFacts, found: Guess, said: Said) -> None:
    """Raises InputError with all that only the user can know and has not said."""
    if found.input is None:
        shapes = ", ".join(f"{t.name} {t.shape}" for t in facts.spec.inputs)
        raise BundleError(
            f"{facts.file}: no input looks like a picture, (1, height, width, 3 or 1) or channels first; found: {shapes}. "
            "For a model of readings write a manifest with a [window] (docs/bundles.md) and add its folder"
        )
    missing = [
        text for text in found.missing if text.partition(":")[0].removeprefix("decoder.") not in said.decoder
    ]
    if missing:
        how = "--labels FILE gives labels, --set KEY=VALUE an option of the decoder"
        raise InputError(
            f"{facts.file}: the file does not tell everything. Missing:\n  " + "\n  ".join([*missing, how])
        )


def _still_assumed(found: Guess, said: Said) -> list[str]:
    """What the user said needs no warning."""
    if {"mean", "std"} & said.input.keys():
        return [text for text in found.assumed if "assumed" not in text and "fit" not in text]
    return [text for text in found.assumed if not ("fit" in said.input and text.startswith("fit"))]
