"""`index.json` of a name in the store: which versions there are and which one is used; writes nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from edgeinfer.errors import BundleError, nearest

INDEX = "index.json"
_DIGITS = 12  # of a manifest's sha256, as in a bundle's identity
_USED_MAX = 32  # how far back `rollback` can go


class Version(Struct, frozen=True):
    """One version of a name: `digest` (12 digits of its manifest's sha256) is also its folder."""

    digest: str
    version: str


class Index(Struct, frozen=True):
    """`used` is what was current, the newest last; only versions that are there stand in it."""

    versions: tuple[Version, ...] = ()
    used: tuple[str, ...] = ()

    @property
    def current(self) -> str | None:
        return self.used[-1] if self.used else None

    def find(self, name: str, wanted: str) -> Version:
        """The version that is called `wanted`, or whose digest begins so (6 digits or more).

        Raises:
            BundleError: none, or several; says which there are.
        """
        by_name = [v for v in self.versions if v.version == wanted]
        found = by_name or [v for v in self.versions if len(wanted) >= 6 and v.digest.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        there = ", ".join(f"{v.version} ({v.digest})" for v in self.versions)
        if found:
            raise BundleError(f"{name}: {wanted!r} is the name of several versions; name the digest: {there}")
        hint = nearest(wanted, [v.version for v in self.versions])
        raise BundleError(f"{name}: there is no version {wanted!r}{hint} (there are: {there or 'none'})")

    def with_version(self, version: Version) -> Index:
        return self if version in self.versions else Index((*self.versions, version), self.used)

    def using(self, digest: str) -> Index:
        if digest == self.current:
            return self
        return Index(self.versions, (*self.used, digest)[-_USED_MAX:])

    def rolled_back(self, name: str) -> Index:
        """What was used before is used again; raises BundleError where there was nothing before."""
        if len(self.used) < 2:
            raise BundleError(
                f"{name}: no version was used before this one, so there is nothing to go back to"
            )
        return Index(self.versions, self.used[:-1])

    def without(self, digest: str) -> Index:
        """Neighbours in `used` that become the same are one: a rollback must change something."""
        left = [d for d in self.used if d != digest]
        used = tuple(d for i, d in enumerate(left) if i == 0 or left[i - 1] != d)
        return Index(tuple(v for v in self.versions if v.digest != digest), used)


def short(identity_or_digest: str) -> str:
    """The 12 digits of a sha256 or of an identity (`name@sha256:0123456789ab`)."""
    return identity_or_digest.rpartition(":")[2][:_DIGITS]


def read_index(folder: Path) -> Index:
    """The index of the name whose folder this is; empty where there is none.

    Raises:
        BundleError: it is damaged.
    """
    path = folder / INDEX
    try:
        return msgspec.json.decode(path.read_bytes(), type=Index)
    except (FileNotFoundError, NotADirectoryError):
        return Index()
    except (OSError, msgspec.MsgspecError) as error:
        raise BundleError(f"{path}: is damaged ({error}): remove {folder} and add the model again") from error
