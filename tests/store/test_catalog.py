"""The catalogue: ours is right to the byte, and a wrong one is told with its key."""

from __future__ import annotations

import pytest

from edgeinfer.errors import InputError
from edgeinfer.store.bundle import file_sha256
from edgeinfer.store.catalog import default_catalog, read_catalog


def test_every_local_entry_of_ours_has_the_hash_of_its_manifest() -> None:
    path = default_catalog()
    for name, entry in read_catalog(path).items():
        assert not entry.remote
        assert file_sha256(path.parent / entry.url / "manifest.toml") == entry.sha256, name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format = 2\n[model]\n", "format: expected 1"),
        ("format = 1\n[model.a]\nurl = 'x'\n", "sha256"),
        ("format = 1\n[model.a]\nurl='x'\nsha256='12'\nsummary=''\nlicence=''\n", "sha256"),
        ("format =", "catalog.toml"),
    ],
)
def test_a_wrong_catalogue_is_told(tmp_path, text, told) -> None:
    (tmp_path / "catalog.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_catalog(tmp_path / "catalog.toml")
    assert told in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_catalog(tmp_path / "none.toml")
