"""One file out of a .zip, .whl, .tar.gz or .tgz, also out of one in another; writes nothing but what it is asked for.

No name from an archive becomes a path, and nothing is unpacked beyond a bound, whatever an archive says of itself.
"""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from edgeinfer.errors import BundleError

_CHUNK = 1 << 20
FILE_MAX = 512 << 20
"""Bytes of the file that is taken; no model for an edge board is as large."""
STREAM_MAX = 4 << 30
"""Bytes that a .tar.gz may unpack to before the file comes: it can only be read from its beginning."""


def take(archive: Path, members: Sequence[str], target: Path) -> None:
    """Writes the file `members[-1]` to `target`; the members before it are archives in one another.

    Raises:
        BundleError: no archive, a damaged one, no such file in it, or one that unpacks to too much.
    """
    inner = target.with_name(f".{target.name}.archive")
    source = archive
    try:
        for member in members[:-1]:
            fresh = inner.with_name(f"{inner.name}.new")
            _take(source, member, fresh, archive)
            source = fresh.replace(inner)
        _take(source, members[-1], target, archive)
    finally:
        inner.unlink(missing_ok=True)


def _take(source: Path, member: str, target: Path, outer: Path) -> None:
    try:
        with _member(source, member) as file, target.open("wb") as out:
            _copy(file, out, f"{outer}: {member}")
    except KeyError:
        raise BundleError(f"{outer}: has no file {member!r}; is it another version?") from None
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise BundleError(
            f"{outer}: expected a .zip, .whl or .tar.gz that is whole, found: {error}"
        ) from error
    except (NotImplementedError, RuntimeError) as error:  # encrypted, or packed in an odd way
        raise BundleError(f"{outer}: {member}: cannot be unpacked: {error}") from error


@contextmanager
def _member(source: Path, member: str) -> Iterator[IO[bytes]]:
    """Raises KeyError where there is none of that name, or it is no plain file."""
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive, archive.open(member) as file:
            yield file
        return
    with gzip.open(source) as stream, tarfile.open(fileobj=_bounded(stream), mode="r|") as tar:
        for entry in tar:
            if entry.name == member and entry.isfile() and (found := tar.extractfile(entry)):
                yield found
                return
    raise KeyError(member)


def _copy(file: IO[bytes], out: IO[bytes], what: str) -> None:
    left = FILE_MAX
    while chunk := file.read(_CHUNK):
        left -= len(chunk)
        if left < 0:
            raise BundleError(f"{what}: unpacks to over {FILE_MAX >> 20} MB, which is not taken")
        out.write(chunk)


def _bounded(stream: gzip.GzipFile) -> IO[bytes]:
    """A stream for tarfile, which asks it for nothing but `read`."""
    return cast("IO[bytes]", _Bounded(stream))


class _Bounded:
    """A stream that may not go on for ever."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream, self._left = stream, STREAM_MAX

    def read(self, size: int) -> bytes:
        found = self._stream.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise BundleError(f"it unpacks to over {STREAM_MAX >> 30} GB, which is not taken")
        return found
