"""Reconciles a plan with what runs, watches the posts, executes commands in one thread, and stops in order."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from threading import Event, Thread
from typing import Any, Protocol

from edgeinfer.errors import EdgeinferError
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.systemd import Systemd

log = logging.getLogger(__name__)

_SWEEP_S = 0.25
_STOP_S = 5.0


class Post(Protocol):
    """Something that the supervisor keeps running: a feed, a pipeline, a courier, a door."""

    def start(self) -> None: ...
    def stop(self, timeout_s: float) -> bool: ...
    def watch(self, now_ns: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Spec:
    """How to make a post; `digest` changes with its part of the config and with all it depends on.

    Posts of a lower `rank` start first and stop last: couriers 0, pipelines 1, feeds 2.
    """

    make: Callable[[], Post]
    digest: str
    rank: int


Plan = Mapping[str, Spec]


@dataclass(frozen=True, slots=True)
class _Ask:
    work: Callable[[], Any]
    answer: queue.SimpleQueue[Any]


class Supervisor:
    """Runs in the main thread of the daemon; the only one that starts and stops posts."""

    def __init__(self, health: Health, systemd: Systemd) -> None:
        self._health, self._systemd = health, systemd
        self._plan: dict[str, Spec] = {}
        self._posts: dict[str, Post] = {}
        self._asks: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._stopping = Event()
        self._error: tuple[str, BaseException] | None = None
        self._pinged_ns = self._told = -1

    # --- what other threads may call

    def fatal(self, post: str, error: BaseException) -> None:
        """A post died of something that no back-off mends: stop in order."""
        if self._error is None:
            self._error = (post, error)
        self.request_stop()

    def request_stop(self) -> None:
        self._stopping.set()
        self._asks.put(None)  # wakes the sweep

    def ask(self, work: Callable[[], Any], timeout_s: float = 10.0) -> Any:
        """Has `work` done between two sweeps, in the supervisor's thread; returns or raises what it does."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asks.put(_Ask(work, answer))
        found = answer.get(timeout=timeout_s)
        if isinstance(found, BaseException):
            raise found
        return found

    def post_soon(self, work: Callable[[], Any]) -> None:
        """Like `ask`, without waiting; safe in a signal handler."""
        self._asks.put(_Ask(work, queue.SimpleQueue()))

    # --- plan

    def apply(self, plan: Plan) -> None:
        """Stops what left or changed (inputs first), starts what is new or changed (outputs first)."""
        changed = {
            name for name, spec in self._plan.items() if name not in plan or plan[name].digest != spec.digest
        }
        self._stop_posts(changed, _STOP_S)
        for name in changed:
            self._health.forget(name)
        fresh = sorted((name for name in plan if name not in self._posts), key=lambda name: plan[name].rank)
        made = {
            name: plan[name].make() for name in fresh
        }  # all, before the first starts: mailboxes stand ready
        self._posts.update(made)
        self._plan = dict(plan)
        for post in made.values():
            post.start()

    def _stop_posts(self, names: Iterable[str], within_s: float) -> None:
        """Inputs first; posts of one rank side by side, so that a dead sink does not eat another's time."""
        end = time.monotonic() + within_s
        by_rank = sorted((name for name in names if name in self._posts), key=self._rank, reverse=True)
        for _, group in groupby(by_rank, key=self._rank):
            posts = {name: self._posts.pop(name) for name in group}
            left_s = max(0.1, end - time.monotonic())
            threads = [Thread(target=_stop, args=(*item, left_s), daemon=True) for item in posts.items()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(left_s + 0.5)

    def _rank(self, name: str) -> int:
        return self._plan[name].rank

    # --- life

    def run(self) -> int:
        """Sweeps until asked to stop, or until every input has come to its end; returns the exit code."""
        self._systemd.notify(READY="1", STATUS="deciding")
        while not self._stopping.is_set() and not self._all_ended():
            self._work(_SWEEP_S)
            self._sweep(time.monotonic_ns())
        self._systemd.notify(STOPPING="1", STATUS="draining")
        self._stop_posts(list(self._posts), _STOP_S)
        return self._exit_code()

    def _work(self, wait_s: float) -> None:
        try:
            ask = self._asks.get(timeout=wait_s)
        except queue.Empty:
            return
        if ask is None:
            return
        try:
            ask.answer.put(ask.work())
        except Exception as error:  # the asker gets it; the daemon goes on
            if not isinstance(error, EdgeinferError):
                log.exception("a command failed")
            ask.answer.put(error)

    def _sweep(self, now_ns: int) -> None:
        for name, post in list(self._posts.items()):
            try:
                post.watch(now_ns)
            except Exception as error:
                self.fatal(name, error)
        self._ping(now_ns)
        if self._told != self._health.version:
            self._told = self._health.version
            degraded = self._health.degraded()
            text = "; ".join(f"{post}: {why}" for post, why in degraded.items())
            self._systemd.notify(STATUS=f"deciding; degraded: {text}" if degraded else "deciding")

    def _ping(self, now_ns: int) -> None:
        """Tells systemd that all is well, three times a watchdog interval, while every pipeline makes steps."""
        interval_s = self._systemd.watchdog_s / 3
        if not interval_s or (now_ns - self._pinged_ns) / 1e9 < interval_s:
            return
        stuck = [name for name, post in self._posts.items() if not getattr(post, "steps", _always)(now_ns)]
        if stuck:
            log.error("%s makes no steps: systemd is not told that all is well", ", ".join(stuck))
            return
        self._pinged_ns = now_ns
        self._systemd.notify(WATCHDOG="1")

    def _all_ended(self) -> bool:
        inputs = [post for name, post in self._posts.items() if self._plan[name].rank > 0]
        return bool(inputs) and all(getattr(post, "ended", False) for post in inputs)

    @property
    def why(self) -> str:
        """What ended it; empty for an order, and when every input came to its end."""
        return "" if self._error is None else f"{self._error[0]}: {self._error[1]}"

    def _exit_code(self) -> int:
        if self._error is None:
            return 0
        post, error = self._error
        if isinstance(error, EdgeinferError):
            log.error("%s: %s", post, error)
            return error.exit_code
        log.error("%s died of what should not happen; please report it", post, exc_info=error)
        return 1


def _stop(name: str, post: Post, timeout_s: float) -> None:
    if not post.stop(timeout_s):
        log.warning("%s did not stop in time and is abandoned", name)


def _always(_now_ns: int) -> bool:
    return True
