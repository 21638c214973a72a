"""Images that a simulated board can run: their bytes say what they are called and how they behave.

The bytes do not run anywhere; as on a real chip, length and CRC are those of the bytes that lie in flash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import shake_128
from typing import Final, Literal

_MAGIC: Final = b"EDGESIM1"
_HEAD_MAX: Final = 512

Behaviour = Literal["runs", "hangs", "refuses"]
"""`hangs`: never says a word. `refuses`: runs, and does not take the command that confirms it."""


@dataclass(frozen=True, slots=True)
class Program:
    """Linked for the address `base`; elsewhere it hangs, as a real image does."""

    name: str
    version: str
    base: int
    size: int
    behaviour: Behaviour = "runs"

    def image(self) -> bytes:
        """The same program gives the same bytes."""
        head = [self.name, self.version, self.base, self.size, self.behaviour]
        start = _MAGIC + json.dumps(head).encode() + b"\n"
        if len(start) > self.size:
            raise ValueError(f"a program of {self.name} needs at least {len(start)} bytes, found {self.size}")
        code = shake_128(start)  # stands for machine code
        return start + code.digest(self.size - len(start))


def at(flash: bytes) -> Program | None:
    """The program whose start lies at the start of `flash`; None: no program's start."""
    if not flash.startswith(_MAGIC):
        return None
    head, newline, _ = flash[len(_MAGIC) : _HEAD_MAX].partition(b"\n")
    try:
        program = Program(*json.loads(head))
    except (ValueError, TypeError):
        return None
    return program if newline else None
