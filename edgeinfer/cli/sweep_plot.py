"""Draws a sweep: precision, recall and F1 over one option, or F1 over two as a map of colours; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.cli.picture import saved, write
from edgeinfer.errors import InputError
from edgeinfer.evaluate.sweep import Axis
from edgeinfer.evaluate.truth import Matched

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 900, 480, 70, 30, 70, 60  # px
_CURVES = (("precision", (120, 170, 60)), ("recall", (60, 170, 240)), ("f1", (70, 80, 220)))  # BGR
_GREY = (225, 225, 225)

Rows = Sequence[tuple[tuple[float, ...], Matched]]


def save(path: Path, axes: Sequence[Axis], rows: Rows) -> None:
    """Writes the picture.

    Raises:
        InputError: more than two options cannot be drawn.
        EdgeinferError: it cannot be written.
    """
    if len(axes) > 2:
        raise InputError(f"--plot: one or two options can be drawn, found {len(axes)}; --json has all of it")
    saved(path, curves(str(axes[0]), rows) if len(axes) == 1 else chart(axes, rows))


def curves(name: str, rows: Rows) -> NDArray[Any]:
    """(480, 900, 3) uint8, BGR; a share that there is not leaves a hole in its curve."""
    picture = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    xs = [values[0] for values, _ in rows]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        cv2.line(picture, (_LEFT, y), (_WIDTH - _RIGHT, y), _GREY, 1)
        write(picture, f"{share:g}", 24, y + 5)
    for n, x in enumerate(xs):
        if n % max(1, len(xs) // 10) == 0:
            write(picture, f"{x:g}", _x(x, xs) - 10, _HEIGHT - _BOTTOM + 24)
    for i, (curve, colour) in enumerate(_CURVES):
        cv2.rectangle(picture, (_LEFT + 130 * i, 42), (_LEFT + 130 * i + 12, 54), colour, cv2.FILLED)
        write(picture, curve, _LEFT + 130 * i + 18, 53)
        _curve(
            picture,
            [(x, getattr(matched, curve)) for x, (_, matched) in zip(xs, rows, strict=True)],
            xs,
            colour,
        )
    write(picture, name, _LEFT, 26, 0.6)
    return picture


def _curve(
    picture: NDArray[Any],
    points: list[tuple[float, float | None]],
    xs: list[float],
    colour: tuple[int, int, int],
) -> None:
    last = None
    for x, share in points:
        here = None if share is None else (_x(x, xs), _y(share))
        if here:
            cv2.circle(picture, here, 3, colour, cv2.FILLED, cv2.LINE_AA)
        if here and last:
            cv2.line(picture, last, here, colour, 2, cv2.LINE_AA)
        last = here


def chart(axes: Sequence[Axis], rows: Rows) -> NDArray[Any]:
    """F1 of each pair of values, from white (0) to green (1), with its figure."""
    across, down = axes[1].values, axes[0].values
    cell_w, cell_h = max(44, 700 // len(across)), 28
    picture = np.full((_TOP + 40 + cell_h * len(down), _LEFT + 30 + cell_w * len(across), 3), 255, np.uint8)
    write(picture, f"F1; down: {axes[0]}, across: {axes[1]}", 16, 26, 0.5)
    for n, (_, matched) in enumerate(rows):
        row, column = divmod(n, len(across))
        x, y, f1 = _LEFT + cell_w * column, _TOP + cell_h * row, matched.f1 or 0.0
        shade = (round(255 - 195 * f1), round(255 - 65 * f1), round(255 - 195 * f1))
        cv2.rectangle(picture, (x, y), (x + cell_w - 1, y + cell_h - 1), shade, cv2.FILLED)
        write(picture, f"{f1:.2f}", x + 6, y + 19, 0.4)
    for column, value in enumerate(across):
        write(picture, f"{value:g}", _LEFT + cell_w * column + 6, _TOP - 8, 0.4)
    for row, value in enumerate(down):
        write(picture, f"{value:g}", 16, _TOP + cell_h * row + 19, 0.4)
    return picture


def _x(value: float, xs: list[float]) -> int:
    wide = max(xs) - min(xs) or 1.0
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - min(xs)) / wide)


def _y(share: float) -> int:
    return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share)
