"""Fetches a file by HTTP with resume; a line that breaks is tried again, one that stalls is given up with a word.

What has come lies in `part`, and what it is of beside it: the same call later, also by another process, goes on
where this one stopped, unless the server says (ETag, Last-Modified) that the file is another one by now.
"""

from __future__ import annotations

import errno
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeinfer.errors import DeviceError, EdgeinferError, InputError

_CHUNK = 1 << 16
_SIZE_MAX = 2 << 30
_HINT = "; the same command goes on where this one stopped"

Step = Callable[[int, int], None]
"""`step(bytes, total)`: so many more have come; total is 0 where the server does not tell."""


class _Broken(Exception):  # noqa: N818  internal: the line broke, the text says how
    """Try again from where it stopped."""


def download(
    url: str, part: Path, step: Step = lambda _, __: None, *, timeout_s: float = 20.0, attempts: int = 4
) -> Path:
    """`part`, complete.

    Raises:
        InputError: no http or https address, or the server says that it has no such file.
        DeviceError: it cannot be reached, stalls for `timeout_s`, or broke off `attempts` times without a byte more.
        OSError: it cannot be written; where there is no room, what had come is removed again.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url}: expected an address that begins with http:// or https://")
    left, said = attempts, ""
    while left:
        before = _size(part)
        try:
            return _attempt(url, part, step, timeout_s)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                part.unlink(missing_ok=True)
            raise
        except _Broken as error:
            left, said = (attempts if _size(part) > before else left) - 1, str(error)
    raise DeviceError(f"{url}: {said}, after {_size(part):,} bytes{_HINT}")


def _attempt(url: str, part: Path, step: Step, timeout_s: float) -> Path:
    mark, size = part.with_name(f"{part.name}.of"), _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "edgeinfer"})  # noqa: S310  checked by download
    if size and (known := mark.read_text() if mark.exists() else ""):
        request.add_header("Range", f"bytes={size}-")
        request.add_header("If-Range", known)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:  # noqa: S310  checked by download
            mark.write_text(_mark(reply.headers))
            return _take(reply, part, size if reply.status == 206 else 0, step)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # it is complete, or not what it was
            return _whole_or_anew(part, error.headers.get("Content-Range", ""))
        if error.code >= 500 or error.code in {408, 429}:
            raise _Broken(f"the server says {error.code} {error.reason}") from error
        raise InputError(
            f"{url}: the server says {error.code} {error.reason}; is the address right?"
        ) from error
    except TimeoutError as error:
        raise DeviceError(
            f"{url}: nothing came for {timeout_s:.0f} s, after {_size(part):,} bytes{_HINT}"
        ) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise DeviceError(f"{url}: no answer within {timeout_s:.0f} s{_HINT}") from error
        raise _Broken(
            f"it cannot be reached: {getattr(error.reason, 'strerror', None) or error.reason}"
        ) from error
    except (ConnectionError, http.client.HTTPException) as error:
        raise _Broken(f"the line broke ({type(error).__name__})") from error


def _take(reply: Any, part: Path, start: int, step: Step) -> Path:
    """Writes what comes behind `start`; a length that was promised must come."""
    promised = int(reply.headers.get("Content-Length") or -1)
    total = start + promised if promised >= 0 else 0
    if total > _SIZE_MAX:
        raise EdgeinferError(f"{reply.url}: has {total:,} bytes; more than {_SIZE_MAX:,} are not taken")
    step(start, total)
    come = 0
    with part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(start)
        file.seek(start)
        while chunk := reply.read1(_CHUNK):
            file.write(chunk)
            come += len(chunk)
            if start + come > _SIZE_MAX:
                raise EdgeinferError(f"{reply.url}: has over {_SIZE_MAX:,} bytes, which is not taken")
            step(len(chunk), total)
    if promised >= 0 and come < promised:
        raise _Broken(f"the server closed the line with {promised - come:,} bytes missing")
    return part


def _whole_or_anew(part: Path, content_range: str) -> Path:
    if content_range == f"bytes */{_size(part)}":
        return part
    part.unlink(missing_ok=True)
    raise _Broken("the server has another file by now")


def _mark(headers: Any) -> str:
    """What If-Range may name: a strong ETag, or a date; without either there is no resume."""
    etag = headers.get("ETag") or ""
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified") or ""


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
