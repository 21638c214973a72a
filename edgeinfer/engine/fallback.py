"""A session over sessions: the best accelerator that works now, and the CPU's twin whenever none does.

Opening, checking and closing accelerators happens in a thread of its own: an inference never waits for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.backoff import Backoff
from edgeinfer.engine.isolated import Busy
from edgeinfer.engine.twins import aligned, difference
from edgeinfer.errors import BundleError, EdgeinferError, InferenceLost
from edgeinfer.events import Instant
from edgeinfer.ports import Session

Array = NDArray[Any]
log = logging.getLogger(__name__)

_STEADY_S = 60.0  # an accelerator that worked so long starts anew with short pauses
_JOIN_S = 2.0
_WARM_S = 20.0


class Candidate:
    """A backend that is better than the twin: how to open it, and when next."""

    def __init__(self, name: str, open_: Callable[[], Session], backoff: Backoff) -> None:
        self.name, self.open, self._backoff = name, open_, backoff
        self.why = "is being opened"
        self.due_s: float | None = 0.0  # monotonic; None: never again
        self._since_s = 0.0

    def opened(self) -> None:
        self.why, self._since_s, self.due_s = "", time.monotonic(), None

    def lost(self, error: Exception) -> None:
        """At work, or as it was opened; the pause grows unless it had worked for long."""
        if not self.why and time.monotonic() - self._since_s >= _STEADY_S:
            self._backoff.reset()
        self.why, self.due_s = str(error), time.monotonic() + self._backoff.next_s()

    def stands_aside(self) -> None:
        """A better one has come."""
        self.why, self.due_s = "stands aside", 0.0

    def given_up(self, why: str) -> None:
        self.why, self.due_s = f"{why}; not tried again before a reload or restart", None


class FallbackSession:
    """The port `Session`; not for two threads at once, like any other.

    Args:
        twin: the CPU's session, loaded: it goes on at once.
        better: accelerators, the best first.
        check: what is wrong with the answers of an opened one, given with its name ("" when nothing is).
        count: counts `accelerator_lost`, `_back`, `_tries` and `_busy`.
        patience_s: how long to wait here for the first one.
    """

    def __init__(
        self,
        twin: Session,
        better: Sequence[Candidate],
        check: Callable[[Session, str], str],
        count: Callable[[str], None],
        patience_s: float,
    ) -> None:
        self.spec = twin.spec
        self._twin, self._better, self._check, self._count = twin, better, check, count
        self._now: tuple[Candidate, Session] | None = None
        self._ready: SimpleQueue[tuple[Candidate, Session]] = SimpleQueue()
        self._done_with: SimpleQueue[Session] = SimpleQueue()
        self._wake, self._stop, self._tried = Event(), Event(), Event()
        self._thread = Thread(target=self._keep, name="accelerator", daemon=True)
        self._thread.start()
        self._tried.wait(patience_s)

    @property
    def runtime(self) -> str:
        now = self._current()
        return (now[1] if now else self._twin).runtime

    @property
    def warning(self) -> str:
        """Why an accelerator does not work, or what is wrong with the one that does."""
        now = self._current()
        if now is not None:
            return now[1].warning
        reasons = [f"{one.name}: {one.why}" for one in self._better if one.why]
        return f"{'; '.join(reasons)} (the CPU goes on)" if reasons else ""

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | None = None) -> Mapping[str, Array]:
        """As the port says; what an accelerator fails at, the twin does in the same call."""
        now = self._current()
        if now is not None:
            try:
                return now[1].infer(inputs)
            except Busy:
                self._count("accelerator_busy")
            except InferenceLost as error:
                self._lose(*now, error)
        return self._twin.infer(inputs, deadline)

    def _current(self) -> tuple[Candidate, Session] | None:
        """Only the thread that infers changes it: the keeper hands a new one over, and gets the old one back."""
        while not self._ready.empty():
            if self._now is not None:
                self._now[0].stands_aside()
                self._done_with.put(self._now[1])
                self._wake.set()
            self._now = self._ready.get()
        return self._now

    def _lose(self, candidate: Candidate, session: Session, error: InferenceLost) -> None:
        self._count("accelerator_lost")
        candidate.lost(error)
        self._now = None
        self._done_with.put(session)
        self._wake.set()

    def close(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(_JOIN_S)  # one that still opens lets go by itself when it is through
        now = self._current()
        if now is not None:
            now[1].close()
        self._twin.close()

    # --- the keeper's thread

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            self._bury()
            self._try()
            self._tried.set()
            self._wake.wait(self._pause_s())
        self._bury()

    def _bury(self) -> None:
        while not self._done_with.empty():
            self._done_with.get().close()

    def _pause_s(self) -> float | None:
        due = [one.due_s for one in self._open_to_try() if one.due_s is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _open_to_try(self) -> Sequence[Candidate]:
        """Those before the one that works."""
        working = [n for n, one in enumerate(self._better) if not one.why]
        return self._better[: working[0]] if working else self._better

    def _try(self) -> None:
        for candidate in self._open_to_try():
            if candidate.due_s is not None and candidate.due_s <= time.monotonic():
                self._count("accelerator_tries")
                if self._open(candidate):
                    return

    def _open(self, candidate: Candidate) -> bool:
        first = candidate.why == "is being opened"
        try:
            session = self._checked(candidate.open(), candidate.name)
        except InferenceLost as error:
            candidate.lost(error)
            return False
        except EdgeinferError as error:  # what the user wrote, or the bundle: waiting does not mend it
            candidate.given_up(str(error))
            return False
        except Exception as error:  # this thread must not die: it is the way back
            log.exception("%s could not be opened", candidate.name)
            candidate.lost(error)
            return False
        if self._stop.is_set():
            session.close()
            return False
        candidate.opened()
        self._ready.put((candidate, session))
        if not first:
            self._count("accelerator_back")
            log.info("%s works again: %s", candidate.name, session.runtime)
        return True

    def _checked(self, session: Session, name: str) -> Session:
        """Warm, of the twin's shape, and with its answers; closed when it is not."""
        try:
            return self._proven(session, name)
        except BaseException:
            session.close()
            raise

    def _proven(self, session: Session, name: str) -> Session:
        if different := difference(self.spec, session.spec):
            raise BundleError(f"does not take the place of the CPU's file: {different}")
        same = aligned(session, self.spec)
        _warm(same)
        if wrong := self._check(same, name):
            raise BundleError(f"{same.runtime} is not trusted, it parts from the CPU's answers: {wrong}")
        return same


def _warm(session: Session) -> None:
    """The first inference uploads weights and compiles kernels: it may take its time."""
    inputs = {t.name: np.zeros(t.shape, t.dtype) for t in session.spec.inputs}
    session.infer(inputs, Instant("", time.monotonic_ns() + round(_WARM_S * 1e9), 0))
