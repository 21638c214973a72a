"""A table of figures as text: names to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Iterator


def table(rows: list[list[str]]) -> Iterator[str]:
    """Columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *rest = (
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "  ".join([first, *rest])


def number(value: float) -> str:
    """Counts without digits behind the point, shares with three."""
    return f"{value:.0f}" if value > 1 and value == int(value) else f"{value:.3f}"
