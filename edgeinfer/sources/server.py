"""Ask the server of a stream ourselves: whether it answers at all, and why OpenCV could not open the stream.

OpenCV opens one FFmpeg capture at a time in the whole process (a mutex of its own, opencv/opencv issue 17057), so
that an open which waits for a dead camera holds up all others; and it never says why an open failed. Hence a dead
camera is found out here, before. No question carries a user or password.
"""

from __future__ import annotations

import re
import socket
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
# RFC 2326 and RFC 9110; to a TLS port nothing is said: that it takes the connection must do.
_RTSP = "{method} {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
_HTTP = "{method} {path} HTTP/1.0\r\nHost: {host}\r\n\r\n"
_QUESTIONS = {"rtsp": _RTSP, "http": _HTTP}
_STATUS = re.compile(rb"^(?:RTSP|HTTP)/\d\.\d (\d{3})")


class Diagnosis(NamedTuple):
    """`text` says what is wrong; `streams` tells that the server has the stream, so another try may read it."""

    text: str
    streams: bool = False


def unreachable(url: str, timeout_s: float) -> str | None:
    """Why no server answers at `url`; None when one does, whatever it says."""
    parts = urlsplit(url)
    try:
        _ask(parts, "HEAD" if parts.scheme == "http" else "OPTIONS", timeout_s)
    except OSError as error:
        return _words(error, parts)
    return None


def why_closed(url: str, timeout_s: float, *, credentials: bool) -> Diagnosis:
    """Why a stream whose server answers could not be opened; `credentials` tells whether some were given."""
    parts = urlsplit(url)
    try:
        status = _ask(parts, "GET" if parts.scheme == "http" else "DESCRIBE", timeout_s)
    except OSError as error:
        return Diagnosis(_words(error, parts))
    return _meaning(status, credentials=credentials)


def _address(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _ask(parts: SplitResult, method: str, timeout_s: float) -> int | None:
    """The status of the answer; None where nothing can be asked or the answer is another protocol's."""
    with socket.create_connection(_address(parts), timeout_s / 2) as connection:
        if parts.scheme not in _QUESTIONS:
            return None
        host = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=host).geturl()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.settimeout(timeout_s / 2)
        connection.sendall(
            _QUESTIONS[parts.scheme].format(method=method, url=url, path=path, host=host).encode()
        )
        found = _STATUS.match(connection.recv(64))
    return int(found[1]) if found else None


def _words(error: OSError, parts: SplitResult) -> str:
    host, port = _address(parts)
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens there (connection to {host} port {port} refused)"
    if isinstance(error, socket.gaierror):
        return f"the host name {host!r} is not known here"
    if isinstance(error, TimeoutError):
        return f"{host} port {port} does not answer"
    return f"{host} port {port}: {error.strerror or error}"


def _meaning(status: int | None, *, credentials: bool) -> Diagnosis:
    if status == 401 and credentials:
        return Diagnosis("the server does not take the user or password of credentials_file", streams=True)
    if status == 401:
        return Diagnosis("the server wants a user and a password: give credentials_file")
    if status == 404:
        return Diagnosis("the server knows no stream of that name (404): look at the path of the URL")
    if status is not None and status >= 400:
        return Diagnosis(f"the server answers with error {status}")
    return Diagnosis("the server answers, but what it sends is no picture that OpenCV can read", streams=True)
