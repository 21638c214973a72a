"""A CSV file or .npy array of readings as blocks; a `label` column is their class. Computes nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from edgeinfer.errors import InputError, nearest
from edgeinfer.evaluate.examples import Dataset, Example
from edgeinfer.evaluate.pictures import NEVER
from edgeinfer.events import Readings

SUFFIXES = frozenset({".csv", ".npy"})

_LABEL, _RECORDING = "label", "recording"
"""Columns that are no channel: the class of a row, and the stretch that it belongs to."""

Row = tuple[str, str, list[float]]


def read_csv(path: Path, needed: tuple[str, ...] = ()) -> Dataset:
    """The stretches of rows that have one `recording` and one `label` (both columns may be absent).

    The first line names the columns; all but these two are channels, in their units, at the model's rate.

    Raises:
        InputError: no header, no row, one of the `needed` channels missing, or a field that is no number: with file,
            line and column.
    """
    channels, rows = _rows(path)
    for name in needed:
        if name not in channels:
            raise InputError(
                f"{path}:1: the model needs the column {name!r}{nearest(name, channels)} (there are: {', '.join(channels)})"
            )
    examples = []
    for n, ((recording, label), stretch) in enumerate(groupby(rows, key=lambda row: row[:2])):
        values = np.asarray([numbers for *_, numbers in stretch], np.float64)
        name = f"{path.name}:{recording or n}"
        examples.append(example_of(name, f"{path}#{n}", channels, values, label))
    labels = tuple(dict.fromkeys(example.label for example in examples))
    if "" in labels and len(labels) > 1:
        raise InputError(f"{path}: the column {_LABEL} is empty in some rows: every row needs its class")
    return Dataset("unlabelled" if labels == ("",) else "classes", tuple(filter(None, labels)), examples)


def _rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            head = [name.strip() for name in next(lines, [])]
            channels = tuple(name for name in head if name not in {_LABEL, _RECORDING})
            if not channels or any(_is_number(name) for name in head):
                raise InputError(
                    f"{path}:1: expected the names of the columns, found {', '.join(head) or 'nothing'}"
                )
            rows = list(_parsed(path, head, lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV (text, commas): {error}") from error
    if not rows:
        raise InputError(f"{path}: holds a header and no row")
    return channels, rows


def _parsed(path: Path, head: list[str], lines: Iterator[list[str]]) -> Iterator[Row]:
    for number, fields in enumerate(lines, start=2):
        if not fields:
            continue
        if len(fields) != len(head):
            raise InputError(f"{path}:{number}: expected {len(head)} fields, found {len(fields)}")
        row = dict(zip(head, fields, strict=True))
        recording, label = row.pop(_RECORDING, "").strip(), row.pop(_LABEL, "").strip()
        wrong = next((name for name, text in row.items() if not _is_number(text)), None)
        if wrong is not None:
            raise InputError(f"{path}:{number}: column {wrong}: expected a number, found {row[wrong]!r}")
        yield recording, label, [float(text) for text in row.values()]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def example_of(
    name: str, source: str, channels: tuple[str, ...], values: np.ndarray, label: str = ""
) -> Example:
    """A stretch of `values` (n, channels); each is a source of its own, so that no window spans two."""
    block = Readings((source, 0), NEVER, channels, values, gap_before=True)
    return Example(name, lambda: block, label)


def read_npy(path: Path, channels: tuple[str, ...]) -> Readings:
    """An array (n, channels) of the model's channels, in its order; (n,) for one; of any when `channels` is ().

    Raises:
        InputError: it is no such array.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: is no array that numpy can read: {error}") from error
    rows = values[:, None] if isinstance(values, np.ndarray) and values.ndim == 1 else values
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or len(channels) not in {0, rows.shape[1]}:
        found = getattr(values, "shape", "several arrays")
        wanted = f"(n, {len(channels)}): rows of {', '.join(channels)}" if channels else "(n, channels)"
        raise InputError(f"{path}: expected {wanted}; found {found}")
    names = channels or tuple(map(str, range(rows.shape[1])))
    return Readings((str(path), 0), NEVER, names, np.asarray(rows, np.float64), gap_before=True)
