"""A folder in the store in which a bundle is put together unseen; kill -9 leaves nothing but what the next one sweeps."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from edgeinfer.errors import EdgeinferError, StateError

_INCOMING, _LOCK = ".incoming", ".lock"


@contextmanager
def draft(root: Path) -> Iterator[Path]:
    """An empty folder on the store's own file system, gone at the end unless it was moved away.

    Raises:
        StateError: the store cannot be written to.
        EdgeinferError: there is no room.
    """
    with spoken(root), ExitStack() as exits:
        with locked(root):
            incoming = root / _INCOMING
            incoming.mkdir(exist_ok=True)
            _sweep(incoming)
            folder = Path(tempfile.mkdtemp(dir=incoming))
            exits.callback(shutil.rmtree, folder, ignore_errors=True)
            mine = exits.enter_context(_beside(folder).open("w"))
            exits.callback(_beside(folder).unlink, missing_ok=True)
            fcntl.flock(mine, fcntl.LOCK_EX)
        yield folder


@contextmanager
def locked(root: Path, name: str = _LOCK) -> Iterator[None]:
    """One at a time holds the lock `name`; the kernel lets go of it when the process dies."""
    with spoken(root):
        root.mkdir(parents=True, exist_ok=True)
        with (root / name).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def spoken(root: Path) -> Iterator[None]:
    """Turns what the file system says into a sentence for the person who reads it."""
    try:
        yield
    except EdgeinferError:
        raise
    except PermissionError as error:
        text = "write access is refused: use sudo, or another store with --state"
        raise StateError(f"the store {root}: {text}") from error
    except OSError as error:
        text = f"{error.strerror or error}; the store is unchanged"
        raise EdgeinferError(f"the store {root}: {text}") from error


def write_through(path: Path, content: bytes) -> None:
    """Replaces `path` at once: a reader sees the old or the new, also after a power cut."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync(path.parent)


def sync_tree(folder: Path) -> None:
    """Everything in `folder` is on the disk after this."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _sweep(incoming: Path) -> None:
    """Removes what a killed process left: a draft whose lock nobody holds."""
    for folder in [p for p in incoming.iterdir() if p.is_dir()]:
        with _beside(folder).open("a") as file:
            if _free(file):
                shutil.rmtree(folder, ignore_errors=True)
                _beside(folder).unlink(missing_ok=True)


def _free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
