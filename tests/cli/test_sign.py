"""Keys, signatures and the trust root: what is signed is taken, what is not, or was changed, is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from edgeinfer.cli.main import main
from edgeinfer.store import find_bundle
from tests.engine import tiny


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    def call(*words: object, code: int = 0) -> str:
        found = main([str(word) for word in words])
        out, err = capfd.readouterr()
        assert found == code, err
        assert "Traceback" not in err
        return out if code == 0 else err

    return call


@pytest.fixture
def key(run, tmp_path: Path) -> Path:
    run("key", "new", tmp_path / "keys" / "key.pem")
    return tmp_path / "keys" / "key.pem"


@pytest.fixture
def trust(key: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "trust"
    folder.mkdir()
    (folder / "ours.pem").write_bytes(key.with_name("key.pub.pem").read_bytes())
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny.colours(tmp_path / "colours")


def add(tmp_path: Path, trust: Path) -> tuple[object, ...]:
    return ("--trust", trust, "--state", tmp_path / "state")


def stored(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state").rglob("manifest.toml"))


def test_a_private_key_is_for_its_owner_only_and_never_overwritten(run, key) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert "a key is never overwritten" in run("key", "new", key, code=2)
    assert key.read_bytes() == before


def test_both_halves_show_the_same_fingerprint(run, key, trust) -> None:
    shown = [
        json.loads(run("key", "show", *what, "--json"))[0]["fingerprint"]
        for what in ((key,), (key.with_name("key.pub.pem"),), ("--trust", trust))
    ]
    assert len(set(shown)) == 1


def test_an_empty_trust_root_is_told(run, tmp_path) -> None:
    assert "this device takes unsigned bundles" in run("key", "show", "--trust", tmp_path)


@pytest.mark.parametrize("content", ["", "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told(run, tmp_path, content) -> None:
    (tmp_path / "k.pem").write_text(content)
    assert "expected an unencrypted PEM key" in run("key", "show", tmp_path / "k.pem", code=2)


def test_a_packed_and_signed_bundle_is_taken_where_a_trust_root_is(run, key, trust, bundle, tmp_path) -> None:
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "c.bundle")
    run("model", "add", tmp_path / "c.bundle", *add(tmp_path, trust))
    assert (find_bundle("colours", tmp_path / "state") / "manifest.toml.sig").exists()


def test_a_signed_folder_is_taken_as_well(run, key, trust, bundle, tmp_path) -> None:
    run("sign", bundle, "--key", key)
    run("model", "add", bundle, *add(tmp_path, trust))


def test_it_travels_over_plain_http(run, key, trust, bundle, tmp_path, web) -> None:
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "c.bundle")
    web.files["c.bundle"] = (tmp_path / "c.bundle").read_bytes()
    run("model", "add", web.url("c.bundle"), *add(tmp_path, trust))


def test_unsigned_is_refused(run, trust, bundle, tmp_path) -> None:
    run("model", "pack", bundle, "-o", tmp_path / "c.bundle")
    for what in (tmp_path / "c.bundle", bundle, bundle / "echo.tflite"):
        assert "is not signed, and this device takes only" in run(
            "model", "add", what, *add(tmp_path, trust), code=2
        )
    assert stored(tmp_path) == []


def test_another_key_is_refused(run, trust, bundle, tmp_path) -> None:
    run("key", "new", tmp_path / "other.pem")
    run("model", "pack", bundle, "--key", tmp_path / "other.pem", "-o", tmp_path / "c.bundle")
    err = run("model", "add", tmp_path / "c.bundle", *add(tmp_path, trust), code=2)
    assert "was changed after signing, or signed by somebody else" in err
    assert stored(tmp_path) == []


def test_one_of_several_keys_is_enough(run, key, trust, bundle, tmp_path) -> None:
    run("key", "new", tmp_path / "other.pem")
    (trust / "a.pem").write_bytes((tmp_path / "other.pub.pem").read_bytes())
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "c.bundle")
    run("model", "add", tmp_path / "c.bundle", *add(tmp_path, trust))


@pytest.mark.parametrize("name", ["manifest.toml", "labels.txt", "echo.tflite", "manifest.toml.sig"])
def test_a_tampered_file_is_refused_whichever_it_is(run, key, trust, bundle, tmp_path, name) -> None:
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "c.bundle")
    with zipfile.ZipFile(tmp_path / "c.bundle") as old, zipfile.ZipFile(tmp_path / "t.bundle", "w") as new:
        for entry in old.namelist():
            content = bytearray(old.read(entry))
            if entry == name:
                content[-1] ^= 1
            new.writestr(entry, bytes(content))
    assert "t.bundle" in run("model", "add", tmp_path / "t.bundle", *add(tmp_path, trust), code=2)
    assert stored(tmp_path) == []


def test_a_file_that_no_manifest_lists_is_refused(run, key, trust, bundle, tmp_path) -> None:
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "c.bundle")
    with zipfile.ZipFile(tmp_path / "c.bundle", "a") as archive:
        archive.writestr("more.so", b"\x7fELF")
    err = run("model", "add", tmp_path / "c.bundle", *add(tmp_path, trust), code=2)
    assert "more.so: manifest.toml does not list it, so nobody vouches for it" in err
    assert stored(tmp_path) == []


def test_a_file_that_is_no_key_in_the_trust_root_lets_nothing_in(run, trust, bundle, key, tmp_path) -> None:
    (trust / "ours.pem").write_text("oops")
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "c.bundle")
    err = run("model", "add", tmp_path / "c.bundle", *add(tmp_path, trust), code=2)
    assert "ours.pem: expected a PEM public key" in err
    assert stored(tmp_path) == []


def test_signing_later_gives_the_same_as_packing_with_the_key(run, key, bundle, tmp_path) -> None:
    run("model", "pack", bundle, "--key", key, "-o", tmp_path / "a")
    run("model", "pack", bundle, "-o", tmp_path / "b")
    assert "inside, over manifest.toml" in run("sign", tmp_path / "b", "--key", key)
    with zipfile.ZipFile(tmp_path / "a") as a, zipfile.ZipFile(tmp_path / "b") as b:
        assert {n: a.read(n) for n in a.namelist()} == {n: b.read(n) for n in b.namelist()}


def test_any_other_file_is_signed_beside_it(run, key, tmp_path) -> None:
    from firmware_bridge.flash.signing import verify

    (tmp_path / "notes.txt").write_text("hello")
    run("sign", tmp_path / "notes.txt", "--key", key)
    signature = (tmp_path / "notes.txt.sig").read_bytes()
    verify(b"hello", signature, key.with_name("key.pub.pem"), "notes.txt")


def test_a_firmware_package_is_signed_inside(run, key, tmp_path) -> None:
    from firmware_bridge.flash.package import load

    (tmp_path / "m.bin").write_bytes(bytes(512))
    run(
        *("firmware", "pack", tmp_path / "m.bin", "--board", "uno", "--name", "m", "--version", "1.0.0"),
        *("--offset", "0", "-o", tmp_path / "m.efw"),
    )
    run("sign", tmp_path / "m.efw", "--key", key)
    assert load(tmp_path / "m.efw", key.with_name("key.pub.pem")).signature


def test_a_key_that_is_not_there_is_told(run, bundle, tmp_path) -> None:
    err = run("sign", bundle, "--key", tmp_path / "none.pem", code=2)
    assert "make a key: edgeinfer key new" in err
    assert "there is no such file" in run("sign", tmp_path / "none", code=2)
