"""Models by name: out of archives, listed before they are added, and public ones from where the catalogue says they are."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from hashlib import blake2b, sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgeinfer.cli.main import main
from edgeinfer.store import find_bundle, open_bundle
from edgeinfer.store.catalog import default_catalog, read_catalog
from tests.engine import tiny

PUBLIC = "files.pythonhosted.org"


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """`run(*words)`: what `edgeinfer model …` says, on a store of its own."""

    def call(*words: object, code: int = 0) -> str:
        found = main(["model", *map(str, words), "--state", str(tmp_path / "state")])
        out, err = capfd.readouterr()
        assert found == code, err
        return out if code == 0 else err

    return call


def listed(tmp_path: Path, web, member: str, member_sha256: str = "") -> Path:
    """A catalogue with one entry, whose model lies in a zip in a zip."""
    inner, outer = tmp_path / "inner.zip", tmp_path / "outer.whl"
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("models/echo.tflite", tiny.echo().pack())
    with zipfile.ZipFile(outer, "w") as made:
        made.write(inner, "data/inner.zip")
    web.files["outer.whl"] = outer.read_bytes()
    path = tmp_path / "catalog.toml"
    path.write_text(
        f"""format = 1
[model.colours]
url = "{web.url("outer.whl")}"
sha256 = "{sha256(web.files["outer.whl"]).hexdigest()}"
member = ["data/inner.zip", "{member}"]
member_sha256 = "{member_sha256}"
summary = "Colours."
licence = "MIT"
labels = ["red", "green", "blue"]
[model.colours.decoder]
kind = "grid"
activation = "none"
background = false
cells = "box"
"""
    )
    return path


def left(tmp_path: Path) -> list[str]:
    return [p.name for p in (tmp_path / "state" / "models" / ".incoming").iterdir()]


def test_a_model_in_an_archive_is_taken_out_and_the_archive_is_not_kept(run, tmp_path, web) -> None:
    right = sha256(tiny.echo().pack()).hexdigest()
    run("add", "colours", "--catalog", listed(tmp_path, web, "models/echo.tflite", right))
    bundle = open_bundle(find_bundle("colours", tmp_path / "state"))
    assert bundle.path("echo.tflite").read_bytes() == tiny.echo().pack()
    assert left(tmp_path) == []


def test_another_model_in_the_right_archive_is_refused(run, tmp_path, web) -> None:
    catalogue = listed(tmp_path, web, "models/echo.tflite", "0" * 64)
    err = run("add", "colours", "--catalog", catalogue, code=2)
    assert f"models/echo.tflite: expected the sha256 {'0' * 64}, found" in err
    assert left(tmp_path) == []


@pytest.mark.parametrize("member", ["../echo.tflite", "models/other.tflite"])
def test_a_file_that_the_archive_has_not_is_told(run, tmp_path, web, member) -> None:
    err = run("add", "colours", "--catalog", listed(tmp_path, web, member), code=2)
    assert f"has no file '{member}'" in err


@pytest.mark.parametrize("member", ["models/..", "models/.hidden.tflite", "models/echo"])
def test_a_member_whose_name_no_model_has_is_told(run, tmp_path, web, member) -> None:
    err = run("add", "colours", "--catalog", listed(tmp_path, web, member), code=2)
    assert "expected the name of a .tflite in the archive" in err


def test_the_catalogue_is_shown_with_what_is_here(run, tmp_path, web) -> None:
    path = listed(tmp_path, web, "models/echo.tflite")
    assert json.loads(run("list", "--catalog", path, "--json"))["models"][0]["here"] is False
    run("add", "colours", "--catalog", path)
    assert json.loads(run("list", "--catalog", path, "--json"))["models"][0]["here"] is True
    assert "*  colours  MIT  Colours." in run("list", "--catalog", path)
    assert "coco-ssd" in run("list", "--catalog")


def added_echo(run, tmp_path) -> tuple[object, ...]:
    """Adds a bare model; the words that did it."""
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    model = tiny.echo().save(tmp_path / "echo.tflite")
    said = (
        "--decoder",
        "grid",
        "--set",
        "activation=none",
        "--set",
        "background=false",
        "--set",
        "cells=box",
    )
    words = ("add", model, "--labels", tmp_path / "labels.txt", *said)
    run(*words)
    return words


def test_the_same_model_again_makes_no_second_version(run, tmp_path) -> None:
    words = added_echo(run, tmp_path)
    assert "no new version was made" in run(*words)
    told = json.loads(run(*words, "--json"))
    assert (told["version"], told["added"], told["used"]) == ("1", False, True)
    assert json.loads(run(*words, "--set", "score=0.7", "--json"))["version"] == "2"
    assert json.loads(run(*words, "--version", "2026", "--json"))["version"] == "2026"  # a number asked for


def test_the_same_model_again_can_be_used_again(run, tmp_path) -> None:
    words = added_echo(run, tmp_path)
    run(*words, "--set", "score=0.7", "--use")
    assert "(edgeinfer model use echo 1 uses it)" in run(*words)
    assert json.loads(run(*words, "--use", "--json"))["used"] is True
    rows = json.loads(run("list", "--json"))["bundles"]
    assert [r["version"] for r in rows if r["name"] == "echo" and r["used"]] == ["1"]


def test_a_bundle_with_a_number_of_its_own_is_another_version(run, tmp_path) -> None:
    for number in ("1", "2"):
        told = run(
            "add", tiny.colours(tmp_path / number, ('version = "1"', f'version = "{number}"')), "--json"
        )
        assert (json.loads(told)["version"], json.loads(told)["added"]) == (number, True)


# --- public models, fetched by pip, which knows where this machine finds packages


def public() -> dict[str, str]:
    """Name to address, of what lies on PyPI's file server."""
    entries = read_catalog(default_catalog()).items()
    return {name: entry.url for name, entry in entries if urlsplit(entry.url).hostname == PUBLIC}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that the catalogue names, and one with a photograph of a face."""
    folder = tmp_path_factory.mktemp("wheels")
    for file in {url.rpartition("/")[2] for url in public().values()}:
        name, version = file.split("-")[:2]
        fetch(folder, f"{name}=={version}", "--python-version", "3.10")
    fetch(folder, "scikit-image==0.25.2", "--python-version", "3.10")
    return folder


def fetch(folder: Path, *what: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), *what], check=True, capture_output=True)


@pytest.fixture
def mirrored(wheels: Path, web, tmp_path: Path) -> Path:
    """Our catalogue with the addresses of a server on this machine, that serves the very files of PyPI."""
    text = default_catalog().read_text()
    for url in public().values():
        file = url.rpartition("/")[2]
        web.files[file] = (wheels / file).read_bytes()
        text = text.replace(url, web.url(file))
    (tmp_path / "catalog.toml").write_text(text)
    return tmp_path / "catalog.toml"


@pytest.mark.slow
@pytest.mark.parametrize("name", public())
def test_the_public_address_of_a_package_is_that_of_the_file_that_pip_gives(wheels, name) -> None:
    """PyPI's file server names a file by its BLAKE2b hash of 256 bits, so that the address follows from the content."""
    entry = read_catalog(default_catalog())[name]
    file = entry.url.rpartition("/")[2]
    content = (wheels / file).read_bytes()
    digest = blake2b(content, digest_size=32).hexdigest()
    assert entry.url == f"https://{PUBLIC}/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{file}"
    assert entry.sha256 == sha256(content).hexdigest()
    assert entry.member_sha256


FINDS = {
    "faces-near": ("astronaut.png", "face"),
    "faces-far": ("astronaut.png", "face"),
    "person-or-not": ("astronaut.png", "person"),
    "cifar10": ("chelsea.png", "cat"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", public())
def test_a_public_model_is_added_by_name_and_finds_what_is_there(
    run, mirrored, wheels, tmp_path, name
) -> None:
    picture, label = FINDS[name]
    [photographs] = wheels.glob("scikit_image*.whl")
    with zipfile.ZipFile(photographs) as packed:
        (tmp_path / picture).write_bytes(packed.read(f"skimage/data/{picture}"))
    run("add", name, "--catalog", mirrored)
    line = run("try", name, tmp_path / picture).split(": ", 1)[1]
    assert line.startswith(f"{label} ")
    if label == "face":
        x0, y0, x1, y1 = map(float, line.partition("[")[2].partition("]")[0].split(","))
        assert 0.3 < x0 < 0.42 < 0.45 < x1 < 0.6  # the nose is at 0.44, 0.25
        assert 0.1 < y0 < 0.2 < 0.3 < y1 < 0.4
