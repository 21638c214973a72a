"""The state folder: made, shown to be writable, and locked, so that two daemons never share an outbox."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from edgeinfer.errors import StateError


class StateFolder:
    """Held for as long as the daemon lives; the kernel lets go of the lock when the process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / "lock").open("a+")
        except OSError as error:
            raise StateError(
                f"the state folder {path} cannot be used: {error.strerror or error}; "
                "give its owner write access, or another folder in [state] dir"
            ) from error
        self._take()

    def _take(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise StateError(
                f"another edgeinfer (process {holder}) uses the state folder {self.path}; "
                "stop it, or give this one a folder of its own in [state] dir"
            ) from error
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only unnamed
            self._lock.truncate(0)
            self._lock.write(str(os.getpid()))
            self._lock.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._lock.close()
