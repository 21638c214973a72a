"""Waiting times between tries: growing, with jitter, so that a fleet spreads out; waits for nothing itself."""

from __future__ import annotations

import random


class Backoff:
    """From `first_s` doubling to `last_s`, each with ± 25 % jitter."""

    def __init__(self, first_s: float = 0.5, last_s: float = 30.0) -> None:
        self._first_s, self._last_s, self._next_s = first_s, last_s, first_s

    def next_s(self) -> float:
        wait_s = self._next_s * random.uniform(0.75, 1.25)  # noqa: S311  jitter, not a secret
        self._next_s = min(self._next_s * 2, self._last_s)
        return wait_s

    def reset(self) -> None:
        self._next_s = self._first_s
