"""Secrets from files: a user and a password, as cameras and brokers ask for them, or a token; the file is the daemon's alone."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer.errors import InputError

_SHORTEST_TOKEN = 16  # guessing is hopeless, so that no wrong guess has to be counted


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
    lines = _private_text(Path(path), "credentials_file", "user:password").splitlines()
    if len(lines) == 1:
        lines = lines[0].split(":", 1)
    if len(lines) != 2 or not lines[0].strip():
        raise InputError(
            f"credentials_file: expected user:password, or two lines, in {path}; found something else"
        )
    return Login(lines[0], lines[1])


def read_token(path: str) -> str:
    """One line of at least 16 characters.

    Raises:
        InputError: the file is missing, unreadable, open to everybody, or something else stands in it.
    """
    lines = _private_text(Path(path), "token_file", "a token of 16 characters or more").split()
    if len(lines) != 1 or len(lines[0]) < _SHORTEST_TOKEN:
        raise InputError(
            f"token_file: expected one line of {_SHORTEST_TOKEN} characters or more, without spaces, in {path}; "
            "found something else (openssl rand -hex 16 makes one)"
        )
    return lines[0]


def _private_text(path: Path, key: str, content: str) -> str:
    try:
        if path.stat().st_mode & stat.S_IRWXO:
            raise InputError(
                f"{key}: everybody on this machine may use {path}; "
                f"expected a file for the daemon alone: chmod 640 {path}"
            )
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(f"{key}: there is no file {path}; write {content} into it") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{key}: cannot read {path}: {reason}") from None
