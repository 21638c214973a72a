"""Registers of Modbus: what a user writes, which are asked for together, and words to numbers. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from edgeinfer.modbus.words import Order, Type, size, unpack

_MOST = 125  # registers in one answer (Modbus Application Protocol 1.1b3, 6.3)


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """value = raw x scale + offset, in `unit`; `address` counts from 0, as on the wire (40001 is holding 0)."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    address: Annotated[int, msgspec.Meta(ge=0, le=65_535)]
    unit_id: Annotated[int, msgspec.Meta(ge=0, le=247)] = 1
    table: Literal["holding", "input"] = "holding"
    type: Type = "uint16"
    word_order: Order = "big"
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""

    @property
    def words(self) -> int:
        return size(self.type)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Registers that lie side by side and are asked for in one request."""

    unit_id: int
    table: str
    address: int
    count: int
    registers: tuple[Register, ...]


def stretches(registers: Sequence[Register]) -> tuple[Stretch, ...]:
    """As few requests as can be without asking for an address that nobody named: a device may refuse it."""
    made: list[Stretch] = []
    for register in sorted(registers, key=lambda r: (r.unit_id, r.table, r.address)):
        end = register.address + register.words
        last = made[-1] if made else None
        if (
            last is not None
            and (last.unit_id, last.table) == (register.unit_id, register.table)
            and register.address <= last.address + last.count
            and end - last.address <= _MOST
        ):
            count = max(last.count, end - last.address)
            made[-1] = Stretch(last.unit_id, last.table, last.address, count, (*last.registers, register))
        else:
            made.append(
                Stretch(register.unit_id, register.table, register.address, register.words, (register,))
            )
    return tuple(made)


def decoded(stretch: Stretch, words: Sequence[int] | None) -> Mapping[str, float]:
    """By name, in units; NaN for all when there are no words."""
    if words is None:
        return dict.fromkeys((r.name for r in stretch.registers), math.nan)
    return {r.name: _number(r, words[r.address - stretch.address :]) for r in stretch.registers}


def _number(register: Register, words: Sequence[int]) -> float:
    value = unpack(register.type, words, register.word_order) * register.scale + register.offset
    return value if math.isfinite(value) else math.nan
