"""Numbers as 16-bit registers and back. Pure.

Source: Modbus Application Protocol 1.1b3, 4.2: a word is sent high byte first. The order of words is the device's own.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Literal

Type = Literal["int16", "uint16", "int32", "uint32", "float32"]
Order = Literal["big", "little"]

_FORMS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}


def size(kind: Type) -> int:
    """How many registers one takes."""
    return struct.calcsize(_FORMS[kind]) // 2


def unpack(kind: Type, words: Sequence[int], order: Order = "big") -> float:
    """The number in the first `size(kind)` of `words`."""
    own = list(words[: size(kind)])
    if order == "little":
        own.reverse()
    return float(struct.unpack(_FORMS[kind], b"".join(word.to_bytes(2, "big") for word in own))[0])


def pack(kind: Type, value: float, order: Order = "big") -> list[int]:
    """`value` as registers, rounded for a whole type.

    Raises:
        OverflowError: it does not fit, or it is no number and the type has none for that.
    """
    try:
        raw = struct.pack(_FORMS[kind], value if kind == "float32" else round(value))
    except (struct.error, ValueError) as error:  # round(nan) is a ValueError
        raise OverflowError(f"{value} does not fit {kind}") from error
    words = [int.from_bytes(raw[n : n + 2], "big") for n in range(0, len(raw), 2)]
    return words[::-1] if order == "little" else words
