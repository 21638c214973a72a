"""So many at once, and so many a second after that; knows no clock."""

from __future__ import annotations


class Bucket:
    """Full at first."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left = burst
        self._at_ns: int | None = None

    def take(self, now_mono_ns: int) -> bool:
        """Whether there is one left now."""
        since_s = 0.0 if self._at_ns is None else (now_mono_ns - self._at_ns) / 1e9
        self._at_ns = now_mono_ns
        self._left = min(self._burst, self._left + since_s * self._per_s)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
