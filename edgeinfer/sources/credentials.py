"""User and password of a camera: read from a file, put into the URL at the last moment, never shown."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from edgeinfer.errors import InputError

# Between :// and @. The second form is a password with an unquoted / ? or # in it: what follows its colon is no port.
_USER_INFO = re.compile(
    r"(?<=://)(?!\{user\}:\{password\}@)(?:[^/?#\s]*@|[^/?#\s@:]*:(?!\d*(?:[/?#\s]|$))\S*@)"
)
_PASSWORD = re.compile(r"(?i)(?<![a-z])(pass|password|passwd|pwd|pw)=(?!\{)[^&\s]+")


@dataclass(frozen=True)
class Credentials:
    """A user and a password; `repr` shows neither."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    def fill(self, url: str) -> str:
        """`url` with both in it: in place of {user} and {password} where it has them, else before the host."""
        user, password = quote(self.user, safe=""), quote(self.password, safe="")
        if "{password}" in url or "{user}" in url:
            return url.replace("{user}", user).replace("{password}", password)
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc}"))


def read_credentials(path: str) -> Credentials:
    """From a text file: `user:password` in one line, or the user and the password in two.

    Raises:
        InputError: the file is missing, unreadable, readable by everybody, or something else stands in it.
    """
    text = _private_text(Path(path))
    lines = text.splitlines()
    if len(lines) == 1:
        lines = lines[0].split(":", 1)
    if len(lines) != 2 or not lines[0]:
        raise InputError(
            f"credentials_file: expected user:password, or two lines, in {path}; found something else"
        )
    return Credentials(lines[0], lines[1])


def _private_text(path: Path) -> str:
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise InputError(
                f"credentials_file: everybody on this machine may read {path}; "
                f"expected a file for the daemon alone: chmod 640 {path}"
            )
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"credentials_file: there is no file {path}; write user:password into it") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"credentials_file: cannot read {path}: {reason}") from None


def holds_secret(url: str) -> bool:
    """Whether somebody wrote a user or a password into `url` itself."""
    return bool(_USER_INFO.search(url) or _PASSWORD.search(url))


def redact(text: str) -> str:
    """`text` as it may be shown: without the user and password of any URL in it."""
    return _PASSWORD.sub(r"\1=***", _USER_INFO.sub("***@", text))
