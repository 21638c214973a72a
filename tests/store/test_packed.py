"""Packed bundles: the same bytes each time, and nothing that leaves the folder comes out of one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgeinfer.errors import BundleError
from edgeinfer.store import open_bundle
from edgeinfer.store.packed import SIGNATURE, is_packed, pack, resign, unpack
from tests.engine import tiny


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    pack(open_bundle(tiny.colours(tmp_path / "colours")), tmp_path / "p.bundle")
    return tmp_path / "p.bundle"


def test_what_was_packed_comes_out_with_the_same_identity(packed: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    unpack(packed, tmp_path / "out")
    assert open_bundle(tmp_path / "out").identity == open_bundle(tmp_path / "colours").identity


def test_the_same_bundle_gives_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    pack(open_bundle(tmp_path / "colours"), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == packed.read_bytes()


def test_a_signature_is_put_in_and_replaced(packed: Path, tmp_path: Path) -> None:
    for made in (b"a" * 64, b"b" * 64):
        resign(packed, tmp_path / "new", "manifest.toml", made)
        (tmp_path / "new").replace(packed)
    with zipfile.ZipFile(packed) as archive:
        assert archive.read(SIGNATURE) == b"b" * 64
        assert len(archive.namelist()) == len(set(archive.namelist()))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "folder/"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "p", "w") as archive:
        archive.writestr("manifest.toml", "")
        archive.writestr(name, "")
    (tmp_path / "out").mkdir()
    with pytest.raises(BundleError, match="no packed bundle has"):
        unpack(tmp_path / "p", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_damaged_file_is_refused(packed: Path, tmp_path: Path) -> None:
    data = bytearray(packed.read_bytes())
    at = data.index(b"red\ngreen")
    data[at] ^= 1
    packed.write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(BundleError, match="copy it again"):
        unpack(packed, tmp_path / "out")


def test_a_model_with_a_zip_at_its_end_is_no_packed_bundle(tmp_path: Path) -> None:
    path = tiny.softmax().save(tmp_path / "m.tflite")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("manifest.toml", "")
    assert not is_packed(path)
