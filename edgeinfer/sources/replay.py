"""The source `replay`: samples of a recording, as they once came; what was inferred from them is not replayed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from edgeinfer.errors import InputError, nearest
from edgeinfer.events import Back, Frame, Instant, Lost, Readings, Sample, Tick, Trigger
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.recording import kinds, read
from edgeinfer.sources.pace import RealTime

_SAMPLES = (Frame, Readings, Trigger, Tick, Lost, Back)
_KINDS = {kind.__name__.lower() for kind in _SAMPLES}


class Replay:
    """Samples of one source of a recording, numbered anew under this source's name.

    In lockstep they keep their recorded instants, with the ticks, losses and returns of that time: the same
    decisions come out again, with the same ids when this source has the recorded name. At real pace they get
    new instants, and their distances from the recording; the feed makes its own ticks then.
    """

    block_s = 5.0

    class Options(
        msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
    ):
        """What a user may write; `source` may be left out when there is only one in the recording."""

        from_: str
        source: str = ""
        pace: Literal["lockstep", "real"] = "lockstep"

    def __init__(self, options: Options, place: SourcePlace) -> None:
        self._path, self._place, self._real = Path(options.from_), place, options.pace == "real"
        self._told, self._first = 0, ""
        counts = _samples_in(self._path)
        self._source = _chosen(options.source, list(counts), self._path)
        self.flow: Flow = "lockstep"
        if self._real:
            self.flow = "newest" if "frame" in counts[self._source] else "queue"

    def samples(self, stop: Stop) -> Iterator[Sample]:
        recorded = (seen for seen in read(self._path, self._tell, self._source) if isinstance(seen, _SAMPLES))
        for sample in self._at_real_pace(recorded, stop) if self._real else recorded:
            if stop.is_set():
                return
            key, at = self._place.stamp(None if self._real else sample.at)
            yield dataclasses.replace(sample, key=key, at=at)

    def _tell(self, text: str) -> None:
        self._first = self._first or text
        self._told += 1
        more = f" (and {self._told - 1} more)" if self._told > 1 else ""
        self._place.report("recording", self._first + more)

    def _at_real_pace(self, recorded: Iterator[Sample], stop: Stop) -> Iterator[Sample]:
        pace, position_ns = RealTime(stop), 0
        last: Instant | None = None
        for sample in recorded:
            if isinstance(sample, Tick):
                continue
            if last is not None and last.boot == sample.at.boot:
                position_ns += max(0, sample.at.mono_ns - last.mono_ns)
            last = sample.at
            pace.wait_for(position_ns)
            yield sample


def _samples_in(path: Path) -> dict[str, set[str]]:
    """Source → types of its samples; sources that gave none are left out."""
    try:
        found = {source: set(types) & _KINDS for source, types in kinds(path).items()}
    except InputError as error:
        raise InputError(f"from: {error}") from error
    return {source: types for source, types in found.items() if types}


def _chosen(wanted: str, there: list[str], path: Path) -> str:
    if wanted in there:
        return wanted
    if wanted:
        hint = nearest(wanted, there) or f" (there are: {', '.join(there)})"
        raise InputError(f"source: no source {wanted!r} in the recording {path}{hint}")
    if len(there) == 1:
        return there[0]
    if not there:
        raise InputError(f"from: the recording {path} holds no samples (frames, readings, …)")
    raise InputError(f"source: say which source of {path} is meant: {', '.join(there)}")
