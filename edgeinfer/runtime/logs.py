"""Where the log goes: to the journal with fields when systemd reads it, else to stderr for people; set up once."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from edgeinfer.runtime.journal import SOCKET, JournalHandler
from edgeinfer.runtime.quiet import Quiet
from edgeinfer.runtime.systemd import Systemd

_TERMINAL = "%(asctime)s %(levelname)-7s %(message)s"
_PIPE = "%(levelname)s %(message)s"  # the journal adds the time


def set_up(systemd: Systemd, *, verbose: bool, path: Path = SOCKET) -> None:
    """Gives the root logger one handler, where it has none; called by a command, once."""
    handler = Quiet(_handler(systemd, path))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if verbose else logging.INFO)


def _handler(systemd: Systemd, path: Path) -> logging.Handler:
    if is_journal(systemd.journal_stream, 2) and path.exists():
        return _formatted(JournalHandler(path), "%(message)s")
    return _formatted(logging.StreamHandler(sys.stderr), _PIPE if systemd.notify_socket else _TERMINAL)


def _formatted(handler: logging.Handler, form: str) -> logging.Handler:
    handler.setFormatter(logging.Formatter(form))
    return handler


def is_journal(stream: str, descriptor: int) -> bool:
    """Whether `descriptor` is the stream that systemd connected to the journal.

    systemd.exec(5): JOURNAL_STREAM is "device:inode" of it; whoever redirects stderr no longer writes to the journal.
    """
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return bool(stream) and stream == f"{status.st_dev}:{status.st_ino}"
