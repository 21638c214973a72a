"""The catalogue: ours is right to the byte, and a wrong one is told with its key."""

from __future__ import annotations

import pytest

from edgeinfer.errors import InputError
from edgeinfer.store.bundle import file_sha256
from edgeinfer.store.catalog import default_catalog, read_catalog


def test_every_local_entry_of_ours_has_the_hash_of_its_manifest() -> None:
    path = default_catalog()
    local = {name: entry for name, entry in read_catalog(path).items() if not entry.remote}
    assert set(local) == {"parts", "parts-small", "person", "vibration", "motion"}
    for name, entry in local.items():
        assert file_sha256(path.parent / entry.url / "manifest.toml") == entry.sha256, name


def test_every_public_entry_says_what_it_may_be_used_for_and_where_it_comes_from() -> None:
    for name, entry in read_catalog(default_catalog()).items():
        assert entry.licence != "unknown", name
        assert entry.provenance != "unknown", name
        assert entry.url.startswith("https://") or not entry.remote, name
        assert entry.member_sha256 or not entry.member or "Not fetched by us" in entry.provenance, name


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
