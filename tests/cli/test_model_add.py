"""`edgeinfer model add`, `list`, `use`, `rollback`, `remove`, as a user types them; nothing half is ever in the store."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.cli.main import main
from edgeinfer.store import find_bundle, open_bundle
from tests.engine import tiny
from tests.fixtures.disks import fill_up


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """`run(*words)`: exit code, stdout, stderr of `edgeinfer model …` on a store of its own."""

    def call(*words: object, code: int = 0) -> str:
        found = main(["model", *map(str, words), "--state", str(tmp_path / "state")])
        out, err = capfd.readouterr()
        assert found == code, err
        assert "Traceback" not in err
        return out if code == 0 else err

    return call


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A bare model with its labels beside it: each pixel's colour is its class."""
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    return tiny.echo().save(tmp_path / "Colour Finder_int8.tflite")


SAID = ("--decoder", "grid", "--set", "activation=none", "--set", "background=false", "--set", "cells=box")


def labelled(model: Path) -> tuple[object, ...]:
    return (model, "--labels", model.with_name("labels.txt"), *SAID)


def stored(tmp_path: Path) -> list[str]:
    """Every file of the store that is not a lock."""
    found = (tmp_path / "state").rglob("*")
    return sorted(str(p.relative_to(tmp_path)) for p in found if p.is_file() and p.name != ".lock")


# --- from a bare file


def test_a_bare_model_becomes_a_bundle_that_proves_itself(run, model, tmp_path) -> None:
    told = json.loads(run("add", *labelled(model), "--json"))
    assert (told["name"], told["version"], told["used"]) == ("colour-finder", "1", True)
    bundle = open_bundle(find_bundle("colour-finder", tmp_path / "state"))
    assert bundle.manifest.licence == bundle.manifest.provenance == "unknown"
    assert bundle.manifest.input.mean == 0.0
    assert bundle.manifest.input.std == 255.0
    assert [g.made_of for g in bundle.manifest.golden] == ["picture", "picture", "noise"]
    assert "ok    golden/1.png" in run("verify", "colour-finder")


def test_pictures_of_ones_own_are_what_it_is_proven_with(run, model, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    cv2.imwrite(str(tmp_path / "mine" / "a.png"), tiny.picture())
    run("add", *labelled(model), "--set", "score=0.6", "--golden", tmp_path / "mine")
    bundle = open_bundle(find_bundle("colour-finder", tmp_path / "state"))
    (pair,) = bundle.manifest.golden
    (found,) = json.loads(bundle.path(pair.expect).read_text())
    assert found["label"] == "green"
    assert np.allclose(found["box"], [0.25, 0.25, 0.5, 0.5])


def test_findings_that_are_known_beforehand_must_come_out(run, model, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    cv2.imwrite(str(tmp_path / "mine" / "a.png"), tiny.picture())
    (tmp_path / "mine" / "a.json").write_text('[{"label": "red", "score": 1.0, "box": [0, 0, 0.5, 0.5]}]')
    err = run("add", *labelled(model), "--golden", tmp_path / "mine", code=1)
    assert "this device finds something else than its maker" in err
    assert "red 1.000 at [0.000, 0.000, 0.500, 0.500] was expected and not found" in err
    assert stored(tmp_path) == []


def test_a_twin_for_an_edge_tpu_comes_along(run, model, tmp_path) -> None:
    twin = model.with_name(f"{model.stem}_edgetpu.tflite")
    tiny.unknown_op().save(twin)
    run("add", twin, *labelled(model)[1:])
    bundle = open_bundle(find_bundle("colour-finder", tmp_path / "state"))
    assert dict(bundle.manifest.variants) == {"cpu": model.name, "edgetpu": twin.name}
    assert bundle.manifest.tolerance["edgetpu"].iou == 0.8


def test_an_edge_tpu_file_alone_is_refused_with_what_is_missing(run, tmp_path) -> None:
    path = tiny.unknown_op().save(tmp_path / "x_edgetpu.tflite")
    assert "put the file that it was compiled from beside it (x.tflite)" in run("add", path, code=2)


def test_numbers_of_versions_go_up_and_the_first_stays_in_use(run, model) -> None:
    run("add", *labelled(model))
    told = run("add", *labelled(model), "--set", "score=0.7")
    assert "version 2" in told
    assert "it waits: edgeinfer model use colour-finder 2" in told
    rows = json.loads(run("list", "--json"))["bundles"]
    assert [(r["version"], r["used"]) for r in rows if r["name"] == "colour-finder"] == [
        ("1", True),
        ("2", False),
    ]
    assert "version 2" in run("use", "colour-finder", "2")
    assert "back to version 1" in run("rollback", "colour-finder")
    run("remove", "colour-finder", "2")
    assert "is the version that is used" in run("remove", "colour-finder", "1", code=2)
    run("remove", "colour-finder")
    assert "has no 'colour-finder'" in run("use", "colour-finder", "1", code=2)


def test_a_new_version_can_be_used_at_once(run, model) -> None:
    run("add", *labelled(model))
    assert "it is used" in run("add", *labelled(model), "--set", "score=0.7", "--use")


# --- what is wrong


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("--labels", "short.txt"), "expected one label for each class"),
        (("--decoder", "ssd"), "which output is which does not follow from their shapes"),
        (("--decoder", "grit"), "no decoder of kind 'grit'; did you mean 'grid'?"),
        (("--set", "scor=0.5"), "decoder.scor: unknown key; did you mean 'score'?"),
        (("--set", "score"), "--set: expected KEY=VALUE"),
        (("--output", "heat=nothing"), "the model has no output 'nothing'"),
        (("--mean", "a,b"), "--mean: expected a number"),
        (("--golden", "none"), "--golden: none: expected a folder with pictures"),
        (("--name", "Not A Name"), "name: expected text that matches"),
        (("--labels", "none.txt"), "--labels: none.txt: cannot be read"),
    ],
)
def test_one_clear_message_and_the_store_unchanged(run, model, tmp_path, monkeypatch, change, told) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.txt").write_text("red\ngreen\n")
    assert told in run("add", *labelled(model), *change, code=2)
    assert stored(tmp_path) == []


