"""Samples whose answer is known, wherever they come from; reads no file and runs no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Readings
from edgeinfer.geometry import Box

Task = Literal["boxes", "classes", "unlabelled"]


@dataclass(frozen=True, slots=True)
class TrueBox:
    """An object that is there; `box` is normalised to the picture. A `crowd` may be found, but need not be."""

    label: str
    box: Box
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """One picture or one stretch of readings, loaded when it is its turn.

    `label` is the class of the whole ("" without one), `boxes` are the objects in it.
    """

    name: str
    load: Callable[[], Frame | Readings]
    label: str = ""
    boxes: tuple[TrueBox, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """`labels` are all classes of the data, in its order."""

    task: Task
    labels: tuple[str, ...]
    examples: Sequence[Example]

    def first(self, limit: int) -> Dataset:
        """At most `limit` examples, spread evenly over all; 0 takes all."""
        if not limit or limit >= len(self.examples):
            return self
        chosen = [self.examples[i * len(self.examples) // limit] for i in range(limit)]
        return Dataset(self.task, self.labels, chosen)


def check_labels(data: Dataset, known: Sequence[str], where: str) -> None:
    """Raises InputError: the data and the model have no class in common."""
    if data.labels and not set(data.labels) & set(known):
        raise InputError(
            f"{where}: its classes are {', '.join(data.labels[:8])}; the model knows {', '.join(known[:8])}: "
            f"they have none in common (the names must be the same, letter for letter)"
        )
