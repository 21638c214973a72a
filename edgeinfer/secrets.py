"""A user and a password from a file, as cameras and brokers ask for them; the file is the daemon's alone."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer.errors import InputError


@dataclass(frozen=True)
class Login:
    """A user and a password; `repr` shows neither."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def read_login(path: str) -> Login:
    """From a text file: `user:password` in one line, or the user and the password in two.

    Raises:
        InputError: the file is missing, unreadable, open to everybody, or something else stands in it.
    """
    lines = _private_text(Path(path)).splitlines()
    if len(lines) == 1:
        lines = lines[0].split(":", 1)
    if len(lines) != 2 or not lines[0].strip():
        raise InputError(
            f"credentials_file: expected user:password, or two lines, in {path}; found something else"
        )
    return Login(lines[0], lines[1])


def _private_text(path: Path) -> str:
    try:
        if path.stat().st_mode & stat.S_IRWXO:
            raise InputError(
                f"credentials_file: everybody on this machine may use {path}; "
                f"expected a file for the daemon alone: chmod 640 {path}"
            )
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"credentials_file: there is no file {path}; write user:password into it") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"credentials_file: cannot read {path}: {reason}") from None
