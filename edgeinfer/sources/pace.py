"""When the next picture is due: a cap on pictures per second, and recorded time against real time."""

from __future__ import annotations

import time

from edgeinfer.ports import Stop

_SLACK = 0.1  # of a period: a picture that comes this much early still counts, so that jitter halves no rate
_BEHIND_S = 0.5  # a file that is this far behind real time is not hurried, but goes on from here


class Cap:
    """Lets at most `fps` pictures per second pass (None: all), evenly, by the times that it is shown."""

    def __init__(self, fps: float | None) -> None:
        self._period_ns = round(1e9 / fps) if fps else 0
        self._due_ns: int | None = None

    def passes(self, at_ns: int) -> bool:
        """Whether a picture of that moment is wanted; moments must not run backwards."""
        if not self._period_ns:
            return True
        due_ns = at_ns if self._due_ns is None else self._due_ns
        if at_ns < due_ns - _SLACK * self._period_ns:
            return False
        late = at_ns - due_ns > self._period_ns  # what was missed in a silence is not made up for
        self._due_ns = (at_ns if late else due_ns) + self._period_ns
        return True


class RealTime:
    """Makes recorded moments come at the speed at which they once came."""

    def __init__(self, stop: Stop) -> None:
        self._stop, self._zero_ns = stop, time.monotonic_ns()

    def elapsed_ns(self) -> int:
        return time.monotonic_ns() - self._zero_ns

    def wait_for(self, position_ns: int) -> None:
        """Returns when `position_ns` after the start has come, or when the source is asked to stop."""
        ahead_s = (position_ns - self.elapsed_ns()) / 1e9
        if ahead_s < -_BEHIND_S:
            self._zero_ns += round(-ahead_s * 1e9)
        elif ahead_s > 0:
            self._stop.wait(ahead_s)
