"""Where bundles live, and which folder a name in a config means; reads nothing of what is inside."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.errors import BundleError, nearest
from edgeinfer.store.index import INDEX, read_index

MANIFEST = "manifest.toml"
SYSTEM = Path("/var/lib/edgeinfer/models")
"""The store of the device: `models/` in the StateDirectory of the systemd unit."""


def user_store() -> Path:
    """The store of somebody who may not write to the system's."""
    return Path("~/.local/share/edgeinfer/models").expanduser()


def stores(state: Path | None = None) -> list[Path]:
    """What the device was given comes first, then what the package brings, then a checkout."""
    found = [state / "models"] if state else []
    return list(dict.fromkeys([*found, SYSTEM, user_store(), *shipped()]))


def shipped() -> list[Path]:
    """The stores that nobody writes to: the package's, and a checkout's."""
    package = Path(__file__).resolve().parents[1]
    checkout = [package.parent / "models"] if (package.parent / "pyproject.toml").exists() else []
    return [package / "models", *checkout]


def bundle_names(state: Path | None = None) -> list[str]:
    """All names that `find_bundle` finds in the stores, sorted."""
    return sorted({p.parent.name for store in stores(state) for p in _entries(store) if _current(p.parent)})


def _entries(store: Path) -> list[Path]:
    return [*store.glob(f"*/{MANIFEST}"), *store.glob(f"*/{INDEX}")]


def _current(folder: Path, version: str = "") -> Path | None:
    """The folder of the bundle under a name of a store: the version that is used, or the folder itself."""
    if (folder / MANIFEST).is_file():
        return None if version else folder
    index = read_index(folder)
    digest = index.find(folder.name, version).digest if version and index.versions else index.current
    return folder / digest if digest else None


def find_bundle(name: str, state: Path | None = None, base: Path | None = None) -> Path:
    """The folder of a bundle.

    Args:
        name: a name in the store ("person": the version that is used; "person@2": that version), or a path
            (anything with a slash in it, or ".").
        state: the daemon's state folder, whose `models/` comes before all others.
        base: what a relative path starts from (the config's folder); default the working folder.

    Raises:
        BundleError: there is none; says where it was looked for and the nearest name.
    """
    if "/" in name or name in {"", ".", ".."}:
        return _at_path((base or Path()) / Path(name).expanduser())
    plain, _, version = name.partition("@")
    for store in stores(state):
        found = _current(store / plain, version)
        if found is not None:
            return found
    if ((base or Path()) / name / MANIFEST).is_file():
        return (base or Path()) / name
    known = bundle_names(state)
    raise BundleError(
        f"no bundle {name!r}{nearest(name, known)} (in the store: {', '.join(known) or 'none'}; looked in "
        f"{', '.join(map(str, stores(state)))}). A path is written with a slash: ./{name}"
    )


def _at_path(folder: Path) -> Path:
    if folder.name == MANIFEST:
        folder = folder.parent
    if not folder.is_dir():
        raise BundleError(f"{folder}: there is no such folder; expected a bundle with a {MANIFEST} in it")
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"{folder}: is no bundle, it has no {MANIFEST} in it (docs/bundles.md tells how to write one)"
        )
    return folder
