"""What the sources of one daemon have in common; knows nothing of what they keep there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """A port that a source opens. With an `address` it shares it with those that have another one, set alike."""

    port: str
    address: int = 0
    setting: object = None


class Commons:
    """One object of a class for all sources of a daemon, such as the lines that several of them share.

    `seated` are the ports that sources name in the config, open or not: nobody else touches them. `found` are the
    ports that sources found by themselves and have open now, by the source's name.

    Args:
        state: the daemon's state folder; None outside of a daemon.
    """

    def __init__(self, state: Path | None = None) -> None:
        self.state = state
        self.seated: frozenset[str] = frozenset()
        self.found: dict[str, str] = {}
        self._kept: dict[type[Any], object] = {}

    def the(self, kind: type[T]) -> T:
        """The daemon's one `kind()`, made when it is first asked for; from any thread."""
        return cast("T", self._kept.setdefault(kind, kind()))
