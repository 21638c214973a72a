"""Columns for a terminal; knows nothing of what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def columns(rows: Iterable[list[str]], *, indent: str = "  ", figures: bool = False) -> Iterator[str]:
    """Each row as one line, its cells under one another; with `figures`, all but the first to the right."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if figures and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield indent + "  ".join(cells).rstrip()


def number(value: float) -> str:
    """Counts without digits behind the point, shares with three."""
    return f"{value:.0f}" if value > 1 and value == int(value) else f"{value:.3f}"
