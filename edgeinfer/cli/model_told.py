"""What a bare .tflite tells about its use, for people and as JSON: metadata, the guess at it, what accelerators refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from edgeinfer.engine.guess import Guess
from edgeinfer.store.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Told:
    """`guess` is None where the outputs were not recognised; then `unrecognised` says what there is."""

    metadata: Metadata
    guess: Guess | None
    unrecognised: str
    obstacles: tuple[str, ...]


def told_json(told: Told) -> dict[str, Any]:
    return {
        "metadata": msgspec.to_builtins(told.metadata),
        "guess": msgspec.to_builtins(told.guess),
        "unrecognised": told.unrecognised,
        "obstacles": list(told.obstacles),
    }


def told_text(told: Told) -> Iterator[str]:
    metadata = told.metadata
    if metadata.description or metadata.licence:
        yield f"metadata   {metadata.description} {metadata.licence}".rstrip()
    if metadata.labels:
        shown = ", ".join(metadata.labels[:8]) + (", …" if len(metadata.labels) > 8 else "")
        yield f"labels     {len(metadata.labels)} from {metadata.labels_from}: {shown}"
    yield from (f"damaged    {problem}" for problem in metadata.problems)
    yield "accelerators"
    yield from (f"  {text}" for text in told.obstacles or ("nothing in the file keeps them from taking it",))
    yield from _guessed(told.guess, told.unrecognised)


def _guessed(guess: Guess | None, unrecognised: str) -> Iterator[str]:
    if guess is None:
        yield "use"
        yield from (f"  {line}" for line in unrecognised.splitlines())
        return
    options = ", ".join(f"{key} = {value}" for key, value in guess.options.items())
    yield f"use        decoder {guess.decoder}" + (f": {options}" if options else "")
    yield from (f"  since    {text}" for text in guess.reasons)
    yield from (f"  assumed  {text}" for text in guess.assumed)
    yield from (f"  missing  {text}" for text in guess.missing)
