"""When the board throttles, pictures are thinned out by priority instead of piling up everywhere; and it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgeinfer.runtime.health import Health
from edgeinfer.runtime.loop import Fatal, Loop
from edgeinfer.runtime.mailbox import Hub

_LOOK_S = 5.0
_CALM_LOOKS = 6  # so many looks without throttling before one step back
_STEPS = 3  # 1 of 2, of 4, of 8 pictures; beyond that a camera is better taken off


class Governor:
    """A post. Each look at a board that throttles halves the pictures of the least urgent pipelines once more.

    When those are at 1 of 8, the next priority follows. Lockstep sources are not touched: there nothing may be lost.
    `also` is called with each look, in the same thread: the rest of the board's health.
    """

    def __init__(
        self,
        throttles: Callable[[], str | None],
        hub: Hub,
        health: Health,
        fatal: Fatal,
        look_s: float = _LOOK_S,
        also: Callable[[], None] = lambda: None,
    ) -> None:
        self._throttles, self._hub, self._look_s = throttles, hub, look_s
        self._also = also
        self._report = health.reporter("board")
        self._loop = Loop("board", self._run, health, fatal)
        self._level, self._calm = 0, 0

    def start(self) -> None:
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        return self._loop.join(timeout_s)

    def watch(self, now_ns: int) -> None:
        """Nothing to do: a look that hangs in a driver holds up nobody."""

    def _run(self, loop: Loop) -> None:
        loop.well()
        while not loop.stop.is_set():
            loop.beat()
            self.look()
            self._also()
            loop.stop.wait(self._look_s)

    def look(self) -> None:
        """One look, one step at most."""
        reason = self._throttles()
        self._calm = 0 if reason else self._calm + 1
        if reason:
            self._level = min(self._level + 1, _STEPS * len(self._priorities()))
        elif self._calm >= _CALM_LOOKS and self._level:
            self._level, self._calm = self._level - 1, 0
        keeps = self._apply()
        if self._level:
            self._report("throttling", _words(reason, keeps))
        else:
            self._report("throttling", None)

    def _priorities(self) -> list[int]:
        return sorted({inbox.limits.priority for inbox in self._hub.inboxes()})

    def _apply(self) -> dict[int, int]:
        """Priority → every how manieth picture is judged. Pipelines that came since the last look are met, too."""
        keeps = {
            priority: 2 ** max(0, min(self._level - _STEPS * rank, _STEPS))
            for rank, priority in enumerate(self._priorities())
        }
        for inbox in self._hub.inboxes():
            inbox.keep_one_of(keeps[inbox.limits.priority])
        return keeps


def _words(reason: str | None, keeps: Mapping[int, int]) -> str:
    slowed = ", ".join(f"1 picture of {n} at priority {priority}" for priority, n in keeps.items() if n > 1)
    return f"the board throttles ({reason or 'a moment ago'}): {slowed}"