def test_labels_beside_the_model_are_not_asked_for(run, model, tmp_path) -> None:
    run("add", model, *SAID)
    assert open_bundle(find_bundle("colour-finder", tmp_path / "state")).labels == ("red", "green", "blue")


def test_without_labels_it_is_said_what_to_say(run, model, tmp_path) -> None:
    model.with_name("labels.txt").unlink()
    err = run("add", model, *SAID, code=2)
    assert "labels: names, one a line, in the order of the classes" in err
    assert "--labels FILE gives labels" in err
    assert stored(tmp_path) == []


def test_a_decoder_that_follows_from_the_outputs_is_not_asked_for(run, tmp_path) -> None:
    parts = Path(__file__).parents[2] / "models" / "parts"
    said = ("--fit", "letterbox", "--set", "cells=centroid", "--set", "box_size=[0.165, 0.22]")
    run("add", parts / "parts_int8.tflite", "--golden", parts / "golden", *said)
    bundle = open_bundle(find_bundle("parts", tmp_path / "state"))
    assert bundle.manifest.decoder.kind == "grid"
    assert bundle.labels == ("good", "scratched", "hole_missing")


def test_outputs_that_nobody_recognises_are_listed(run, model, tmp_path) -> None:
    graph = tiny.echo((1, 3, 3, 3))
    graph.tensors[1].shape = [3, 9]
    graph.ops[0].options.newShape = [3, 9]
    err = run("add", graph.save(tmp_path / "x.tflite"), code=2)
    assert "was not recognised" in err
    assert "Name one with --decoder KIND" in err


@pytest.mark.parametrize("content", [b"", b"hello, I am text", b"PK\x03\x04 no zip", bytes(5000)])
def test_what_is_no_model_is_refused(run, tmp_path, content) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    assert "is damaged or no TFLite model" in run("add", tmp_path / "m.tflite", code=2)
    assert stored(tmp_path) == []


def test_a_model_that_needs_more_memory_than_a_trial_may_have_harms_nobody(run, model, tmp_path) -> None:
    path = tiny.echo((1, 40_000, 40_000, 3)).save(tmp_path / "huge.tflite")
    err = run("add", path, *labelled(model)[1:], code=2)
    assert str(path) in err
    assert stored(tmp_path) == []


def test_a_model_of_readings_is_told_what_it_needs(run, model, tmp_path) -> None:
    path = tiny.softmax().save(tmp_path / "m.tflite")
    err = run("add", path, "--labels", model.with_name("labels.txt"), "--decoder", "classify", code=2)
    assert "no input looks like a picture" in err
    assert "write a manifest with a [window]" in err


def test_a_truncated_model_is_refused(run, model, tmp_path) -> None:
    model.write_bytes(model.read_bytes()[:-200])
    assert "is damaged" in run("add", *labelled(model), code=2)
    assert stored(tmp_path) == []


def test_a_length_that_leaves_the_file_is_refused(run, model, tmp_path) -> None:
    data = bytearray(model.read_bytes())
    struct.pack_into("<I", data, 0, 0x7FFFFFF0)
    model.write_bytes(data)
    assert "leads to byte" in run("add", *labelled(model), code=2)


def test_no_room_is_said_and_the_store_stays(small_disk, model, capfd) -> None:
    disk = small_disk(256)
    fill_up(disk)
    code = main(["model", "add", *map(str, labelled(model)), "--state", str(disk)])
    assert code == 1
    assert "No space left on device" in capfd.readouterr().err
    assert not list(disk.rglob("*.tflite"))


