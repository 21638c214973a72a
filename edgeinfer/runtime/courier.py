"""Brings what stands in the outbox to one sink, in order and until it is acknowledged; knows no protocol."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from edgeinfer.events import Acked, Decision, Entry, Gap, Instant, Message, Outcome, Refused
from edgeinfer.ports import Encoder, Sink
from edgeinfer.runtime.aside import Aside
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.loop import Fatal, Loop
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.patience import Patience, end
from edgeinfer.runtime.states import States
from edgeinfer.runtime.window import Window

_BATCH = 256  # entries at once: enough that the end of a batch costs nothing, little enough to be a step
_CONNECT_S = 0.5  # how long one step waits for a connection
_AWAIT_S = 0.2  # between two looks whether the other side is there
_HEARTBEAT_S = 5.0
_HEALTH_S = 60.0
_HEALTH_PAUSE_S = 1.0  # what changes all the time is told once a second
_STUCK_S = 60.0  # far beyond every bound of a sink that works
_DRAIN_SHARE = 0.6  # of the time to stop; then comes the farewell
_CLOSE_SHARE = 0.8  # of the time to stop; then the sink is closed whether it answers or not

log = logging.getLogger(__name__)


class Courier:
    """One post for each sink: own thread, own cursor; a dead sink never holds back another.

    Meters: `sent`, `refused`, `gaps` (entries), `reconnects`, and `acknowledged` (capture to acknowledgement, ns).
    """

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        states: States,
        encoder: Encoder,
        sink: Sink,
        health: Health,
        fatal: Fatal,
        aside: Aside | None = None,
        outgoing: Callable[[], Sequence[Message]] = tuple,
    ) -> None:
        """`outgoing` gives what is to be said besides, once each: answers to whoever asked through this sink."""
        self.name, self.stuck = name, False
        self._outgoing = outgoing
        self._outbox, self._states, self._encoder, self._sink = outbox, states, encoder, sink
        self._health, self._meters = health, health.post(name).meters
        self._loop = Loop(name, self._body, health, fatal)
        self._window, self._session = Window(encoder.confirm_s), 0  # what was sent, and on which connection
        self._born = (0, 0)  # the session and the version of the states that the other side was told of
        self._beats, self._beat_at, self._health_at, self._health_version = 0, 0.0, 0.0, -1
        self._drain_until = 0.0
        self._aside, self._shown = aside, aside.version if aside else 0
        batch_s = getattr(sink, "batch_s", 0.0)
        self._patience = Patience(outbox, batch_s, _BATCH) if batch_s else None

    # --- the post ----------------------------------------------------------------------------------------

    def start(self) -> None:
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        """Delivers what is there, says farewell and closes; False when that took too long."""
        self._drain_until = time.monotonic() + timeout_s * _DRAIN_SHARE
        self._loop.stop.set()
        self._outbox.wake()
        if not self._loop.join(timeout_s * _CLOSE_SHARE):
            log.warning("%s: the other side does not answer, closing without a farewell", self.name)
        self._sink.close()  # releases a thread that waits for it; and it must not fight with its successor
        return self._loop.join(timeout_s * (1 - _CLOSE_SHARE))

    def watch(self, now_mono_ns: int) -> None:
        """Judges whether the thread hangs in its sink; cheap."""
        self.stuck = self._loop.age_s(now_mono_ns) > _STUCK_S
        if self.stuck:
            reason = f"the sink did not answer for {_STUCK_S:g} s; decisions wait in the outbox"
            self._health.mark(self.name, "degraded", reason)

    # --- the loop ----------------------------------------------------------------------------------------

    def _body(self, loop: Loop) -> None:
        try:
            while not loop.stop.is_set():
                loop.beat()
                self._step()
            self._finish()
        finally:
            if loop.stop.is_set():
                self._sink.close()

    def _step(self) -> None:
        if not self._sink.wait_ready(_CONNECT_S):
            self._health.mark(self.name, "degraded", "no connection; decisions wait in the outbox")
            return
        if not self._present():
            self._loop.stop.wait(_AWAIT_S)
            return
        self._birth()
        self._pulse()
        self._answer()
        self._show()
        if self._deliver():
            return
        self._loop.well()
        self._outbox.wait(self._seen(), self._pause_s(), self._loop.stop)

    def _present(self) -> bool:
        """Whether those are there for whom this is meant; else they hear farewell, and of nothing sent before it is sure."""
        if self._session != self._sink.session:
            self._window.forget()
            self._session = self._sink.session
        why = self._encoder.awaits()
        if not why:
            return True
        self._window.forget()
        if farewell := self._encoder.farewell(self._states.ended()):
            self._send_all(farewell)
            self._sink.reconnect()
        self._health.mark(self.name, "degraded", why)
        return False

    def _at(self) -> int:
        return self._window.at(self._outbox.cursor(self.name))

    def _deliver(self, *, hurry: bool = False) -> bool:
        """One batch; whether there was anything. In a `hurry` nothing waits for company."""
        self._advance(self._window.confirmed(time.monotonic()))
        at = self._at()
        if self._patience and not self._patience.over(at, time.monotonic()) and not hurry:
            return False
        most = _BATCH if self._patience else min(_BATCH, getattr(self._sink, "batch", _BATCH))
        batch = self._outbox.read(at, most)
        if not batch:
            return False
        messages = self._encoder.encode(batch)
        outcomes = self._sink.send(messages)
        if len(outcomes) == len(messages):
            self._loop.well()
        self._settle(batch, messages, outcomes)
        return True

    def _settle(
        self, batch: Sequence[Entry | Gap], messages: Sequence[Message], outcomes: Sequence[Outcome]
    ) -> None:
        items = {end(item): item for item in batch}
        settled = sent = 0
        now = self._outbox.clock.now()
        for message, outcome in zip(messages, outcomes, strict=False):  # a broken connection settles a prefix
            for seq in message.carries or (message.seq or 0,):
                sent += self._tell(items.get(seq), outcome, now)
            settled = message.seq or settled
        if sent:
            self._meters.count("sent", sent)
        if len(outcomes) == len(messages):
            settled = end(batch[-1])  # an encoder may have nothing to say about an entry
        if settled:
            self._window.sent(settled, time.monotonic())
            self._advance(self._window.confirmed(time.monotonic()))
        if self._patience:
            self._patience.forget(self._at())

    def _advance(self, seq: int) -> None:
        if seq:
            self._outbox.advance(self.name, seq)

    def _tell(self, item: Entry | Gap | None, outcome: Outcome, now: Instant) -> int:
        """Whether it is a decision that arrived."""
        if isinstance(outcome, Refused):
            self._refused(item, outcome.reason)
        elif isinstance(item, Gap):
            self._meters.count("gaps", item.last - item.first + 1)
        elif item is not None:
            self._time(item.decision, now)
            return 1
        return 0

    def _time(self, decision: Decision, now: Instant) -> None:
        """Up to the end of its batch: they are acknowledged together."""
        if decision.at.boot == now.boot and decision.key[1] >= 0:  # what no sample caused has no latency
            self._meters.record("acknowledged", now.mono_ns - decision.at.mono_ns)

    def _refused(self, item: Entry | Gap | None, reason: str) -> None:
        self._meters.count("refused")
        if isinstance(item, Entry):
            self._outbox.refuse(self.name, item, reason)

    # --- what is not in the outbox -----------------------------------------------------------------------

    def _birth(self) -> None:
        """Once for each connection, when the rules changed, and when somebody over there asks for it."""
        wanted = (self._sink.session, self._states.version)
        if not self._encoder.wants_birth() and wanted == self._born:
            return
        states = self._states.all()
        rules = {entry.decision.rule for entry in states}
        known = self._outbox.retained(self.name)
        self._outbox.retain(self.name, known | rules)  # before the first of them stays over there
        if not self._send_all(self._encoder.birth(states, sorted(known - rules))):
            return
        self._outbox.retain(self.name, rules)
        if self._born[0] not in (0, wanted[0]):
            self._meters.count("reconnects")
        self._born = wanted
        self._beat_at = self._health_at = 0.0  # whoever connected anew wants both at once

    def _pulse(self) -> None:
        now = time.monotonic()
        health = self._health_if_due(now)
        if health is None and now < self._beat_at:
            return
        self._beats += 1
        self._beat_at = now + _HEARTBEAT_S
        self._send_all(self._encoder.pulse(self._beats, health))

    def _health_if_due(self, now: float) -> dict[str, Any] | None:
        version = self._health.version
        due = (
            self._health_at
            if version == self._health_version
            else self._health_at - _HEALTH_S + _HEALTH_PAUSE_S
        )
        if now < due:
            return None
        self._health_version, self._health_at = version, now + _HEALTH_S
        return self._health.snapshot()

    def _answer(self) -> None:
        """What is lost with the connection is asked for again by who misses it."""
        if messages := self._outgoing():
            self._send_all(messages)

    def _show(self) -> None:
        """Thumbnails, once and without a promise; an encoder that knows none has no `thumbnail`."""
        newer = self._aside.after(self._shown) if self._aside else []
        encode = getattr(self._encoder, "thumbnail", None)
        for one in newer:
            self._shown = one.version
            if encode is not None:
                self._send_all(encode(one.rule, one.id, one.jpeg))

    def _pause_s(self) -> float:
        now = time.monotonic()
        pause_s = min(max(self._beat_at - now, 0.0), _HEALTH_PAUSE_S)
        return min(pause_s, max(self._patience.left_s(now), 0.0)) if self._patience else pause_s

    def _seen(self) -> int:
        """Up to where it knows what waits."""
        at = self._at()
        return max(at, self._patience.seen) if self._patience else at

    def _send_all(self, messages: Sequence[Message]) -> bool:
        outcomes = self._sink.send(messages)
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self._refused(None, outcome.reason)
            elif isinstance(outcome, Acked):  # in order: what was sent before it has arrived as well
                self._advance(self._window.acknowledged())
        return len(outcomes) == len(messages)

    def _finish(self) -> None:
        """The rest of the outbox as far as time allows, then states unknown and status offline."""
        if not self._sink.wait_ready(0) or not self._present():
            return
        if self._born[0] != self._session:  # what changed in the rules since is for who comes after us
            self._birth()
        while time.monotonic() < self._drain_until and self._deliver(hurry=True):
            self._loop.beat()
        self._answer()
        self._send_all(self._encoder.farewell(self._states.ended()))
