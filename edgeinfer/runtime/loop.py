"""One thread that runs a body for ever: again after a DeviceError, with jittered back-off; nothing more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from edgeinfer.backoff import Backoff
from edgeinfer.errors import DeviceError
from edgeinfer.runtime.health import Health

log = logging.getLogger(__name__)

Fatal = Callable[[str, BaseException], None]
"""`fatal(post, error)`: something that no back-off mends; the daemon stops in order and exits with 1."""


class Loop:
    """Runs `body(loop)` in a thread of its own until it returns (the end) or `stop` is set.

    The body calls `beat` at each step, and `well` once its device gives what it should.
    """

    def __init__(self, name: str, body: Callable[[Loop], None], health: Health, fatal: Fatal) -> None:
        self.name, self.stop, self.done = name, Event(), Event()
        self._body, self._health, self._fatal = body, health, fatal
        self._backoff = Backoff()
        self.beat_ns = time.monotonic_ns()
        self.waiting = False  # between two tries: nobody is stuck
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._health.mark(self.name, "starting")
        self._thread.start()

    def beat(self) -> None:
        self.beat_ns = time.monotonic_ns()

    def age_s(self, now_ns: int) -> float:
        """How long the step that runs now has taken; 0 between two tries and after the end."""
        return 0.0 if self.waiting or self.done.is_set() else (now_ns - self.beat_ns) / 1e9

    def well(self) -> None:
        self._backoff.reset()
        self._health.mark(self.name, "ok")

    def join(self, timeout_s: float) -> bool:
        """Asks the body to stop and waits; False when it did not (the thread is then abandoned)."""
        self.stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                try:
                    self._body(self)
                except DeviceError as error:
                    self._back_off(error)
                else:
                    break
        except BaseException as error:
            self._fatal(self.name, error)
        finally:
            self.done.set()

    def _back_off(self, error: DeviceError) -> None:
        if self.stop.is_set():  # an abandoned or stopping loop no longer speaks for its post
            return
        self._health.mark(self.name, "degraded", str(error))
        wait_s = self._backoff.next_s()
        log.debug("%s: again in %.1f s", self.name, wait_s)
        self.waiting = True
        self.stop.wait(wait_s)
        self.beat()
        self.waiting = False
