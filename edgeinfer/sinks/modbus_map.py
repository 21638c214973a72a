"""Which rule's state stands where in a PLC, and as which bits and words; writes nothing. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import State
from edgeinfer.modbus.words import Order, Type, pack, size

Unknown = float | Literal["on", "off"] | None

_LAST = 65_535  # addresses are two bytes (Modbus Application Protocol 1.1b3, 4.4)
_BITS = {"on": 1.0, "off": 0.0}
_EXAMPLE = '"coil:3", "holding:10" or "holding:10:float32"'


class To(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`value` of a rule = raw x scale + offset, as of the source; `valid` is a coil that is on while the state is known."""

    to: str
    valid: str = ""
    unknown: Unknown = None
    scale: float = 1.0
    offset: float = 0.0
    word_order: Order = "big"


@dataclass(frozen=True, slots=True)
class Place:
    """A coil, or a register and those that follow it; addresses count from 0, as on the wire."""

    table: str  # "coil" or "holding"
    address: int
    type: Type = "uint16"

    @property
    def cells(self) -> Iterator[tuple[str, int]]:
        """What it occupies."""
        count = 1 if self.table == "coil" else size(self.type)
        return ((self.table, self.address + n) for n in range(count))

    def __str__(self) -> str:
        return f"{self.table} {self.address}"


@dataclass(frozen=True, slots=True)
class Write:
    """One request: bits of coils, or words of registers, from `address` on."""

    table: str
    address: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule's place in the PLC."""

    at: Place
    valid: Place | None
    unknown: float
    scale: float = 1.0
    offset: float = 0.0
    order: Order = "big"

    def writes(self, state: State) -> tuple[Write, ...]:
        """In the order in which the PLC may see them: a value is never called valid before it is there.

        Raises:
            OverflowError: the number does not fit; show the state as unknown instead.
        """
        known = state != "unknown"
        value = self._write(self._raw(state))
        if self.valid is None:
            return (value,)
        valid = Write("coil", self.valid.address, (int(known),))
        return (value, valid) if known else (valid, value)

    def _raw(self, state: State) -> float:
        if state == "unknown":
            return self.unknown
        if isinstance(state, str):
            return _BITS[state]
        raw = (state - self.offset) / self.scale
        if not math.isfinite(raw):
            raise OverflowError(f"{state} is no number that a register can hold")
        return raw

    def _write(self, raw: float) -> Write:
        if self.at.table == "coil":
            return Write("coil", self.at.address, (int(raw != 0),))
        return Write("holding", self.at.address, tuple(pack(self.at.type, raw, self.order)))


def place(key: str, text: str) -> Place:
    """From `coil:3`, `holding:10` or `holding:10:float32`; raises InputError, which begins with `key`."""
    table, _, rest = text.partition(":")
    digits, _, kind = rest.partition(":")
    kinds = get_args(Type)
    wrong = table not in ("coil", "holding") or not digits.isdecimal() or (kind and kind not in kinds)
    if wrong or (table == "coil" and ":" in rest):
        raise InputError(f"{key}: expected {_EXAMPLE} (types: {', '.join(kinds)}), found {text!r}")
    found = Place(table, int(digits), kind or "uint16")  # type: ignore[arg-type]  # looked up above
    last = max(address for _, address in found.cells)
    if last > _LAST:
        raise InputError(f"{key}: expected an address of 0 to {_LAST}, and {text!r} ends at {last}")
    return found


def shown(written: Mapping[str, str | To], unknown: Unknown) -> dict[str, Shown]:
    """The map of a sink; `unknown` is for those that say nothing of it themselves.

    Raises:
        InputError: a place is none, or nothing says what an unknown state looks like there.
    """
    return {
        rule: _shown(f"map.{rule}", To(to=to) if isinstance(to, str) else to, unknown)
        for rule, to in written.items()
    }


def _shown(key: str, to: To, unknown: Unknown) -> Shown:
    at = place(key, to.to)
    valid = place(f"{key}.valid", to.valid) if to.valid else None
    if valid is not None and valid.table != "coil":
        raise InputError(f"{key}.valid: expected a coil, found {to.valid!r}")
    if not to.scale or not math.isfinite(to.scale) or not math.isfinite(to.offset):
        raise InputError(
            f"{key}: expected scale other than 0 and finite numbers, found {to.scale} and {to.offset}"
        )
    made = Shown(at, valid, _unknown(key, to, at, unknown), to.scale, to.offset, to.word_order)
    try:
        made.writes("unknown")
        made.writes("on")
    except OverflowError as error:
        raise InputError(f"{key}: {error}; write another type or another value for unknown") from None
    return made


def _unknown(key: str, to: To, at: Place, usual: Unknown) -> float:
    """What stands there while nobody knows."""
    said = to.unknown if to.unknown is not None else usual
    if isinstance(said, str):
        return _BITS[said]
    if said is not None:
        return said
    if to.valid:
        return 0.0
    if at.type == "float32" and at.table == "holding":
        return math.nan
    raise InputError(
        f'{key}: what should stand at {at} while the state is unknown? Write unknown = "off", "on" or a number, '
        'or valid = "coil:…" for a coil that says whether it is known'
    )


def check_apart(places: Mapping[str, Place]) -> None:
    """Raises InputError when two of `places` (by their key) share a coil or a register."""
    taken: dict[tuple[str, int], str] = {}
    for key, at in places.items():
        for cell in at.cells:
            if (other := taken.setdefault(cell, key)) != key:
                table, address = cell
                raise InputError(f"{key}: {table} {address} belongs to {other} already; give each its own")


def state_of(word: str) -> State:
    """The inverse of what the encoding `plain` writes; what is no state is unknown."""
    if word in ("on", "off"):
        return word  # type: ignore[return-value]  # mypy does not narrow by `in`
    try:
        return float(word)
    except ValueError:
        return "unknown"
