"""Log records as entries of the systemd journal, with fields; sends them, and decides nothing about what is logged.

Protocol: systemd, "Native Journal Protocol" (a datagram of KEY=value lines to /run/systemd/journal/socket; a value
with a line break has its length as 64 bits, little-endian, before it; what is too large for one goes in a sealed memfd).
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)  # syslog(3)
_DEBUG = 7
_KINDS = ("source", "pipeline", "sink")
# fcntl.F_ADD_SEALS and its bits as numbers: Python 3.10's fcntl may be built without them.
_ADD_SEALS, _ALL_SEALS = 1033, 0x1 | 0x2 | 0x4 | 0x8


class JournalHandler(logging.Handler):
    """Fields: MESSAGE, PRIORITY, LOGGER, SYSLOG_IDENTIFIER, POST, and SOURCE, PIPELINE or SINK where the post is one.

    POST is what `extra={"post": …}` says, else the thread's name where that is a post. A record that the journal does
    not take goes to stderr, and nothing is raised: a daemon does not end because its log does.
    """

    def __init__(self, path: Path = SOCKET) -> None:
        super().__init__()
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._send(encode(fields(record, self.format(record))))
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        print(f"{record.levelname} {record.getMessage()}", file=sys.stderr)

    def close(self) -> None:
        self._socket.close()
        super().close()

    def _send(self, entry: bytes) -> None:
        try:
            self._socket.sendto(entry, self._path)
        except OSError as error:
            if error.errno not in {errno.EMSGSIZE, errno.ENOBUFS}:
                raise
            self._send_sealed(entry)

    def _send_sealed(self, entry: bytes) -> None:
        memory = os.memfd_create("edgeinfer-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(memory, "wb", buffering=0) as file:  # noqa: PTH123  # a descriptor, not a path
            file.write(entry)
            fcntl.fcntl(memory, _ADD_SEALS, _ALL_SEALS)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", memory))
            self._socket.sendmsg([b""], [rights], 0, self._path)  # socket.send_fds ignores its address


def fields(record: logging.LogRecord, message: str) -> Mapping[str, str]:
    """The fields of one entry; `message` is the record, formatted."""
    found = {
        "MESSAGE": message,
        "PRIORITY": str(priority(record.levelno)),
        "LOGGER": record.name,
        "SYSLOG_IDENTIFIER": "edgeinfer",
    }
    post = str(getattr(record, "post", "") or _thread_post(record))
    if post:
        found["POST"] = post
    kind, _, name = post.partition(".")
    if name and kind in _KINDS:
        found[kind.upper()] = name
    if times := getattr(record, "times", 0):
        found["TIMES"] = str(times)
    return found


def priority(level: int) -> int:
    """The syslog priority of a level of `logging`."""
    return next((number for least, number in _PRIORITIES if level >= least), _DEBUG)


def encode(entry: Mapping[str, str]) -> bytes:
    """The datagram."""
    return b"".join(_field(key, value.encode("utf-8", "replace")) for key, value in entry.items())


def _field(key: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return key.encode() + b"=" + value + b"\n"
    return key.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"


def _thread_post(record: logging.LogRecord) -> str:
    """Loops name their thread after their post; other threads (MainThread, Thread-3) have no dot in theirs."""
    name = record.threadName or ""
    return name if name.partition(".")[0] in _KINDS else ""
