"""One flasher a port: a lock file, and whether the port can be opened at all.

flock on the device itself does not help: avrdude and terminal programs do not ask for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_bridge import port as ports
from firmware_bridge.errors import PortBusyError as BusyError
from firmware_bridge.errors import PortDeniedError, PortError
from firmware_bridge.flash.errors import FlashError, PackageError, PortBusyError


@contextmanager
def locked(port: str, folder: Path) -> Iterator[None]:
    """Holds the lock of `port` (of the device behind its links) until the block ends or the process dies.

    Raises:
        PortBusyError: another flasher has it; says which process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _file(port, folder).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise PortBusyError(
                f"{port}: another flasher (process {file.read().strip() or 'unknown'}) is at work on it; "
                "wait for it, nothing was written"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(port: str, folder: Path) -> str:
    """The process id of the flasher that is at work on `port`; "" when none is."""
    with contextlib.suppress(FileNotFoundError), _file(port, folder).open() as file:
        try:  # asked for shared and at once given back: whoever looks does not keep a flasher out
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return file.read().strip() or "unknown"
    return ""


def _file(port: str, folder: Path) -> Path:
    return folder / f"{os.path.realpath(port).strip('/').replace('/', '-')}.lock"


def check(port: str) -> None:
    """Whether `port` is there, ours to open, and free.

    Raises:
        PackageError: no such port.
        FlashError: no permission; says which group is missing.
        PortBusyError: somebody has it open; says who.
    """
    try:
        ports.check(port)
    except BusyError as error:
        raise PortBusyError(f"{error}, nothing was written") from error
    except PortDeniedError as error:
        raise FlashError(str(error)) from error
    except PortError as error:
        raise PackageError(str(error)) from error


def wait_free(port: str, patience_s: float) -> None:
    """As `check`, but whoever is just about to close `port` gets `patience_s` for it."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return check(port)
        except PortBusyError:
            if time.monotonic() >= end:
                raise
        time.sleep(0.05)