def test_a_download_that_finds_no_room_takes_none(small_disk, web, capfd) -> None:
    disk = small_disk(256)
    web.files["m.tflite"] = bytes(500_000)
    assert main(["model", "add", web.url("m.tflite"), "--state", str(disk)]) == 1
    assert "No space left on device; the store is unchanged" in capfd.readouterr().err
    assert not list(disk.rglob("*.part"))


# --- a folder, a catalogue, an address


def test_a_folder_is_taken_with_what_its_manifest_lists(run, tmp_path) -> None:
    folder = tiny.colours(tmp_path / "colours")
    (folder / "notes.txt").write_text("not listed")
    run("add", folder)
    found = find_bundle("colours", tmp_path / "state")
    assert open_bundle(found).identity == open_bundle(folder).identity
    assert not (found / "notes.txt").exists()


def test_a_folder_whose_golden_findings_do_not_come_out_is_refused(run, tmp_path) -> None:
    folder = tiny.colours(tmp_path / "colours")
    (folder / "golden.json").write_text("[]")
    assert "was found and not expected" in run("add", tiny.seal(folder), code=1)
    assert stored(tmp_path) == []


def test_noise_that_comes_out_otherwise_only_warns(run, tmp_path, capfd) -> None:
    folder = tiny.colours(tmp_path / "colours")
    (folder / "golden.json").write_text("[]")
    edit = ('expect = "golden.json"', 'expect = "golden.json"\nmade_of = "noise"')
    assert main(["model", "add", str(tiny.seal(folder, edit)), "--state", str(tmp_path / "state")]) == 0
    assert "which is noise, comes out otherwise here" in capfd.readouterr().err


def test_our_own_models_are_in_the_catalogue(run, tmp_path) -> None:
    run("add", "parts")
    assert find_bundle("parts", tmp_path / "state").is_relative_to(tmp_path)


def test_a_name_that_nobody_knows_is_refused_with_the_nearest(run, tmp_path) -> None:
    err = run("add", "prats", code=2)
    assert "the catalogue has no such name; did you mean 'parts'?" in err
    assert stored(tmp_path) == []


def catalog(tmp_path: Path, web, digest: str) -> Path:
    path = tmp_path / "catalog.toml"
    path.write_text(
        f"""format = 1
[model.colours]
url = "{web.url("echo.tflite")}"
sha256 = "{digest}"
summary = "Colours."
licence = "MIT"
labels = ["red", "green", "blue"]
[model.colours.outputs]
heat = "heat"
[model.colours.decoder]
kind = "grid"
activation = "none"
background = false
cells = "box"
"""
    )
    return path


def test_a_catalogue_entry_is_fetched_checked_and_made_a_bundle(run, tmp_path, web) -> None:
    web.files["echo.tflite"] = tiny.echo().pack()
    web.break_after = [200]
    listed = catalog(tmp_path, web, sha256(web.files["echo.tflite"]).hexdigest())
    run("add", "colours", "--catalog", listed)
    bundle = open_bundle(find_bundle("colours", tmp_path / "state"))
    assert (bundle.manifest.licence, bundle.manifest.summary) == ("MIT", "Colours.")
    assert web.asked == ["", "bytes=200-"]


def test_a_wrong_hash_is_refused_and_fetched_anew_the_next_time(run, tmp_path, web) -> None:
    web.files["echo.tflite"] = tiny.echo().pack()
    err = run("add", "colours", "--catalog", catalog(tmp_path, web, "0" * 64), code=2)
    assert f"expected the sha256 {'0' * 64}, found" in err
    assert not [name for name in stored(tmp_path) if not name.endswith(".lock")]
    listed = catalog(tmp_path, web, sha256(web.files["echo.tflite"]).hexdigest())
    run("add", "colours", "--catalog", listed)
    assert web.asked == ["", ""]


def test_a_server_that_stalls_leaves_the_store_unchanged(run, tmp_path, web) -> None:
    web.files["m.tflite"], web.stall_after = tiny.echo().pack(), 100
    err = run("add", web.url("m.tflite"), "--stall", "0.3", code=1)
    assert "nothing came for" in err
    assert "the same command goes on" in err
    web.go.set()
    rows = json.loads(run("list", "--json"))["bundles"]
    assert not [r for r in rows if r["origin"] == "store"]


def test_an_address_that_serves_a_page_is_told(run, tmp_path, web) -> None:
    web.files["m.tflite"] = b"<!DOCTYPE html><html>log in first</html>"
    assert "is it a web page in place of a download?" in run("add", web.url("m.tflite"), code=2)


@pytest.mark.parametrize(("option", "value"), [("--name", "mine"), ("--version", "77")])
def test_a_bundle_is_not_given_another_name_in_silence(run, tmp_path, option, value) -> None:
    parts = Path(__file__).parents[2] / "models" / "parts"
    told = run("add", parts, option, value, code=2)
    assert f"{option} {value}" in told
    assert "is a bundle already" in told
    assert stored(tmp_path) == []
