"""The files of an audit log: which there are, in which order, and what stands at their end; writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.audit.chain import GENESIS, Broken, Line, parse

DIGITS = 10
PATTERN = "[0-9]" * DIGITS + ".jsonl"


def name_of(first: int) -> str:
    """A file is named after the number of its first line, so that names sort as the chain goes."""
    return f"{first:0{DIGITS}d}.jsonl"


def files(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(folder.glob(PATTERN))


def first_of(file: Path) -> int:
    return int(file.stem)


@dataclass(frozen=True, slots=True)
class Raw:
    """A line as it stands in a file; `whole` is False where its line break is missing."""

    file: Path
    number: int
    content: bytes
    whole: bool = True


def raw_lines(file: Path) -> Iterator[Raw]:
    """Raises OSError when the file cannot be read."""
    lines = file.read_bytes().split(b"\n")
    torn = lines.pop()
    for number, content in enumerate(lines, 1):
        yield Raw(file, number, content)
    if torn:
        yield Raw(file, len(lines) + 1, torn, whole=False)


def readable(folder: Path) -> Iterator[Line]:
    """All lines that are whole, oldest first; what is broken is left to `verify`."""
    for file in files(folder):
        for raw in raw_lines(file):
            try:
                yield parse(raw.content)
            except Broken:
                continue


def newest_first(folder: Path) -> Iterator[Line]:
    """The same, from the end: whoever has found what they look for need not read the rest."""
    for file in reversed(files(folder)):
        for raw in reversed(list(raw_lines(file))):
            try:
                yield parse(raw.content)
            except Broken:
                continue


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain goes on: behind `n`, in `file` (None: there is none yet), whose first `size` bytes are whole lines.

    `torn` are bytes behind them that a power cut left. `broken` says why the last whole line is none of a chain.
    """

    n: int
    hash: str
    file: Path | None
    size: int
    torn: int
    broken: str = ""


def end_of(folder: Path) -> End:
    """Raises OSError when the newest file cannot be read."""
    there = files(folder)
    if not there:
        return End(0, GENESIS, None, 0, 0)
    content = there[-1].read_bytes()
    size = content.rfind(b"\n") + 1
    torn = len(content) - size
    if not size:
        return _before(there, torn)
    last = content[content.rfind(b"\n", 0, size - 1) + 1 : size - 1]
    try:
        line = parse(last)
    except Broken as error:
        return End(first_of(there[-1]) + content.count(b"\n"), GENESIS, there[-1], size, torn, str(error))
    return End(line.n, line.hash, there[-1], size, torn)


def _before(there: list[Path], torn: int) -> End:
    """The newest file has no whole line: the chain ends in the one before it."""
    *older, newest = there
    if not older:
        return End(first_of(newest) - 1, GENESIS, newest, 0, torn)
    last = None
    for raw in raw_lines(older[-1]):
        last = raw
    try:
        line = parse(last.content if last else b"")
    except Broken as error:
        return End(first_of(newest) - 1, GENESIS, newest, 0, torn, str(error))
    return End(line.n, line.hash, newest, 0, torn)
