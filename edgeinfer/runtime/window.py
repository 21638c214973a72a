"""What was sent and is not known to have arrived: it counts as arrived once the connection has held for so long after it.

For protocols that forbid an acknowledgement. A connection that is lost, or of which the other side has gone, confirms
nothing more: all in here is sent again. Knows no clock and no outbox.
"""

from __future__ import annotations

from collections import deque


class Window:
    """Positions in the outbox, in order, each with the moment from which on it is confirmed; `hold_s` 0: at once."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._sent: deque[tuple[float, int]] = deque()

    def at(self, cursor: int) -> int:
        """Up to where all was sent on this connection; `cursor` where nothing waits here."""
        return self._sent[-1][1] if self._sent else cursor

    def sent(self, seq: int, now_s: float) -> None:
        """All up to `seq` has left; moments only grow."""
        self._sent.append((now_s + self._hold_s, seq))

    def confirmed(self, now_s: float) -> int:
        """The last seq that is confirmed by now, and leaves the window; 0 where there is none."""
        seq = 0
        while self._sent and self._sent[0][0] <= now_s:
            seq = self._sent.popleft()[1]
        return seq

    def acknowledged(self) -> int:
        """The other side has answered something that was sent after all of this; the last seq, or 0."""
        seq = self._sent[-1][1] if self._sent else 0
        self._sent.clear()
        return seq

    def forget(self) -> None:
        """Whether it arrived will never be known."""
        self._sent.clear()
