"""Whether decisions that wait in the outbox may wait longer, so that numbers travel together; sends nothing."""

from __future__ import annotations

from edgeinfer.events import Entry, Gap
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.wire.batches import is_number


class Patience:
    """Numbers wait for each other for at most `batch_s`, or until `most` wait; anything else goes at once, and they with it.

    For the courier's thread.
    """

    def __init__(self, outbox: Outbox, batch_s: float, most: int) -> None:
        self._outbox, self._batch_s, self._most = outbox, batch_s, most
        self.forget(0)

    def forget(self, cursor: int) -> None:
        """All up to `cursor` was delivered; what is behind it is looked at anew."""
        self.seen, self._count, self._hurry = cursor, 0, False
        self._since_s: float | None = None

    def over(self, cursor: int, now_s: float) -> bool:
        """Whether what stands behind `cursor` is to go now (`now_s`: any clock that only goes forward)."""
        self.seen = max(self.seen, cursor)
        fresh = self._outbox.read(self.seen, self._most)
        if fresh:
            self.seen = end(fresh[-1])
            self._since_s = now_s if self._since_s is None else self._since_s
            self._count += len(fresh)
            self._hurry = self._hurry or not all(map(is_number, fresh))
        return self._hurry or self._count >= self._most or (self._count > 0 and self.left_s(now_s) <= 0)

    def left_s(self, now_s: float) -> float:
        """How long they may wait at most from now on."""
        return self._batch_s - (now_s - self._since_s) if self._since_s is not None else self._batch_s


def end(item: Entry | Gap) -> int:
    """The last seq that `item` is about."""
    return item.last if isinstance(item, Gap) else item.seq
