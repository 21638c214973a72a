"""Columns for a terminal; knows nothing of what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def columns(rows: Iterable[list[str]]) -> Iterator[str]:
    """Each row as one indented line, its cells under one another."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
