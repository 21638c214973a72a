"""How fast a sink may publish: two buckets of credit that fill with time; knows no clock and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass

_SAVED_S = 1.0  # credit that may be saved up: a burst after a pause
_OWED_S = 30.0  # the most that may be owed: a courier that waits longer counts as stuck
_MESSAGE_BYTES = 500.0  # about what a decision takes with its topic; then what they took so far counts
_SMOOTH = 1 / 8
_BATCH_S = 1.0  # what one batch should take: between two of them comes the heartbeat


@dataclass(slots=True)
class _Bucket:
    rate: float  # a second; 0: no limit
    credit: float = 0.0

    def fill(self, passed_s: float) -> None:
        self.credit = min(self.credit + passed_s * self.rate, max(self.rate * _SAVED_S, 1.0))

    def spend(self, amount: float) -> None:
        self.credit = max(self.credit - amount, -self.rate * _OWED_S)

    def wait_s(self) -> float:
        return -self.credit / self.rate if self.rate and self.credit < 0 else 0.0


class Pace:
    """At most `messages_s` and `bytes_s`, averaged; 0 is no limit.

    Everything is counted, and what must not be late (status, states, health, heartbeat) goes at once all the same: it is
    the decisions that wait until it is paid for.
    """

    def __init__(self, messages_s: float = 0.0, bytes_s: float = 0.0) -> None:
        self._messages, self._bytes = _Bucket(messages_s), _Bucket(bytes_s)
        self._then_s: float | None = None
        self._usual_bytes = _MESSAGE_BYTES

    @property
    def limited(self) -> bool:
        return bool(self._messages.rate or self._bytes.rate)

    def spent(self, size: int, now_s: float) -> None:
        """A message of `size` bytes was sent at `now_s` (any clock that only goes forward)."""
        self._fill(now_s)
        self._messages.spend(1)
        self._bytes.spend(size)
        self._usual_bytes += (size - self._usual_bytes) * _SMOOTH

    def wait_s(self, now_s: float) -> float:
        """How long the next message has to wait; a large one may then be owed for, it is never cut."""
        self._fill(now_s)
        return max(self._messages.wait_s(), self._bytes.wait_s())

    def batch(self, most: int) -> int:
        """How many entries, of a decision and a state each, to take now, so that a batch takes about a second."""
        if not self.limited:
            return most
        rates = (self._messages.rate or most * 2, self._bytes.rate / self._usual_bytes or most * 2)
        return max(1, min(most, int(min(rates) * _BATCH_S / 2)))

    def _fill(self, now_s: float) -> None:
        passed_s = now_s - self._then_s if self._then_s is not None else _SAVED_S
        self._then_s = now_s
        self._messages.fill(passed_s)
        self._bytes.fill(passed_s)
