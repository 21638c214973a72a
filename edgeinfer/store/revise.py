"""The next version of a bundle: the same manifest with one more file in it, and another number."""

from __future__ import annotations

import json
import re
from pathlib import Path

from edgeinfer.errors import BundleError
from edgeinfer.store.bundle import file_sha256
from edgeinfer.store.find import MANIFEST

_VERSION = re.compile(r"^version\s*=.*$", re.MULTILINE)
_FILES = re.compile(r"^\[files\][^\n]*\n", re.MULTILINE)


def revise(folder: Path, name: str, version: str) -> None:
    """Lists `folder/name`, which is new or another one now, and sets the number. What the user wrote otherwise stays.

    Raises:
        BundleError: the manifest is not written as we can change it.
    """
    path = folder / MANIFEST
    text = path.read_text(encoding="utf-8")
    line = f"{json.dumps(name)} = {json.dumps(file_sha256(folder / name))}\n"
    text = re.sub(rf'^"?{re.escape(name)}"?\s*=.*\n', "", text, flags=re.MULTILINE)
    text, numbered = _VERSION.subn(f"version = {json.dumps(version)}", text, count=1)
    text, listed = _FILES.subn(lambda found: found.group() + line, text, count=1)
    if not (numbered and listed):
        raise BundleError(
            f"{path}: expected a line `version = …` and a table [files], each on a line of its own"
        )
    path.write_text(text, encoding="utf-8")
