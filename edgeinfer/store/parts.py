"""Where a download lies while it comes, `.incoming/*.part`: held by one process, kept for a while for who goes on with it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from edgeinfer.store.draft import spoken

_INCOMING = ".incoming"
KEPT_S = 7 * 24 * 3600.0
"""How long an unfinished download waits; later its server has likely another file, and the disk something better to do."""
KEPT_BYTES = 1 << 30
"""How much all unfinished downloads may hold; the oldest go first. The one that is asked for now is not among them."""


@contextmanager
def part_of(root: Path, url: str, now_s: float) -> Iterator[Path]:
    """The file that `url` is downloaded to, in the store `root`; nobody else has it meanwhile. What is old by
    `now_s` (unix seconds) is swept first.

    Whoever takes the file away at the end leaves nothing behind.

    Raises:
        StateError: the store cannot be written to.
        EdgeinferError: there is no room.
    """
    with spoken(root):
        incoming = root / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        part = incoming / f"{sha256(url.encode()).hexdigest()[:32]}.part"
        with _held(part) as lock:
            _sweep(incoming, part, now_s)
            yield part
            if not part.exists():
                _beside(part, "of").unlink(missing_ok=True)
                lock.unlink(missing_ok=True)


@contextmanager
def _held(part: Path) -> Iterator[Path]:
    """The part's lock, waited for; a lock file that was swept while we waited is nobody's."""
    path = _beside(part, "lock")
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file.fileno(), path):
                yield path
                return


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sweep(incoming: Path, mine: Path, now_s: float) -> None:
    """Unfinished downloads that are too old or too much, newest first; one that somebody fetches right now stays."""
    found = {incoming / f"{path.name.partition('.part')[0]}.part" for path in incoming.glob("*.part*")} - {
        mine
    }
    aged = sorted(((_changed_s(part), part) for part in found), reverse=True)
    held = 0
    for changed_s, part in aged:
        held += part.stat().st_size if part.exists() else 0
        if now_s - changed_s > KEPT_S or held > KEPT_BYTES:
            _remove(part)


def _changed_s(part: Path) -> float:
    return max((p.stat().st_mtime for p in _files(part) if p.exists()), default=0.0)


def _remove(part: Path) -> None:
    """Unless it is held."""
    lock = _beside(part, "lock")
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        for path in _files(part):
            path.unlink(missing_ok=True)


def _files(part: Path) -> tuple[Path, Path, Path]:
    return part, _beside(part, "of"), _beside(part, "lock")


def _beside(part: Path, kind: str) -> Path:
    return part.with_name(f"{part.name}.{kind}")
