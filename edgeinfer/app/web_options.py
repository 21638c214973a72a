"""What a user may write in `[web]`, and whether that is safe; serves nothing."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edgeinfer.config import Part, blame, decode
from edgeinfer.errors import InputError, Problem
from edgeinfer.secrets import read_token

Allowed = Literal["pause", "reload", "resume", "set", "use"]


class WebOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the page is, who may see it, and which commands it may give."""

    listen: str = ""
    """`"127.0.0.1:8088"`; empty: there is no page."""
    token_file: str = ""
    cert: str = ""
    key: str = ""
    hosts: tuple[str, ...] = ()
    allow: tuple[Allowed, ...] = ()
    fps: Annotated[float, Meta(ge=0.2, le=10)] = 4.0

    def __post_init__(self) -> None:
        if not self.listen:
            return
        address, _ = self.place
        if bool(self.cert) != bool(self.key):
            raise ValueError("cert: cert and key go together; name both files")
        if ip_address(address).is_loopback:
            return
        for key in ("token_file", "cert", "key"):
            if not getattr(self, key):
                raise ValueError(
                    f"listen: {self.listen} can be reached from outside of this device: that needs {key} as well "
                    '(a password, and TLS); or write "127.0.0.1:PORT" and come through ssh -L'
                )

    @property
    def place(self) -> tuple[str, int]:
        """Address and port.

        Raises:
            ValueError: `listen` says no such thing.
        """
        host, colon, port = self.listen.rpartition(":")
        address = host.removeprefix("[").removesuffix("]")
        if not (colon and _is_address(address) and port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError(
                f'listen: expected an address and a port, such as "127.0.0.1:8088" or "[::1]:8088", found {self.listen!r}'
            )
        return address, int(port)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def check_web(part: Part, problems: list[Problem]) -> WebOptions:
    """The options; what is wrong with them, and with the files that they name, is appended to `problems`."""
    options = decode(part, WebOptions, problems)
    if options is None or not options.listen:
        return WebOptions()
    try:
        if options.token_file:
            read_token(options.token_file)
        for key in ("cert", "key"):
            _check_file(key, getattr(options, key))
    except InputError as error:
        problems.append(blame(part, WebOptions, error))
    return options


def _check_file(key: str, path: str) -> None:
    if not path:
        return
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{key}: cannot read {path}: {error.strerror}") from None
    if b"-----BEGIN " not in text:
        raise InputError(f"{key}: expected PEM (-----BEGIN …) in {path}, found something else")
