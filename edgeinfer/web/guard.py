"""Who may ask the page what: host, token, origin, size, and the headers that keep a browser honest; serves nothing itself.

Against: DNS rebinding (Host), foreign pages (Origin, Sec-Fetch-Site, a header that forms cannot send), injected markup
(Content-Security-Policy without inline scripts), oversized bodies.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

Environ = dict[str, Any]
Start = Callable[..., Any]
Wsgi = Callable[[Environ, Start], Iterable[bytes]]

MOST_BYTES = 8_192  # of a body: one command
MARK = "HTTP_X_EDGEINFER"  # X-Edgeinfer: a form or an image of another page cannot send it
HEADERS: tuple[tuple[str, str], ...] = (
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    status: str
    text: str


@dataclass(frozen=True)
class Guard:
    """A WSGI application around `app`; `hosts` are names in lower case, addresses are always right."""

    app: Wsgi
    token: str
    hosts: frozenset[str]
    scheme: str

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        refusal = self.refusal(environ)
        if refusal is not None:
            return _refuse(refusal, start)

        def guarded(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            own = {name for name, _ in headers}
            return start(status, [*headers, *(h for h in HEADERS if h[0] not in own)], *rest)

        return self.app(environ, guarded)

    def refusal(self, environ: Mapping[str, Any]) -> Refusal | None:
        """Why this is not answered; None when it may be."""
        if not self._knows(environ.get("HTTP_HOST", "")):
            return Refusal("421 Misdirected Request", "this device has another name; see hosts in [web]")
        if not self._admits(environ.get("HTTP_AUTHORIZATION", "")):
            return Refusal("401 Unauthorized", "the token of this device is needed, as the password")
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD", "POST"}:
            return Refusal("405 Method Not Allowed", "GET or POST")
        return _size(environ) or self._foreign(environ)

    def _knows(self, host: str) -> bool:
        name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
        try:
            ip_address(name)
        except ValueError:
            return name.lower().rstrip(".") in self.hosts
        return True  # rebinding needs a name

    def _admits(self, authorization: str) -> bool:
        if not self.token:
            return True
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "bearer":
            given = value
        elif kind.lower() == "basic":
            try:
                given = b64decode(value, validate=True).decode().partition(":")[2]
            except (NotBase64, ValueError):
                return False
        else:
            return False
        return hmac.compare_digest(given.strip().encode(), self.token.encode())

    def _foreign(self, environ: Mapping[str, Any]) -> Refusal | None:
        site = environ.get("HTTP_SEC_FETCH_SITE", "none")
        visit = environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ["REQUEST_METHOD"] == "GET"
        if site not in {"none", "same-origin"} and not visit:
            return Refusal("403 Forbidden", "another page may not ask this")
        if environ["REQUEST_METHOD"] != "POST":
            return None
        origin = environ.get("HTTP_ORIGIN", "")
        if origin and origin.lower() != f"{self.scheme}://{environ['HTTP_HOST']}".lower():
            return Refusal("403 Forbidden", "another page may not give commands")
        if (
            environ.get(MARK) != "1"
            or environ.get("CONTENT_TYPE", "").partition(";")[0] != "application/json"
        ):
            return Refusal(
                "403 Forbidden", "a command comes with X-Edgeinfer: 1 and Content-Type: application/json"
            )
        return None


def _size(environ: Mapping[str, Any]) -> Refusal | None:
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return Refusal("411 Length Required", "say Content-Length")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return Refusal("400 Bad Request", "Content-Length: expected a number")
    if len(length) > 9 or int(length) > MOST_BYTES:
        return Refusal("413 Content Too Large", f"expected at most {MOST_BYTES} bytes")
    return None


def _refuse(refusal: Refusal, start: Start) -> Iterable[bytes]:
    body = (refusal.text + "\n").encode()
    headers = [*HEADERS, ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if refusal.status.startswith("401"):
        headers.append(("WWW-Authenticate", 'Basic realm="edgeinfer", charset="UTF-8"'))
    start(refusal.status, headers)
    return [body]
