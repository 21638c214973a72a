"""Any message of the protocol, for hypothesis: each field over all that its place in the layout can hold."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import strategies as st

from firmware_bridge import boot_messages
from firmware_bridge import messages as m

CLASSES = (*m.TO_NODE.values(), *m.FROM_NODE.values(), *boot_messages.ALL.values())
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
RANGES = {"B": (0, 2**8 - 1), "H": (0, 2**16 - 1), "I": (0, 2**32 - 1)}


def _numbers(cls: type[m.Message]) -> list[st.SearchStrategy[int] | st.SearchStrategy[float]]:
    letters = cls.layout.format.lstrip("<").replace("6I", "IIIIII")
    return [st.floats(width=32, allow_nan=False) if c == "f" else st.integers(*RANGES[c]) for c in letters]


def any_of(cls: type[m.Message], tail_max: int = 300) -> st.SearchStrategy[m.Message]:
    """Messages of `cls` that a right node or host may send."""
    numbers = _numbers(cls)
    tails = [TEXTS] * cls.strings
    if len(fields(cls)) > len(numbers) + len(tails):  # type: ignore[arg-type]
        tails.append(st.binary(max_size=tail_max))  # type: ignore[arg-type]
    return st.builds(cls, *numbers, *tails).filter(lambda message: not message.wrong())


MESSAGES = st.one_of([any_of(cls) for cls in CLASSES])
