"""Borrows a port from the running daemon for as long as a block lasts, and renews the lease meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from edgeinfer.commands.door import ask
from edgeinfer.errors import EdgeinferError

LEASE_S = 60.0  # how long a port stays away after its flasher was killed
_RENEW_S = 5.0  # a daemon that was restarted meanwhile learns so soon that its port is lent


@contextlib.contextmanager
def borrowed(port: str, door: Path | None, lease_s: float = LEASE_S) -> Iterator[str]:
    """Yields which sources of the daemon gave the port; "" where no daemon runs or none of its sources has it.

    Raises:
        EdgeinferError: a daemon is there and may not be asked, or does not answer: it might have the port.
    """
    asked = {"command": "lend", "port": port, "to": "edgeinfer firmware flash", "lease_s": lease_s}
    sources = _lend(asked, door)
    if door is None or not sources:
        yield ""
        return
    done = Event()
    renewal = Thread(target=_renew, args=(asked, door, min(_RENEW_S, lease_s / 3), done), daemon=True)
    renewal.start()
    try:
        yield ", ".join(sources)
    finally:
        done.set()
        renewal.join()
        with contextlib.suppress(EdgeinferError):  # it was stopped meanwhile: nothing to give back
            ask(door, {"command": "return", "port": port})


def _lend(asked: dict[str, object], door: Path | None) -> list[str]:
    if door is None or not door.exists():
        return []
    try:
        return list(ask(door, asked)["sources"])
    except EdgeinferError as error:
        if isinstance(error.__cause__, ConnectionRefusedError):  # left behind by a daemon that was killed
            return []
        raise EdgeinferError(
            f"the daemon behind {door} might have the port, and does not lend it: {error}; "
            "flash as the user it runs as, or stop it first; nothing was written"
        ) from error


def _renew(asked: dict[str, object], door: Path, each_s: float, done: Event) -> None:
    while not done.wait(each_s):
        with contextlib.suppress(EdgeinferError):  # busy or restarting: the next one will reach it
            ask(door, asked)
