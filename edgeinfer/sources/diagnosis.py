"""Find out why a stream does not open, since OpenCV only says that it does not; for the message, nothing else."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_ASK = {
    "rtsp": "DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n",
    "http": "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n",
}
_STATUS = re.compile(rb"^(?:RTSP|HTTP)/\d\.\d (\d{3})")


class Diagnosis(NamedTuple):
    """`text` says what is wrong; `streams` tells that the server has the stream, so another try may read it."""

    text: str
    streams: bool = False


def why_closed(url: str, timeout_s: float, *, credentials: bool) -> Diagnosis:
    """What is wrong with `url`, which must hold no secret; takes at most 2 x `timeout_s`."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            status = _status(connection, parts.scheme, url, timeout_s)
    except ConnectionRefusedError:
        return Diagnosis(f"nothing listens there (connection to {host} port {port} refused)")
    except socket.gaierror:
        return Diagnosis(f"the host name {host!r} is not known here")
    except TimeoutError:
        return Diagnosis(f"{host} port {port} does not answer")
    except OSError as error:
        return Diagnosis(f"{host} port {port}: {error.strerror or error}")
    return _meaning(status, credentials=credentials)


def _status(connection: socket.socket, scheme: str, url: str, timeout_s: float) -> int | None:
    """What the server says to a plain question; None where it cannot be asked so (TLS) or says nothing known."""
    if scheme not in _ASK:
        return None
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.settimeout(timeout_s)
    connection.sendall(_ASK[scheme].format(url=url, path=path, host=parts.netloc).encode())
    found = _STATUS.match(connection.recv(64))
    return int(found[1]) if found else None


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
