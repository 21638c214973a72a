"""Keeps a sink connected: one of several brokers, the first that answers, and back to a better one when it returns.

A connection that is left on purpose (for a better broker, for a renewed certificate) is left between two deliveries, and
so that the broker sends the last will: nobody is to read "online" at a broker that hears of this device no more.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Condition, Thread
from typing import TYPE_CHECKING

from edgeinfer.backoff import Backoff
from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.ports import SinkPlace
from edgeinfer.secrets import read_login
from edgeinfer.sinks.mqtt_options import Address, MqttOptions, addresses
from edgeinfer.sinks.mqtt_pace import Pace
from edgeinfer.sinks.mqtt_tls import Tls
from edgeinfer.sinks.mqtt_words import Words

if TYPE_CHECKING:  # paho takes 80 ms to import: where no broker is configured, nobody pays for it
    from edgeinfer.sinks.mqtt_client import Dial
    from edgeinfer.sinks.mqtt_link import Link

log = logging.getLogger(__name__)

_LIVED_S = 10.0  # a connection that held so long was a good one: the next back-off starts anew
_SUSPECT_LIVES = 2  # this many connections in a row did not hold
_LOOK_S = 2.0  # how often a connection that holds is asked whether it should be another one
_PROBE_S = (2.0, 60.0)  # between two looks at a better broker
_LEAVE_S = 60.0  # longer than any delivery takes


@dataclass(frozen=True, slots=True)
class _Broker:
    """One of those in the config, and what to say of it."""

    address: Address
    words: Words


class Dialler:
    """A thread that begins with the first `wait_ready`.

    Meters: `failovers`, `returns`, `renewed` (connections left for a renewed certificate).
    """

    def __init__(self, options: MqttOptions, place: SinkPlace, pace: Pace) -> None:
        """Raises InputError when a file that is named cannot be used."""
        self._options, self._place, self._pace = options, place, pace
        self._report, self._count = place.report, place.meters.count
        client_id = options.client_id or f"{place.device}-{place.machine_id[:8]}-{place.name}"
        self._brokers = tuple(
            _Broker(address, Words(address.host, address.port, client_id, options.credentials_file))
            for address in addresses(options)
        )
        secure = any(broker.address.tls for broker in self._brokers)
        self._tls = Tls(options.ca, options.cert, options.key) if secure else None
        _credentials(options.credentials_file)
        self._wake = Condition()
        self._thread: Thread | None = None
        self._closed = self._busy = False
        self.link: Link | None = None
        self.session = 0
        self._at = 0  # which broker was used last
        self._short_lives, self._lost = 0, ""
        self._backoff, self._probes = Backoff(), Backoff(*_PROBE_S)
        self._probe_at_s = 0.0

    # --- for the courier ---------------------------------------------------------------------------------

    def wait_ready(self, timeout_s: float) -> bool:
        with self._wake:
            if self._thread is None and not self._closed:
                self._thread = Thread(target=self._run, name=f"{self._place.name}-connect", daemon=True)
                self._thread.start()
            self._wake.wait_for(lambda: self._closed or self._ready(), timeout_s)
            return self._ready()

    def _ready(self) -> bool:
        return self.link is not None and self.link.lost is None

    @contextmanager
    def lend(self) -> Iterator[Link]:
        """The connection, which nobody leaves on purpose meanwhile.

        Raises:
            DeliveryError: there is none.
        """
        with self._wake:
            link = self.link
            if link is None or link.lost is not None:
                raise DeliveryError(self._brokers[self._at].words.broker("is not connected"))
            self._busy = True
        try:
            yield link
        finally:
            with self._wake:
                self._busy = False
                self._wake.notify_all()

    def close(self) -> None:
        """Safe from any thread, and twice; waits a moment for the goodbye."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
            link, thread = self.link, self._thread
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
        first = (self._at + 1) % len(self._brokers) if self._short_lives else 0
        failed: dict[str, None] = {}
        for n in range(len(self._brokers)):
            at = (first + n) % len(self._brokers)
            link = self._try(at, failed)
            if self._closed or link is not None:
                self._arrived(at, failed)
                return link
        self._report("broker", "; ".join(failed))
        return None

    def _try(self, at: int, failed: dict[str, None]) -> Link | None:
        try:
            return self._dial(at, self._place)
        except (DeliveryError, InputError) as error:
            failed[str(error)] = None
        except Exception as error:
            log.exception("connecting failed in a way that is not known")
            text = f"cannot be reached, please report this: {error!r}"
            failed[self._brokers[at].words.broker(text)] = None
        return None

    def _arrived(self, at: int, failed: dict[str, None]) -> None:
        if self._closed:
            return
        self._report("broker", None)
        if at > self._at:
            self._count("failovers")
        self._at = at
        why = "; ".join(failed) or self._lost
        text = self._brokers[at].words.broker(f"stands in (number {at + 1} of urls): {why}")
        self._report("failover", text if at else None)
        self._probe_at_s = time.monotonic() + self._probes.next_s()

    def _dial(self, at: int, place: SinkPlace, suffix: str = "") -> Link:
        """Version 5 first, each time: only its reason codes tell a refused message from a delivered one."""
        from edgeinfer.sinks.mqtt_link import Link, WrongVersion

        dial = self._make_dial(at, place, suffix)
        try:
            return Link(dial)
        except WrongVersion as error:
            if self._options.version or self._closed:
                raise
            try:
                return Link(replace(dial, version=3))
            except DeliveryError:
                raise error from None

    def _make_dial(self, at: int, place: SinkPlace, suffix: str) -> Dial:
        from edgeinfer.sinks.mqtt_client import Dial

        user, password = _credentials(self._options.credentials_file)
        o, broker = self._options, self._brokers[at]
        words = replace(broker.words, client_id=broker.words.client_id + suffix)
        tls, session_s = self._context() if broker.address.tls else None, o.session_expiry_s * (not suffix)
        return Dial(
            words=words,
            version=o.version or 5,
            tls=tls,
            user=user,
            password=password,
            in_flight=o.in_flight,
            ack_timeout_s=o.ack_timeout_s,
            place=place,
            expire_s=o.expire_s,
            session_s=session_s,
            pace=self._pace,
        )

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        self._tls.refresh()
        self._tell_certificate(self._tls)
        return self._tls.context

    def _tell_certificate(self, tls: Tls) -> None:
        self._report("certificate", tls.problem or tls.ends(time.time()))

    # --- a connection that holds -------------------------------------------------------------------------

    def _live(self, link: Link) -> bool:
        """As long as the connection lives; whether it was left on purpose."""
        began_s = time.monotonic()
        self._open(link)
        left = False
        while not self._closed and not left and not link.wait_lost(_LOOK_S):
            why = self._better()
            left = bool(why) and self._leave(link, why)
        link.close()
        with self._wake:
            self.link = None
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
        words = self._brokers[self._at].words
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
        if self._short_lives < _SUSPECT_LIVES + 1:
            return ""
        client_id = self._brokers[self._at].words.client_id
        return f", again and again: perhaps another client uses the client id {client_id!r}"

    def _better(self) -> str:
        """Why another connection would be better than this one; "" where it would not."""
        if self._tls is not None and self._brokers[self._at].address.tls:
            renewed = self._tls.refresh()
            self._tell_certificate(self._tls)
            if renewed:
                return "renewed"
        if self._at and time.monotonic() >= self._probe_at_s:
            self._probe_at_s = time.monotonic() + self._probes.next_s()
            if any(map(self._answers, range(self._at))):
                return "returns"
        return ""

    def _answers(self, at: int) -> bool:
        """Whether this broker takes a client of ours; of another id, since it may be one broker with that in use."""
        try:
            place = replace(self._place, will=None, listens=())
            self._dial(at, place, "-probe").close()
        except (DeliveryError, InputError) as error:
            log.debug("not back to the broker before: %s", error)
            return False
        return True

    def _leave(self, link: Link, why: str) -> bool:
        """Between two deliveries; whether that could be done."""
        with self._wake:
            idle = self._wake.wait_for(lambda: self._closed or not self._busy, _LEAVE_S)
            if not idle or self._closed or link.lost is not None:
                return False
            self.link = None
        log.info("%s: connecting anew (%s)", self._place.name, why)
        self._count(why)
        link.kill(why)
        return True


def _credentials(path: str) -> tuple[str | None, str | None]:
    if not path:
        return None, None
    login = read_login(path)
    return login.user, login.password or None
