"""A feed runs one source: offers its samples, tells when it is lost and back, and never lets it hold up others."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from edgeinfer.errors import DeviceError
from edgeinfer.events import Back, Frame, Lost, Sample, Tick
from edgeinfer.ports import Source, Stamp
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.loop import Fatal, Loop
from edgeinfer.runtime.mailbox import Hub
from edgeinfer.taps import Taps

_TICK_S = 1.0
_SWEEP_S = 0.25  # how often the supervisor looks; a stall is judged one look early, so as to be in time


class Feed:
    """The post of one source. `make` builds a fresh source: one that hangs is abandoned with its thread."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Source],
        stamp: Stamp,
        hub: Hub,
        taps: Taps,
        health: Health,
        fatal: Fatal,
    ) -> None:
        self.post = f"source.{name}"
        self._name, self._make, self._stamp, self._hub, self._taps = name, make, stamp, hub, taps
        self._health, self._fatal = health, fatal
        self._meters = health.post(self.post).meters
        self._lock = Lock()
        self._lost = False
        self._new_ns = self._offer_ns = time.monotonic_ns()
        self._source = make()
        self._loop = self._fresh_loop()

    def start(self) -> None:
        self._new_ns = self._offer_ns = time.monotonic_ns()
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        return self._loop.join(min(timeout_s, 2.0))

    @property
    def ended(self) -> bool:
        return self._loop.done.is_set()

    def watch(self, now_ns: int) -> None:
        """Called by the supervisor: makes ticks, judges a stall, replaces a thread that hangs."""
        if self._source.flow == "lockstep" or self.ended:
            return
        bound_s = 2 * self._source.block_s - _SWEEP_S
        silent_s = (now_ns - self._new_ns) / 1e9
        if not self._lost and silent_s > bound_s:
            self._say_lost(f"no new sample for {silent_s:.1f} s")
        if self._loop.age_s(now_ns) > bound_s:
            self._replace()
        if (now_ns - self._offer_ns) / 1e9 >= _TICK_S:
            self._offer_now(Tick(*self._stamp()))

    def _fresh_loop(self) -> Loop:
        return Loop(self.post, self._run, self._health, self._fatal)

    def _replace(self) -> None:
        self._meters.count("replaced")
        self._loop.stop.set()  # the old thread finds this out if its call ever returns, and says no more
        self._source, self._loop = self._make(), self._fresh_loop()
        self._loop.start()

    def _run(self, loop: Loop) -> None:
        self._meters.count("opened")
        source, opened = self._source, False
        try:
            for sample in source.samples(loop.stop):
                if loop.stop.is_set():
                    return
                if not opened:
                    loop.well()
                    opened = True
                self._pass_on(sample, loop)
        except DeviceError as error:
            if not loop.stop.is_set():
                self._say_lost(str(error))
            raise
        if not loop.stop.is_set():
            self._end()

    def _pass_on(self, sample: Sample, loop: Loop) -> None:
        self._new_ns = time.monotonic_ns()
        if self._lost:
            self._lost = False
            self._hub.lost(self._name, None)
            loop.well()
            self._offer_now(Back(*self._stamp(sample.at)))
        self._meters.count("samples")
        self._taps(self.post, sample)
        if self._source.flow == "lockstep":
            self._hub.offer(self._name, sample, loop.stop)  # waits for the pipeline: outside of the lock
        else:
            if isinstance(
                sample, Frame
            ):  # a block of readings is stamped at its first row: that says nothing
                self._meters.record("capture", self._new_ns - sample.at.mono_ns)
            self._offer_now(sample, tapped=True)
        loop.beat()

    def _offer_now(self, sample: Sample, *, tapped: bool = False) -> None:
        if not tapped:
            self._taps(self.post, sample)
        with self._lock:
            self._offer_ns = time.monotonic_ns()
            self._hub.offer(self._name, sample)

    def _say_lost(self, reason: str) -> None:
        if self._lost:
            return
        self._lost = True
        self._meters.count("lost")
        self._health.mark(self.post, "degraded", reason)
        lost = Lost(*self._stamp(), reason)
        self._hub.lost(self._name, lost)
        self._offer_now(lost)

    def _end(self) -> None:
        self._health.mark(self.post, "ended", "end of input")
        self._hub.end(self._name)
