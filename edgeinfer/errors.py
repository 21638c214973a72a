"""Every error that edgeinfer raises on purpose; each speaks to the person who reads it.

Exit codes: 2 for what the user wrote, 1 for what the world did.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class EdgeinferError(Exception):
    """The root; what the world did (exit code 1)."""

    exit_code = 1


class InputError(EdgeinferError):
    """What the user wrote is wrong: command line, picture, model, recording (exit code 2)."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a config: where it stands, and a sentence that says what to do."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigError(InputError):
    """All problems of a config at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class BundleError(InputError):
    """A bundle or model file is missing, changed, damaged, or does not fit its manifest."""


class StateError(EdgeinferError):
    """The state folder cannot be used: not writable, or another daemon has it."""


class DeviceError(EdgeinferError):
    """Something outside is away or broken for now: back off, and try again for ever."""


class SourceLost(DeviceError):  # noqa: N818  the word of the field, and of DESIGN's ports
    """A source stopped giving samples: open it again."""


class InferenceLost(DeviceError):  # noqa: N818
    """A session cannot infer any more: open it again."""


class DeliveryError(DeviceError):
    """A sink has no connection; says nothing about the messages it holds."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the closest of `known`, or nothing."""
    found = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {found[0]!r}?" if found else ""
