"""A sink that keeps what it gets, and fails when it is told to; it has no network and no threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Outcome, Refused, Sent


class FakeSink:
    """Connected from the start; `seen` holds all messages that were taken, in order."""

    def __init__(self) -> None:
        self.session = 1
        self.seen: list[Message] = []
        self.closed = False
        self._wake = Condition()
        self._connected, self._blocked = True, False
        self._settle: int | None = None
        self._refuse: dict[str, str] = {}

    # --- what a test says --------------------------------------------------------------------------------

    def lose(self) -> None:
        """The connection is gone until `restore`."""
        with self._wake:
            self._connected = False
            self._wake.notify_all()

    def restore(self) -> None:
        """Connected again, as a new session."""
        with self._wake:
            self._connected, self.session = True, self.session + 1
            self._wake.notify_all()

    def settle_only(self, n: int) -> None:
        """The connection breaks after `n` more messages, in whatever batches they come."""
        self._settle = n

    def refuse(self, topic: str, reason: str) -> None:
        """Every message on `topic` is refused from now on."""
        self._refuse[topic] = reason

    def block(self) -> None:
        """`send` does not return until `unblock`."""
        with self._wake:
            self._blocked = True

    def unblock(self) -> None:
        with self._wake:
            self._blocked = False
            self._wake.notify_all()

    def wait_for(self, condition: Callable[[list[Message]], bool], timeout_s: float = 10.0) -> list[Message]:
        """What was seen once `condition` of it is true.

        Raises:
            TimeoutError: it never was; tells what was seen.
        """
        with self._wake:
            if not self._wake.wait_for(lambda: condition(self.seen), timeout_s):
                raise TimeoutError(f"not seen within {timeout_s} s; the messages were {self.seen}")
            return list(self.seen)

    # --- the port ----------------------------------------------------------------------------------------

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        with self._wake:
            self._wake.wait_for(lambda: not self._blocked)
            taken = self._before_it_breaks(batch)
            if not self._connected and not taken:
                raise DeliveryError("the fake sink was told to lose its connection")
            outcomes = [self._take(message) for message in taken]
            self._wake.notify_all()
            return outcomes

    def _before_it_breaks(self, batch: Sequence[Message]) -> Sequence[Message]:
        if not self._connected:
            return ()
        if self._settle is None or self._settle > len(batch):
            self._settle = None if self._settle is None else self._settle - len(batch)
            return batch
        taken, self._settle, self._connected = batch[: self._settle], None, False
        return taken

    def _take(self, message: Message) -> Outcome:
        if message.topic in self._refuse:
            return Refused(self._refuse[message.topic])
        self.seen.append(message)
        return Acked() if message.qos else Sent()

    def wait_ready(self, timeout_s: float) -> bool:
        with self._wake:
            return self._wake.wait_for(lambda: self._connected, timeout_s)

    def reconnect(self) -> None:
        self.restore()

    def close(self) -> None:
        self.closed = True
        self.unblock()
