"""With a key in the trust root a bundle runs only while it is what that key signed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edgeinfer.app.trust import Trust
from edgeinfer.cli.main import main
from edgeinfer.errors import InferenceLost
from edgeinfer.store import Bundle, find_bundle, open_bundle
from edgeinfer.store.packed import SIGNATURE
from tests.engine import tiny


@pytest.fixture
def key(tmp_path: Path) -> Path:
    assert main(["key", "new", str(tmp_path / "key.pem")]) == 0
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "ours.pem").write_bytes((tmp_path / "key.pub.pem").read_bytes())
    return tmp_path / "key.pem"


@pytest.fixture
def trust(key: Path, tmp_path: Path) -> Trust:
    return Trust(tmp_path / "trust")


def version(store: Path, number: str, key: Path | None) -> Bundle:
    """A version of the bundle in a store's folder, the one that is used now."""
    folder = tiny.colours(store / "colours" / "draft", ('version = "1"', f'version = "{number}"'))
    if key:
        assert main(["sign", str(folder), "--key", str(key)]) == 0
    digest = open_bundle(folder).identity.rpartition(":")[2]
    placed = open_bundle(folder.rename(store / "colours" / digest))
    index = store / "colours" / "index.json"
    used = msgspec.json.decode(index.read_bytes())["used"] if index.exists() else []
    index.write_bytes(msgspec.json.encode({"versions": [], "used": [*used, digest]}))
    return placed


def tamper(bundle: Bundle, name: str = "colours") -> Bundle:
    """As somebody does who knows how bundles are made: another label, and its hash in the manifest."""
    (bundle.folder / "manifest.toml").unlink()
    signature = bundle.folder / SIGNATURE
    kept = signature.read_bytes()
    signature.unlink()
    (bundle.folder / "labels.txt").write_text("green\nred\nblue\n")
    version = ('version = "1"', f'version = "{bundle.manifest.version}"')
    tiny.seal(bundle.folder, version, ('name = "colours"', f'name = "{name}"'))
    signature.write_bytes(kept)
    return open_bundle(bundle.folder)


def test_what_the_key_signed_runs(trust, key, tmp_path) -> None:
    bundle = version(tmp_path / "models", "1", key)
    assert trust.allowed(bundle) == (bundle, "")


def test_without_a_key_everything_runs(tmp_path) -> None:
    bundle = version(tmp_path / "models", "1", None)
    assert Trust(tmp_path / "nothing").allowed(bundle) == (bundle, "")


def test_what_is_not_signed_does_not_run(trust, tmp_path) -> None:
    with pytest.raises(
        InferenceLost, match=r"colours@sha256:\w+ is not run: .*manifest\.toml: is not signed"
    ):
        trust.allowed(version(tmp_path / "models", "1", None))


def test_what_was_changed_in_the_store_does_not_run(trust, key, tmp_path) -> None:
    bundle = tamper(version(tmp_path / "models", "1", key))
    with pytest.raises(InferenceLost, match="was changed after signing, or signed by somebody else"):
        trust.allowed(bundle)


def test_what_was_changed_while_the_daemon_runs_does_not_run_either(trust, key, tmp_path) -> None:
    bundle = version(tmp_path / "models", "1", key)
    (bundle.folder / "labels.txt").write_text("green\nred\nblue\n")
    with pytest.raises(
        InferenceLost, match=r"labels\.txt: is not the file that manifest\.toml was written for"
    ):
        trust.allowed(bundle)


def test_the_last_version_that_is_signed_takes_its_place(trust, key, tmp_path) -> None:
    good = version(tmp_path / "models", "1", key)
    tamper(version(tmp_path / "models", "2", key))
    bad = tamper(version(tmp_path / "models", "3", key))
    found, said = trust.allowed(bad)
    assert found == good
    assert said.endswith(f"the version before it, {good.identity}, is used")


def test_a_key_that_is_put_there_later_counts_at_once(tmp_path) -> None:
    (tmp_path / "trust").mkdir()
    trust, bundle = Trust(tmp_path / "trust"), version(tmp_path / "models", "1", None)
    assert trust.allowed(bundle)[1] == ""
    (tmp_path / "trust" / "broken.pem").write_text("no key")
    with pytest.raises(InferenceLost, match="is not signed"):
        trust.allowed(bundle)


def test_a_file_that_is_no_key_lets_nothing_run(trust, key, tmp_path) -> None:
    (tmp_path / "trust" / "ours.pem").write_text("no key")
    with pytest.raises(InferenceLost, match="expected a PEM public key"):
        trust.allowed(version(tmp_path / "models", "1", key))


def test_what_comes_with_the_package_is_trusted_as_the_package_is(trust) -> None:
    parts = open_bundle(find_bundle("parts"))
    assert trust.allowed(parts) == (parts, "")
