"""A file out of an archive: out of zips, tarballs and zips in wheels, within bounds, and nothing beside it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from edgeinfer.errors import BundleError
from edgeinfer.store import archive
from edgeinfer.store.archive import take

MODEL = bytes(range(256)) * 40


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(content), kind, "/etc/passwd"
            made.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("make", [zipped, tarred])
def test_the_named_file_comes_out_and_nothing_else(tmp_path, make) -> None:
    source = make(tmp_path / "a", {"first": b"1", "package/m.tflite": MODEL, "../out.txt": b"2"})
    (tmp_path / "into").mkdir()
    take(source, ["package/m.tflite"], tmp_path / "into" / "m.tflite")
    assert (tmp_path / "into" / "m.tflite").read_bytes() == MODEL
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "into", "m.tflite"]


def test_an_archive_in_an_archive_is_gone_through(tmp_path) -> None:
    inner = zipped(tmp_path / "inner", {"m.tflite": MODEL}).read_bytes()
    source = tarred(tmp_path / "a", {"x/inner.zip": inner})
    (tmp_path / "into").mkdir()
    take(source, ["x/inner.zip", "m.tflite"], tmp_path / "into" / "m.tflite")
    assert [p.name for p in (tmp_path / "into").iterdir()] == ["m.tflite"]
    assert (tmp_path / "into" / "m.tflite").read_bytes() == MODEL


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_file_that_is_not_there_is_told(tmp_path, make) -> None:
    with pytest.raises(BundleError, match=r"has no file 'n\.tflite'"):
        take(make(tmp_path / "a", {"m.tflite": MODEL}), ["n.tflite"], tmp_path / "m")


def test_a_link_in_a_tarball_is_no_file(tmp_path) -> None:
    source = tarred(tmp_path / "a", {"m.tflite": b""}, tarfile.SYMTYPE)
    with pytest.raises(BundleError, match="has no file"):
        take(source, ["m.tflite"], tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00 and then nothing"])
def test_what_is_no_archive_is_told(tmp_path, content) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(BundleError, match=r"expected a \.zip, \.whl or \.tar\.gz that is whole|has no file"):
        take(tmp_path / "a", ["m"], tmp_path / "m")


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_cut_one_is_told(tmp_path, make) -> None:
    whole = make(tmp_path / "a", {"m.tflite": MODEL * 50}).read_bytes()
    (tmp_path / "a").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match=r"that is whole, found"):
        take(tmp_path / "a", ["m.tflite"], tmp_path / "m")


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_is_given_up_in_time(tmp_path, make, monkeypatch) -> None:
    monkeypatch.setattr(archive, "FILE_MAX", 3 << 20)
    source = make(tmp_path / "a", {"m.tflite": bytes(8 << 20)})
    assert source.stat().st_size < 100_000
    with pytest.raises(BundleError, match=r"m\.tflite: unpacks to over 3 MB"):
        take(source, ["m.tflite"], tmp_path / "m")


def test_a_tarball_of_much_before_the_file_is_given_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(archive, "STREAM_MAX", 1 << 20)
    source = tarred(tmp_path / "a", {"much": bytes(8 << 20), "m.tflite": MODEL})
    with pytest.raises(BundleError, match="unpacks to over"):
        take(source, ["m.tflite"], tmp_path / "m")
