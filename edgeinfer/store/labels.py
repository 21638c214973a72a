"""Labels files as they are found in the field, to the names of class 0, 1, 2, …; knows no model."""

from __future__ import annotations

import re

NO_CLASS = "???"
"""What TensorFlow's label maps write where a number has no class (first of all for the background)."""

_NUMBERED = re.compile(r"(\d+)[ \t:,]+(\S.*)")


def parse_labels(text: str) -> tuple[str, ...]:
    """One name a line, or `0 name` (gaps become "???"); a leading "???" or a count from 1 is the background.

    Byte order mark, CRLF, blank lines and spaces around a name do not matter.
    """
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    names = _numbered([line for line in lines if line])
    while names and names[0] == NO_CLASS:
        names = names[1:]
    return tuple(names)


def _numbered(lines: list[str]) -> list[str]:
    """Lines that all begin with a rising number are numbered; else "3 way valve" is a name."""
    rows = [_NUMBERED.fullmatch(line) for line in lines if line != NO_CLASS]
    numbers = [int(row[1]) for row in rows if row]
    if not rows or len(numbers) != len(rows) or numbers != sorted(set(numbers)) or numbers[0] > 1:
        return lines
    names = [NO_CLASS] * (numbers[-1] + 1)
    for row in rows:
        if row:
            names[int(row[1])] = row[2].strip()
    return names
