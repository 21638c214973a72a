"""How each broker of a sink is called: address, client id, certificates and login as they are on disk at that moment."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgeinfer.errors import DeliveryError
from edgeinfer.mqtt.access import Access, Address, Use, addresses
from edgeinfer.mqtt.pace import Pace
from edgeinfer.mqtt.tls import Tls
from edgeinfer.mqtt.words import Words
from edgeinfer.ports import SinkPlace, no_will
from edgeinfer.secrets import read_login

if TYPE_CHECKING:  # paho takes 80 ms to import: where no broker is configured, nobody pays for it
    from edgeinfer.mqtt.client import Dial
    from edgeinfer.mqtt.link import Link

_PROBE = "-probe"


@dataclass(frozen=True, slots=True)
class _Broker:
    """One of those in the config, and what to say of it."""

    address: Address
    words: Words


class Caller:
    """Knows the brokers by their number in the config; decides nothing. For the connecting thread, but for `words`."""

    def __init__(self, options: Access, place: SinkPlace, pace: Pace, use: Use) -> None:
        """Raises InputError when a URL is wrong, or a file that is named cannot be used."""
        self._options, self._place, self._pace, self._use = options, place, pace, use
        client_id = options.client_id or f"{place.device}-{place.machine_id[:8]}-{place.name}"
        self._brokers = tuple(
            _Broker(address, Words(address.host, address.port, client_id, options.credentials_file))
            for address in addresses(options)
        )
        secure = any(broker.address.tls for broker in self._brokers)
        self._tls = Tls(options.ca, options.cert, options.key) if secure else None
        _credentials(options.credentials_file)

    def __len__(self) -> int:
        return len(self._brokers)

    def words(self, at: int) -> Words:
        return self._brokers[at].words

    def call(self, at: int) -> Link:
        """A connection to broker `at`.

        Raises:
            DeliveryError: and InputError; there is none, and why.
        """
        return self._open(self._dial(at, self._place))

    def probe(self, at: int) -> None:
        """Whether it takes a client like us; of another id, since it may be one broker with that in use. Raises as `call`."""
        dial = self._dial(at, replace(self._place, will=no_will, listens=(), asks=()))
        words = replace(dial.words, client_id=dial.words.client_id + _PROBE)
        self._open(replace(dial, words=words, use=replace(dial.use, session_s=0))).close()

    def renewed(self, at: int) -> bool:
        """Whether broker `at` should be called again, since the client certificate is another one now."""
        if self._tls is None or not self._brokers[at].address.tls:
            return False
        renewed = self._tls.refresh()
        self._tell(self._tls)
        return renewed

    def _open(self, dial: Dial) -> Link:
        """Version 5 first, each time: only its reason codes tell a refused message from a delivered one."""
        from edgeinfer.mqtt.link import Link, WrongVersion

        try:
            return Link(dial)
        except WrongVersion as error:
            if self._options.version:
                raise
            try:
                return Link(replace(dial, version=3))
            except DeliveryError:
                raise error from None

    def _dial(self, at: int, place: SinkPlace) -> Dial:
        from edgeinfer.mqtt.client import Dial

        user, password = _credentials(self._options.credentials_file)
        o, broker = self._options, self._brokers[at]
        return Dial(
            words=broker.words,
            version=o.version or 5,
            tls=self._context() if broker.address.tls else None,
            user=user,
            password=password,
            place=place,
            use=self._use,
            pace=self._pace,
        )

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        self._tls.refresh()
        self._tell(self._tls)
        return self._tls.context

    def _tell(self, tls: Tls) -> None:
        self._place.report("certificate", tls.problem or tls.ends(time.time()))


def _credentials(path: str) -> tuple[str | None, str | None]:
    if not path:
        return None, None
    login = read_login(path)
    return login.user, login.password or None
