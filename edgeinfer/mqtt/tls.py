"""The TLS of a connection from files that may be renewed at any time; says when a certificate ends, decides nothing."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.errors import InputError
from edgeinfer.mqtt.x509 import validity

_DAY_S = 86_400.0
_WARN_S, _WARN_SHARE = 14 * _DAY_S, 0.25  # of its life: certificates that live for a day are renewed each day

_Mark = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What was made of the files: it stays as it is while they change."""

    context: ssl.SSLContext
    valid: tuple[float, float] | None  # of the client certificate, unix seconds


class Tls:
    """An authority (`ca`, or the system's), and a client certificate with its key where there is one.

    Attributes:
        problem: why new files could not be taken, and so the old ones are still in use; else "".
    """

    def __init__(self, ca: str = "", cert: str = "", key: str = "") -> None:
        """Raises InputError when a file is missing or is no PEM file, or key and certificate do not match."""
        self._files = {"ca": ca, "cert": cert, "key": key}
        self._marks = self._look()
        self._loaded = self._load()
        self.problem = ""

    @property
    def context(self) -> ssl.SSLContext:
        return self._loaded.context

    def refresh(self) -> bool:
        """Takes files that were replaced; whether the client certificate or its key is another one now."""
        marks = self._look()
        if marks == self._marks:
            return False
        before, self._marks = self._marks, marks
        try:
            self._loaded = self._load()
        except InputError as error:
            self.problem = f"{error}; the files before it are still in use"
            return False
        renewed = before[1:] != marks[1:] or bool(self.problem)
        self.problem = ""
        return renewed and bool(self._files["cert"])

    def ends(self, now_s: float) -> str | None:
        """A sentence when the client certificate is about to end at `now_s` (unix), else None."""
        if self._loaded.valid is None:
            return None
        first_s, last_s = self._loaded.valid
        left_s, cert = last_s - now_s, self._files["cert"]
        if left_s > min(_WARN_S, (last_s - first_s) * _WARN_SHARE):
            return None
        if left_s <= 0:
            return f"the client certificate {cert} has expired: put a new one there, or set this device's clock right"
        return f"the client certificate {cert} expires in {_time(left_s)}: put a new one there, it is taken by itself"

    def _look(self) -> tuple[_Mark, ...]:
        return tuple(_mark(path) for path in self._files.values())

    def _load(self) -> _Loaded:
        for name, path in self._files.items():
            if path and not Path(path).is_file():
                raise InputError(f"{name} = {path!r}: there is no such file")
        ca, cert, key = self._files.values()
        try:
            context = ssl.create_default_context(cafile=ca or None)
            if not cert:
                return _Loaded(context, None)
            # A key that wants a password is refused: OpenSSL would ask for it at a terminal that nobody sees.
            context.load_cert_chain(cert, key or None, password="")
            return _Loaded(context, validity(Path(cert).read_text("ascii", "replace")))
        except (ValueError, OSError) as error:
            raise InputError(f"ca, cert or key cannot be used as PEM files: {error}") from error


def _mark(path: str) -> _Mark:
    """What changes when a file is written or replaced."""
    if not path:
        return None
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _time(left_s: float) -> str:
    return f"{left_s / _DAY_S:.0f} days" if left_s >= 2 * _DAY_S else f"{left_s / 3600:.1f} hours"
