"""What a camera's `from` names: a device, a stream, a video file, or pictures; it opens none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgeinfer.errors import InputError, nearest
from edgeinfer.sources.credentials import holds_secret, redact

SCHEMES = ("rtsp", "rtsps", "http", "https")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class Device:
    """A Video4Linux device."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class Stream:
    """RTSP, or MJPEG over HTTP; `url` holds neither user nor password."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Video:
    """A video file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Pictures:
    """A folder of pictures, in the order of their names, or one picture."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def paths(self) -> list[Path]:
        """Raises InputError when there is none."""
        if self.path.is_file():
            return [self.path]
        found = sorted(p for p in self.path.iterdir() if p.suffix.lower() in SUFFIXES)
        if not found:
            raise InputError(
                f"from: expected pictures ({', '.join(SUFFIXES)}) in the folder {self.path}, found none"
            )
        return found


Origin = Device | Stream | Video | Pictures


def origin(named: int | str) -> Origin:
    """Tells by the name alone, and for files by a look at the disk.

    Raises:
        InputError: it can be none of the four.
    """
    if isinstance(named, int):
        if named < 0:
            raise InputError(f"from: expected a device number from 0 up, found {named}")
        return Device(f"/dev/video{named}")
    if "://" in named:
        return _stream(named)
    if named.startswith("/dev/"):
        return Device(named)
    return _on_disk(named)


def _stream(url: str) -> Stream:
    if holds_secret(url):
        raise InputError(
            f"from: {redact(url)} holds a user or password; write user:password into a file that only the daemon "
            "may read, and name it with credentials_file (in the URL, {user} and {password} stand for them)"
        )
    scheme = url.split("://", 1)[0]
    if scheme not in SCHEMES:
        known = ", ".join(f"{s}://" for s in SCHEMES)
        raise InputError(f"from: expected a URL with {known}; found {scheme}://{nearest(scheme, SCHEMES)}")
    if not _has_address(url):
        raise InputError(f"from: expected {scheme}://host/path or {scheme}://host:port/path, found {url!r}")
    return Stream(url)


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, or none that there is
        return False


def _on_disk(named: str) -> Origin:
    path = Path(named)
    if path.is_dir():
        pictures = Pictures(path)
        pictures.paths()
        return pictures
    if not path.is_file():
        raise InputError(f"from: there is no file or folder {named!r}{_hint(path)}")
    return Pictures(path) if path.suffix.lower() in SUFFIXES else Video(path)


def _hint(path: Path) -> str:
    if path.name.isdigit():
        return f"; a device number is written without quotes: from = {path.name}"
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    return nearest(path.name, siblings)
