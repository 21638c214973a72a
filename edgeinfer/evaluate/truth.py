"""What really happened and when, from a CSV; and how well decisions match it. How they were made is not known."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.errors import InputError, nearest
from edgeinfer.events import Decision, Frame, Sample
from edgeinfer.rules.inputs import Happenings
from edgeinfer.wire.times import iso, unix_s

_TIMES = ("frame", "at_s", "at")
_COLUMNS = (*_TIMES, "rule", "source")


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: the rule that should tell it, and when (unix ns)."""

    rule: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Matched:
    """Decisions that tell something true, that tell something else, and what nobody told."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Matched) -> Matched:
        return Matched(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        """None: nothing was told."""
        told = self.right + self.wrong
        return self.right / told if told else None

    @property
    def recall(self) -> float | None:
        """None: there was nothing to tell."""
        true = self.right + self.missed
        return self.right / true if true else None

    @property
    def f1(self) -> float | None:
        """2 right / (2 right + wrong + missed) (van Rijsbergen 1979); None where both are None."""
        all_ = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / all_ if all_ else None


class Timeline:
    """When the pictures of each source were taken, to make frame numbers and seconds into moments."""

    def __init__(self, samples: Mapping[str, Sequence[Sample]]) -> None:
        self.frames = {
            name: [s.at.unix_ns for s in seen if isinstance(s, Frame)] for name, seen in samples.items()
        }
        every = [s.at.unix_ns for seen in samples.values() for s in seen]
        self.start_ns, self.end_ns = min(every, default=0), max(every, default=0)

    def of_frame(self, source: str, number: int) -> int:
        """Raises ValueError when there is no such picture."""
        frames = self.frames.get(source, [])
        if not 0 <= number < len(frames):
            last = f"has frames 0 to {len(frames) - 1}" if frames else "has no frames"
            raise ValueError(f"frame {number}, but the source {source!r} of the recording {last}")
        return frames[number]

    def of_moment(self, at_ns: int, said: str) -> int:
        """Raises ValueError when it lies outside of the recording."""
        if not self.start_ns <= at_ns <= self.end_ns:
            long_s = (self.end_ns - self.start_ns) / 1e9
            raise ValueError(f"{said}, but the recording lasts {long_s:.1f} s, from {iso(self.start_ns)} on")
        return at_ns


def read_truth(path: Path, timeline: Timeline, rules: Mapping[str, str], usual: str | None) -> list[Happened]:
    """The events of a truth file, see docs/recordings.md.

    Args:
        path: a CSV with a header; lines that begin with # are comments.
        timeline: of the recording that it is the truth of.
        rules: rule → the source whose frames its truth counts.
        usual: the rule of rows that name none.

    Raises:
        InputError: the file cannot be read, a column or rule is unknown, or a time is not one of this recording.
    """
    found = []
    for number, row in _rows(path):
        place = f"{path}:{number}"
        rule = row.get("rule") or usual
        if rule is None:
            raise InputError(f"{place}: expected the column rule, for several rules are swept")
        if rule not in rules:
            raise InputError(f"{place}: no [rule.{rule}] in this config{nearest(rule, rules)}")
        try:
            found.append(Happened(rule, _moment(row, timeline, row.get("source") or rules[rule])))
        except ValueError as error:
            raise InputError(f"{place}: {error}") from error
    if not found:
        raise InputError(f"{path}: expected rows with what happened, found none")
    return sorted(found, key=lambda h: h.at_ns)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a CSV with what happened and when: {error}") from error
    kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    header = [name.strip() for name in next(csv.reader([kept[0][1]]))] if kept else []
    if len([name for name in header if name in _TIMES]) != 1:
        near = next((nearest(name, _COLUMNS) for name in header if nearest(name, _COLUMNS)), "")
        raise InputError(
            f"{path}: expected a header with one of the columns frame, at_s, at, "
            f"found {', '.join(header) or 'nothing'}{near}"
        )
    values = csv.reader([line for _, line in kept[1:]])
    return [
        (n, dict(zip(header, map(str.strip, row), strict=False)))
        for (n, _), row in zip(kept[1:], values, strict=True)
    ]


def _moment(row: Mapping[str, str], timeline: Timeline, source: str) -> int:
    if text := row.get("frame"):
        if not text.isdigit():
            raise ValueError(f"expected the number of a frame from 0 on, found {text!r}")
        return timeline.of_frame(source, int(text))
    if text := row.get("at_s"):
        try:
            at_ns = timeline.start_ns + round(float(text) * 1e9)
        except (ValueError, OverflowError):
            raise ValueError(f"expected seconds since the recording began, found {text!r}") from None
        return timeline.of_moment(at_ns, f"{text} s")
    return timeline.of_moment(_parsed(row.get("at") or ""), row.get("at") or "")


def _parsed(text: str) -> int:
    try:
        return round(unix_s(text) * 1e6) * 1000
    except ValueError:
        raise ValueError(f"expected a time such as 2026-11-24T10:59:33.120Z, found {text!r}") from None


def told_by(decisions: Iterable[Decision], rule: str) -> list[int]:
    """When `rule` told that something happened (it came on, or its number grew by so many), unix ns, in order."""
    happenings = Happenings("rule", rule)
    return sorted(d.at.unix_ns for d in decisions if d.rule == rule for _ in range(happenings.happened(d)))


def match(true_ns: Sequence[int], told_ns: Sequence[int], tolerance_s: float) -> Matched:
    """Each event with at most one decision that is at most `tolerance_s` away, as many as can be; both in order."""
    right, free = 0, 0
    for true in true_ns:
        free = max(free, bisect_right(told_ns, true - round(tolerance_s * 1e9) - 1))
        if free < len(told_ns) and told_ns[free] <= true + round(tolerance_s * 1e9):
            right, free = right + 1, free + 1
    return Matched(right, len(told_ns) - right, len(true_ns) - right)
