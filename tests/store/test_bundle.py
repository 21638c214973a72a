"""Bundles on disk."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.errors import BundleError
from edgeinfer.store import bundle_names, find_bundle, open_bundle
from edgeinfer.store.labels import parse_labels
from tests.engine import tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.colours(tmp_path / "colours")


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        open_bundle(folder)
    assert caught.value.exit_code == 2
    return str(caught.value)


# --- reading


def test_a_bundle_that_is_right_is_read_whole(folder: Path) -> None:
    bundle = open_bundle(folder)
    assert bundle.labels == ("red", "green", "blue")
    assert re.fullmatch(r"colours@sha256:[0-9a-f]{12}", bundle.identity)
    assert bundle.manifest.decoder.kind == "grid"
    assert "labels" not in bundle.manifest.decoder.options
    assert bundle.model(["cpu"], 2, isolate=True).threads == 2


def test_the_identity_follows_every_byte_of_the_manifest(folder: Path) -> None:
    before = open_bundle(folder).identity
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text() + "\n")
    assert open_bundle(folder).identity != before


def test_arrays_are_read_by_the_option_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "anchors.npy", np.ones((3, 4), np.float32))
    bundle = open_bundle(tiny.colours(tmp_path / "b", ('cells = "box"', 'anchors = "anchors.npy"')))
    assert bundle.arrays["anchors"].shape == (3, 4)


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "a.npy", np.array([{}], object), allow_pickle=True)
    assert "a.npy: is no array that numpy can read" in refusal(
        tiny.colours(tmp_path / "b", ('cells = "box"', 'anchors = "a.npy"'))
    )


def test_a_backend_without_a_file_is_refused_with_those_that_have_one(folder: Path) -> None:
    with pytest.raises(BundleError, match="no file for the backend 'edgetpu', only for: cpu"):
        open_bundle(folder).model(["edgetpu"])


# --- hashes


@pytest.mark.parametrize("name", ["echo.tflite", "labels.txt", "golden.png", "golden.json"])
def test_a_changed_file_is_refused_with_both_hashes(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    text = refusal(folder)
    assert f"{folder / name}: is not the file" in text
    assert re.search(r"sha256 expected [0-9a-f]{64}, found [0-9a-f]{64}", text)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "echo.tflite").unlink()
    assert "echo.tflite: is listed in manifest.toml and cannot be read" in refusal(folder)


def test_all_changed_files_are_told_at_once(folder: Path) -> None:
    (folder / "labels.txt").write_text("")
    (folder / "golden.json").write_text("")
    assert len(refusal(folder).splitlines()) == 2


# --- the manifest


def test_an_unknown_key_is_refused_with_line_and_nearest_name(tmp_path: Path) -> None:
    text = refusal(tiny.colours(tmp_path / "b", ("colour =", "color =")))
    assert "manifest.toml:14 input.color: unknown key; did you mean 'colour'?" in text


def test_all_problems_of_a_manifest_are_told_at_once(tmp_path: Path) -> None:
    edits = (("std = 255", "std = 'x'"), ('fit = "stretch"', 'fit = "stretched"'), ('version = "1"\n', ""))
    text = refusal(tiny.colours(tmp_path / "b", *edits))
    assert "input.std: expected" in text
    assert "input.fit: expected" in text
    assert "'version' is missing" in text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "format: expected 1, found 2"),
        ('"colours"', '"Colours!"', "name: expected text that matches"),
        ("std = 255", "std = 0", "input.std: expected numbers above 0"),
        ("mean = 0", "mean = [1, 2]", "input.mean: expected one number or 3"),
        ('kind = "grid"\n', "", "decoder.kind: expected text, found nothing"),
        ('labels = "labels.txt"\n', "", "decoder.labels: expected text, found nothing"),
        ('"labels.txt"', '"lables.txt"', "'lables.txt' is not listed in [files]; did you mean 'labels.txt'?"),
        ('cpu = "echo.tflite"', "", "variants: is empty"),
        ("[[golden]]\ninput", "[[golden]]\ninputs", "unknown key; did you mean 'input'?"),
        ("format = 1", "format = ", "is no valid TOML"),
        ("[variants]", '[files]\n"../x" = "0"\n[variants]', "leaves the bundle"),
        ("[variants]", '[files]\n"x" = "0"\n[variants]', "expected a sha256 of 64 hex digits"),
    ],
)
def test_each_mistake_in_a_manifest_has_its_message(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert told in refusal(tiny.colours(tmp_path / "b", (old, new)))


def test_a_manifest_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "manifest.toml").write_bytes(b"\xff\xfe\x00")
    assert "is no text" in refusal(folder)


def test_an_empty_labels_file_is_refused(folder: Path) -> None:
    (folder / "labels.txt").write_text("\n\n")
    assert "labels.txt: holds no label" in refusal(tiny.seal(folder))


# --- finding


def test_a_bundle_in_the_state_folder_comes_first(tmp_path: Path) -> None:
    made = tiny.colours(tmp_path / "models" / "person")
    assert find_bundle("person", tmp_path) == made
    assert find_bundle("person") != made


def test_a_path_is_relative_to_the_config(tmp_path: Path, folder: Path) -> None:
    assert find_bundle("./colours", base=tmp_path) == folder
    assert find_bundle(str(folder / "manifest.toml")) == folder


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    tiny.colours(tmp_path / "models" / "colours")
    with pytest.raises(BundleError, match="no bundle 'colors'; did you mean 'colours'?"):
        find_bundle("colors", tmp_path)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle, it has no manifest"):
        find_bundle(str(tmp_path))
    with pytest.raises(BundleError, match="there is no such folder"):
        find_bundle(str(tmp_path / "none"))


def test_the_checkout_brings_bundles_of_its_own() -> None:
    assert "person" in bundle_names()


# --- labels


@pytest.mark.parametrize(
    "text",
    [
        "cat\ndog\n",
        "\ufeffcat\r\n\r\n dog \r\n",
        "0 cat\n1 dog",
        "0: cat\n1: dog\n",
        "???\ncat\ndog\n",
        "???\n0 cat\n1 dog\n",
        "1 cat\n2 dog\n",
        "0 ???\n1 cat\n2 dog\n",
    ],
)
def test_every_kind_of_labels_file_gives_the_same_names(text: str) -> None:
    assert parse_labels(text) == ("cat", "dog")


def test_gaps_in_numbered_labels_stay_gaps() -> None:
    assert parse_labels("0 cat\n2 dog\n") == ("cat", "???", "dog")


def test_names_that_begin_with_a_number_are_names() -> None:
    assert parse_labels("3 way valve\nbolt\n") == ("3 way valve", "bolt")
    assert parse_labels("12 mm bolt\n8 mm bolt\n") == ("12 mm bolt", "8 mm bolt")
