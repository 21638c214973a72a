"""Keeps a sink connected: one of several brokers, the first that answers, and back to a better one when it returns.

A connection that is left on purpose (for a better broker, for a renewed certificate) is left between two deliveries, and
so that the broker sends the last will: nobody is to read "online" at a broker that hears of this device no more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import TYPE_CHECKING

from edgeinfer.backoff import Backoff
from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.mqtt.caller import Caller
from edgeinfer.mqtt.pace import Pace
from edgeinfer.ports import SinkPlace
from edgeinfer.sinks.mqtt_options import MqttOptions, use

if TYPE_CHECKING:  # paho takes 80 ms to import: where no broker is configured, nobody pays for it
    from edgeinfer.mqtt.link import Link

log = logging.getLogger(__name__)

_LIVED_S = 10.0  # a connection that held so long was a good one: the next back-off starts anew
_SUSPECT_LIVES = 3  # this many connections in a row did not hold
_LOOK_S = 2.0  # how often a connection that holds is asked whether it should be another one
_PROBE_S = (2.0, 60.0)  # between two looks at a better broker
_LEAVE_S = 60.0  # longer than any delivery takes


class Dialler:
    """A thread that begins with the first `wait_ready`.

    Meters: `failovers`, `returns`, `renewed` (connections left for a renewed certificate).
    """

    def __init__(self, options: MqttOptions, place: SinkPlace, pace: Pace) -> None:
        """Raises InputError when a file that is named cannot be used."""
        self._name, self._report, self._count = place.name, place.report, place.meters.count
        self._caller = Caller(options, place, pace, use(options))
        self._wake = Condition()
        self._thread: Thread | None = None
        self._closed = self._busy = self._hung_up = False
        self.link: Link | None = None
        self.session = self._told = 0  # told: the session of which the courier knows
        self._at = 0  # which broker was used last
        self._short_lives, self._lost = 0, ""
        self._backoff, self._probes = Backoff(), Backoff(*_PROBE_S)
        self._probe_at_s = 0.0

    # --- for the courier ---------------------------------------------------------------------------------

    def wait_ready(self, timeout_s: float) -> bool:
        with self._wake:
            if self._thread is None and not self._closed:
                self._thread = Thread(target=self._run, name=f"{self._name}-connect", daemon=True)
                self._thread.start()
            self._wake.wait_for(lambda: self._closed or self._ready(), timeout_s)
            self._told = self.session
            return self._ready()

    def _ready(self) -> bool:
        return self.link is not None and self.link.lost is None

    @contextmanager
    def lend(self) -> Iterator[Link]:
        """The connection, which nobody leaves on purpose meanwhile.

        Raises:
            DeliveryError: there is none, or it is another one than `wait_ready` told of.
        """
        with self._wake:
            link = self.link
            if link is None or link.lost is not None or self._told != self.session:
                raise DeliveryError(self._caller.words(self._at).broker("is not connected"))
            self._busy = True
        try:
            yield link
        finally:
            with self._wake:
                self._busy = False
                self._wake.notify_all()

    def hang_up(self) -> None:
        """Ends the connection with a goodbye, so that the last will is not sent; then connects anew, without a back-off."""
        with self._wake:
            link, self._hung_up = self.link, self.link is not None
        if link is not None:
            link.end()

    def close(self) -> None:
        """Safe from any thread, and twice; waits a moment for the goodbye.

        While something is under way there is none: whoever was cut off could not say `offline`, so the broker does.
        """
        with self._wake:
            self._closed = True
            self._wake.notify_all()
            link, thread, busy = self.link, self._thread, self._busy
        if link is not None and busy:
            link.kill("closed in the middle of a delivery")
        if link is not None:
            link.close()
        if thread is not None:
            thread.join(1.0)

    # --- connecting --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed:
            link = self._round()
            if link is None or not self._live(link):
                with self._wake:
                    self._wake.wait_for(lambda: self._closed, self._backoff.next_s())

    def _round(self) -> Link | None:
        """The first broker that takes us; after one that did not hold, those behind it are asked before it."""
        first = (self._at + 1) % len(self._caller) if self._short_lives else 0
        failed: dict[str, None] = {}
        for n in range(len(self._caller)):
            at = (first + n) % len(self._caller)
            link = self._try(at, failed)
            if self._closed or link is not None:
                self._arrived(at, failed)
                return link
        self._report("broker", "; ".join(failed))
        return None

    def _try(self, at: int, failed: dict[str, None]) -> Link | None:
        try:
            return self._caller.call(at)
        except (DeliveryError, InputError) as error:
            failed[str(error)] = None
        except Exception as error:
            log.exception("connecting failed in a way that is not known")
            text = f"cannot be reached, please report this: {error!r}"
            failed[self._caller.words(at).broker(text)] = None
        return None

    def _arrived(self, at: int, failed: dict[str, None]) -> None:
        if self._closed:
            return
        self._report("broker", None)
        if at > self._at:
            self._count("failovers")
        self._at = at
        why = "; ".join(failed) or self._lost
        text = self._caller.words(at).broker(f"stands in (number {at + 1} of urls): {why}")
        self._report("failover", text if at else None)
        self._probe_at_s = time.monotonic() + self._probes.next_s()

    # --- a connection that holds -------------------------------------------------------------------------

    def _live(self, link: Link) -> bool:
        """As long as the connection lives; whether it was left on purpose."""
        began_s = time.monotonic()
        self._open(link)
        left, why = False, ""
        while not self._closed and not left and not link.wait_lost(_LOOK_S):
            why = why or self._better()
            left = bool(why) and self._leave(link, why)
        link.close()
        with self._wake:
            self.link = None
            left, self._hung_up = left or self._hung_up, False
        lived = left or time.monotonic() - began_s > _LIVED_S
        self._short_lives = 0 if lived else self._short_lives + 1
        if lived:
            self._backoff.reset()
        if lived and not self._at:
            self._probes.reset()
        if not self._closed and not left:
            self._lost = f"{link.lost}{self._suspicion()}"
            self._report("broker", self._lost)
        return left

    def _open(self, link: Link) -> None:
        words = self._caller.words(self._at)
        keeps = "does not keep retained messages: who connects later knows no states until they change"
        self._report("retain", None if link.retains else words.broker(keeps))
        with self._wake:
            self.link, self.session = link, self.session + 1
            self._wake.notify_all()
            closed = self._closed
        if closed:
            link.close()

    def _suspicion(self) -> str:
        """Not every broker says why it takes a connection away (MQTT 3.1.1 has no word for it)."""
        if self._short_lives < _SUSPECT_LIVES:
            return ""
        client_id = self._caller.words(self._at).client_id
        return f", again and again: perhaps another client uses the client id {client_id!r}"

    def _better(self) -> str:
        """Why another connection would be better than this one; "" where it would not."""
        if self._caller.renewed(self._at):
            return "renewed"
        if self._at and time.monotonic() >= self._probe_at_s:
            self._probe_at_s = time.monotonic() + self._probes.next_s()
            if any(map(self._answers, range(self._at))):
                return "returns"
        return ""

    def _answers(self, at: int) -> bool:
        try:
            self._caller.probe(at)
        except Exception as error:  # whatever it is: the connection that stands must not end by it
            log.debug("%s: not back to the broker before: %s", self._name, error)
            return False
        return True

    def _leave(self, link: Link, why: str) -> bool:
        """Between two deliveries; whether that could be done."""
        with self._wake:
            idle = self._wake.wait_for(lambda: self._closed or not self._busy, _LEAVE_S)
            if not idle or self._closed or link.lost is not None:
                return False
            self.link = None
        log.info("%s: connecting anew (%s)", self._name, why)
        self._count(why)
        link.kill(why)
        return True
