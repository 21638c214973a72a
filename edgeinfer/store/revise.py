"""A bundle once more with one thing added: its files copied, its manifest's text changed where it must be."""

from __future__ import annotations

import re
import shutil
from hashlib import sha256
from pathlib import Path

import msgspec

from edgeinfer.distributions import Reference
from edgeinfer.errors import BundleError
from edgeinfer.store.bundle import Bundle
from edgeinfer.store.compose import value
from edgeinfer.store.find import MANIFEST

REFERENCE = "reference.json"


def with_reference(bundle: Bundle, reference: Reference, version: str, folder: Path) -> None:
    """Writes `bundle` with `reference` as `version` into the empty `folder`. What its maker wrote in the manifest,
    comments with it, stays; a signature does not, for it was given to another manifest.

    Raises:
        BundleError: the manifest is written in a way that cannot be changed by line.
        OSError: there is no room.
    """
    name = bundle.manifest.reference or REFERENCE
    for listed in bundle.manifest.files:
        (folder / listed).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle.path(listed), folder / listed)
    content = msgspec.json.format(msgspec.json.encode(reference, order="sorted")) + b"\n"
    (folder / name).write_bytes(content)
    text = (bundle.folder / MANIFEST).read_text(encoding="utf-8")
    fresh = _revised(text, name, sha256(content).hexdigest(), version)
    if fresh is None:
        raise BundleError(
            f'{bundle.folder / MANIFEST}: expected `version = "…"` and `[files]` each on a line of its own, to write the '
            "reference there"
        )
    (folder / MANIFEST).write_text(fresh, encoding="utf-8")


def _revised(text: str, name: str, digest: str, version: str) -> str | None:
    """The manifest with version, reference and sum; None where there is no line for them."""
    lines = [
        line for line in text.splitlines() if not re.match(rf'\s*(reference|"?{re.escape(name)}"?)\s*=', line)
    ]
    at_version = [n for n, line in enumerate(lines) if re.match(r"version\s*=", line)]
    at_files = [n for n, line in enumerate(lines) if re.fullmatch(r"\[files\]\s*(#.*)?", line)]
    if not at_version or not at_files:
        return None
    lines[at_files[0]] += f"\n{value(name)} = {value(digest)}"
    lines[at_version[0]] = f"version = {value(version)}\nreference = {value(name)}"
    return "\n".join(lines) + "\n"
