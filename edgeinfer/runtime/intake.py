"""What one pipeline wants of a source: how often, how fresh, how urgent; and the count of what it did not want."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from edgeinfer.events import Frame, Readings


@dataclass(frozen=True, slots=True)
class Limits:
    """What [pipeline.NAME] says about pace; 0 means no limit.

    `max_fps` thins out pictures, `max_age_ms` skips what waited too long, `deadline_ms` is the promise that is
    measured. `priority` is 0 (gives way first) to 9.
    """

    max_fps: float = 0.0
    max_age_ms: float = 0.0
    deadline_ms: float = 0.0
    priority: int = 5

    @property
    def nice(self) -> int:
        """For the thread: below the usual 5 it gives way on the CPU; to rise above the others takes a privilege."""
        return 2 * max(5 - self.priority, 0)

    @property
    def oldest_ns(self) -> int:
        """How old a sample may be when it is taken: one that has missed the deadline is not worth its computing."""
        return round(1e6 * (self.max_age_ms or self.deadline_ms))


class Intake:
    """Decides for one mailbox; knows time only from the samples, so that a replay is thinned out like the camera.

    `skipped` counts by reason: `over_rate` (max_fps), `throttled` (the board is too hot), `too_old`.
    """

    def __init__(self, limits: Limits) -> None:
        self._period_ns = round(1e9 / limits.max_fps) if limits.max_fps else 0
        self._oldest_ns = limits.oldest_ns
        self._due_ns: int | None = None
        self._seen = 0
        self.keep_one_of = 1
        self.skipped: Counter[str] = Counter()

    def wants(self, frame: Frame) -> bool:
        """Whether this picture may wait for the pipeline at all."""
        if not self._on_time(frame.at.mono_ns):
            self.skipped["over_rate"] += 1
            return False
        self._seen += 1
        if self._seen % self.keep_one_of:
            self.skipped["throttled"] += 1
            return False
        return True

    def _on_time(self, at_ns: int) -> bool:
        """The mean rate stays `max_fps` however the camera's pictures fall: what is due moves on by whole periods."""
        if not self._period_ns:
            return True
        due_ns = self._due_ns
        if due_ns is not None and 0 < due_ns - at_ns <= self._period_ns:
            return False
        late = (
            due_ns is None or not 0 <= at_ns - due_ns < self._period_ns
        )  # first, after a pause, or a clock jump
        self._due_ns = (at_ns if late or due_ns is None else due_ns) + self._period_ns
        return True

    def fresh(self, item: object, now_ns: int) -> bool:
        """Whether a sample that is taken now is still worth judging."""
        if not self._oldest_ns or not isinstance(item, Frame | Readings):
            return True
        if now_ns - _newest_ns(item) <= self._oldest_ns:
            return True
        self.skipped["too_old"] += 1
        return False


def _newest_ns(item: Frame | Readings) -> int:
    """When the last of a sample was taken: a block of readings is as fresh as its last row."""
    if isinstance(item, Readings):
        return item.at.mono_ns + item.period_ns * max(len(item.values) - 1, 0)
    return item.at.mono_ns
