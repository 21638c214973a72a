"""Where bundles live, and which folder a name in a config means; reads nothing of what is inside."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.errors import BundleError, nearest

MANIFEST = "manifest.toml"


def _stores(state: Path | None) -> list[Path]:
    """What the device was given comes first, then what the package brings, then a checkout."""
    package = Path(__file__).resolve().parents[1]
    stores = [state / "models"] if state else []
    stores.append(package / "models")
    if (package.parent / "pyproject.toml").exists():
        stores.append(package.parent / "models")
    return stores


def bundle_names(state: Path | None = None) -> list[str]:
    """All names that `find_bundle` finds in the stores, sorted."""
    return sorted({m.parent.name for store in _stores(state) for m in store.glob(f"*/{MANIFEST}")})


def find_bundle(name: str, state: Path | None = None, base: Path | None = None) -> Path:
    """The folder of a bundle.

    Args:
        name: a name in the store ("person"), or a path (anything with a slash in it, or ".").
        state: the daemon's state folder, whose `models/` comes before all others.
        base: what a relative path starts from (the config's folder); default the working folder.

    Raises:
        BundleError: there is none; says where it was looked for and the nearest name.
    """
    if "/" in name or name in {"", ".", ".."}:
        return _at_path((base or Path()) / Path(name).expanduser())
    for store in _stores(state):
        if (store / name / MANIFEST).is_file():
            return store / name
    if ((base or Path()) / name / MANIFEST).is_file():
        return (base or Path()) / name
    known = bundle_names(state)
    raise BundleError(
        f"no bundle {name!r}{nearest(name, known)} (in the store: {', '.join(known) or 'none'}; looked in "
        f"{', '.join(map(str, _stores(state)))}). A path is written with a slash: ./{name}"
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
