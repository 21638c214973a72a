"""Whether an audit log is what was written: finds every edit, removal, insertion and reorder; reads only.

What it cannot know from the files alone: whether lines at the end, or all of them, were taken away. A head (number and
hash) that somebody else keeps proves that; the health topic carries it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer.audit.chain import GENESIS, Broken, Line, parse
from edgeinfer.audit.files import Raw, files, first_of, raw_lines


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `file` and `line` say where."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(slots=True)
class Verdict:
    """What was found. `first` and `last` are numbers of lines, `head` is the hash of the last one.

    `since` counts the lines behind the head that was given (None: none was given, or it was not found).
    """

    findings: list[Finding] = field(default_factory=list)
    first: int = 0
    last: int = 0
    head: str = GENESIS
    anchor: str = GENESIS
    since: int | None = None
    torn: int = 0  # lines "torn": tails that a power cut left, as the daemon told them
    missed: int = 0  # lines that the daemon could not write, as it told

    @property
    def whole(self) -> bool:
        return not self.findings


def verify(folder: Path, head: str = "") -> Verdict:
    """Walks the whole chain in `folder`.

    Args:
        folder: where the files are.
        head: a hash that this chain had once, from whoever kept it; it must still be in it.

    Raises:
        OSError: a file cannot be read.
    """
    walk = _Walk(folder)
    walk.all()
    verdict = walk.verdict
    if head:
        _check_head(folder, verdict, walk.numbers.get(head), head)
    return verdict


def _check_head(folder: Path, verdict: Verdict, n: int | None, head: str) -> None:
    if n is not None:
        verdict.since = verdict.last - n
    elif head == verdict.anchor:
        verdict.since = verdict.last - verdict.first + 1
    else:
        text = (
            f"the head {head} is not in this log: lines were cut off its end or it was written anew, or the head is "
            "older than the oldest file"
        )
        there = files(folder)
        verdict.findings.append(Finding(there[-1].name if there else str(folder), 0, text))


class _Walk:
    """One pass over the files; collects instead of stopping, since the first finding is not always the worst."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.verdict = Verdict()
        self.numbers: dict[str, int] = {}  # hash → n
        self._before: Line | None = None
        self._anchors: set[tuple[object, object]] = {(0, GENESIS)}
        self._lost_track = False  # behind a broken line the next one's `prev` says nothing

    def all(self) -> None:
        there = files(self._folder)
        for file in there:
            self._file(file, last=file == there[-1])
        if there:
            self._check_anchor(there[0])

    def _file(self, file: Path, *, last: bool) -> None:
        count = 0
        for raw in raw_lines(file):
            count += 1
            self._line(raw, newest=last)
            if count == 1 and self._before is not None and self._before.n != first_of(file):
                self._tell(raw, f"the file should begin with line {first_of(file)} of the chain")
        if not count and not last:
            self.verdict.findings.append(Finding(file.name, 0, "the file is empty"))

    def _line(self, raw: Raw, *, newest: bool) -> None:
        try:
            line = parse(raw.content)
        except Broken as error:
            self._tell(raw, _torn(newest) if not raw.whole else str(error))
            self._lost_track = True
            return
        if not raw.whole:
            self._tell(raw, _torn(newest))
        self._follow(raw, line)

    def _follow(self, raw: Raw, line: Line) -> None:
        before = self._before
        if before is None:
            self.verdict.first, self.verdict.anchor = line.n, line.prev
        elif not self._lost_track and (line.prev != before.hash or line.n != before.n + 1):
            self._tell(raw, _gap(before, line))
        elif self._lost_track and line.n <= before.n:
            self._tell(raw, f"line {line.n} of the chain stands behind line {before.n}")
        self._before, self._lost_track = line, False
        self.numbers[line.hash] = line.n
        self.verdict.last, self.verdict.head = line.n, line.hash
        self.verdict.torn += line.kind == "torn"
        if line.kind == "dropped":
            self._anchors.add((line.facts.get("last"), line.facts.get("anchor")))
        if line.kind == "missed":
            self.verdict.missed += int(line.facts.get("lines", 0))

    def _check_anchor(self, oldest: Path) -> None:
        """The oldest file is the first of all, or the daemon said that it dropped what was before it."""
        verdict = self.verdict
        if verdict.first and (verdict.first - 1, verdict.anchor) not in self._anchors:
            text = f"lines before {verdict.first} are missing, and no line says that the daemon dropped them"
            verdict.findings.append(Finding(oldest.name, 1, text))

    def _tell(self, raw: Raw, what: str) -> None:
        self.verdict.findings.append(Finding(raw.file.name, raw.number, what))


def _gap(before: Line, line: Line) -> str:
    if line.n > before.n + 1:
        return f"lines {before.n + 1} to {line.n - 1} of the chain are missing before this one"
    if line.n <= before.n:
        return f"line {line.n} of the chain stands behind line {before.n}"
    return f"does not follow line {before.n} of the chain: its `prev` is another hash"


def _torn(newest: bool) -> str:  # noqa: FBT001  private, one caller
    if not newest:
        return "the last line of the file is cut off"
    return "the last line is not whole: a power cut, or an edit; the next start of the daemon puts it aside and tells it"
