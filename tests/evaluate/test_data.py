"""What the readers make of data.yaml, coco.json, folders and CSVs, and what they refuse."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest

from edgeinfer.errors import InputError
from edgeinfer.evaluate.data import read_data
from edgeinfer.geometry import Box
from edgeinfer.store import open_bundle
from tests.engine import tiny, windowed
from tests.evaluate import floating

WINDOW = 'length = 1\nchannels = ["a", "b", "c", "d"]\nrate_hz = 10'


@pytest.fixture
def colours(tmp_path):
    return open_bundle(tiny.colours(tmp_path / "colours"))


@pytest.fixture
def readings(tmp_path):
    decoder = 'kind = "classify"\nactivation = "none"'
    return open_bundle(
        windowed.bundle(tmp_path / "classes", WINDOW, decoder, "first\nsecond\nrest\nfourth\n")
    )


def yolo(folder, line: str = "1 0.375 0.375 0.25 0.25", names: str = "[red, green]"):
    for part in ("images/val", "labels/val"):
        (folder / part).mkdir(parents=True)
    cv2.imwrite(str(folder / "images/val/1.png"), tiny.picture())
    (folder / "labels/val/1.txt").write_text(line + "\n")
    (folder / "data.yaml").write_text(f"path: .\ntrain: images/train\nval: images/val\nnames: {names}\n")
    return folder / "data.yaml"


def coco(folder, category: int = 7, name: str = "green"):
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), tiny.picture())
    box = {"id": 1, "image_id": 3, "category_id": category, "bbox": [16, 16, 16, 16], "area": 256}
    image = {"id": 3, "file_name": "1.png", "width": 64, "height": 64}
    body = {"images": [image], "annotations": [box], "categories": [{"id": 7, "name": name}]}
    (folder / "coco.json").write_text(json.dumps(body))
    return folder / "coco.json"


@pytest.mark.parametrize("make", [yolo, coco])
def test_boxes_are_normalised_and_named(make, tmp_path, colours) -> None:
    data = read_data(make(tmp_path / "d"), colours)
    (example,) = data.examples
    assert data.task == "boxes"
    assert [(b.label, b.box) for b in example.boxes] == [("green", Box(0.25, 0.25, 0.5, 0.5))]
    assert example.load().pixels.shape == (64, 64, 3)


def test_names_of_a_data_yaml_may_be_numbered(tmp_path, colours) -> None:
    data = read_data(yolo(tmp_path / "d", names="{0: red, 1: green}"), colours)
    assert data.examples[0].boxes[0].label == "green"


def test_a_picture_without_a_file_of_boxes_shows_nothing(tmp_path, colours) -> None:
    path = yolo(tmp_path / "d")
    (tmp_path / "d/labels/val/1.txt").unlink()
    assert read_data(path, colours).examples[0].boxes == ()


def test_a_data_yaml_without_pyyaml_names_the_extra(tmp_path, colours, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(InputError, match=r"pip install 'edgeinfer\[eval\]'"):
        read_data(yolo(tmp_path / "d"), colours)


@pytest.mark.parametrize("text", ["names: [", "names: 3", "- a", "val: x"])
def test_a_file_that_is_no_data_yaml_is_refused(text, tmp_path, colours) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(InputError, match=r"data\.yaml: expected a data\.yaml with names and val"):
        read_data(tmp_path / "data.yaml", colours)


@pytest.mark.parametrize("line", ["9 0.5 0.5 0.1 0.1", "1 0.5 0.5 0.1", "green 0 0 1 1"])
def test_a_wrong_line_of_boxes_is_named(line, tmp_path, colours) -> None:
    with pytest.raises(InputError, match=r"1\.txt:1: expected `class cx cy w h` with a class of 0 to 1"):
        read_data(yolo(tmp_path / "d", line), colours)


def test_an_annotation_that_points_nowhere_is_named(tmp_path, colours) -> None:
    with pytest.raises(InputError, match=r"annotations\[0\]: .*no category 8"):
        read_data(coco(tmp_path / "d", category=8), colours)


def test_classes_that_the_model_does_not_know_are_refused(tmp_path, colours) -> None:
    with pytest.raises(InputError, match="its classes are cat; the model knows red, green, blue"):
        read_data(coco(tmp_path / "d", name="cat"), colours)


def test_pictures_that_lie_elsewhere_are_asked_for(tmp_path, colours) -> None:
    path = coco(tmp_path / "d")
    (tmp_path / "else").mkdir()
    (tmp_path / "d/1.png").rename(tmp_path / "else/1.png")
    with pytest.raises(InputError, match="say where with --pictures"):
        read_data(path, colours)
    assert read_data(path, colours, tmp_path / "else").examples[0].load().pixels.any()


def test_folders_are_classes_in_the_models_order(tmp_path, colours) -> None:
    for name in ("green", "blue", "grey"):
        (tmp_path / "d" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "d" / name / "1.png"), tiny.picture())
    data = read_data(tmp_path / "d", colours)
    assert data.labels == ("green", "blue", "grey")
    assert sorted(example.label for example in data.examples) == ["blue", "green", "grey"]


def test_a_class_without_a_picture_is_named(tmp_path, colours) -> None:
    (tmp_path / "d/green").mkdir(parents=True)
    with pytest.raises(InputError, match="green: expected a picture in it, found none"):
        read_data(tmp_path / "d", colours)


def test_a_csv_is_cut_where_recording_or_label_change(tmp_path, readings) -> None:
    path = floating.csv(tmp_path / "r.csv", floating.rows(3), ["first", "second", "first"])
    data = read_data(path, readings)
    assert [example.label for example in data.examples] == ["first", "second", "first"]
    block = data.examples[1].load()
    assert block.channels == ("a", "b", "c", "d")
    assert block.values == pytest.approx(floating.rows(3)[1:2])


def test_readings_may_lie_in_class_folders(tmp_path, readings) -> None:
    (tmp_path / "d/first").mkdir(parents=True)
    np.save(tmp_path / "d/first/1.npy", floating.rows(5))
    (example,) = read_data(tmp_path / "d", readings).examples
    assert (example.label, example.load().values.shape) == ("first", (5, 4))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,x\n", r"r.csv:2: column b: expected a number, found 'x'"),
        ("a,b\n1\n", r"r.csv:2: expected 2 fields, found 1"),
        ("1,2\n3,4\n", r"r.csv:1: expected the names of the columns"),
        ("a,b\n", "holds a header and no row"),
        ("", "expected the names of the columns, found nothing"),
        ("a,b,c,d,label\n1,2,3,4,x\n2,3,4,5,\n", "every row needs its class"),
    ],
)
def test_a_damaged_csv_is_told_by_line(text, told, tmp_path, readings) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        read_data(tmp_path / "r.csv", readings)


def test_an_array_of_other_channels_is_refused(tmp_path, readings) -> None:
    (tmp_path / "d/first").mkdir(parents=True)
    np.save(tmp_path / "d/first/1.npy", np.zeros((5, 3)))
    with pytest.raises(InputError, match=r"expected \(n, 4\): rows of a, b, c, d; found \(5, 3\)"):
        read_data(tmp_path / "d", readings).examples[0].load()


def test_a_csv_without_one_of_the_channels_is_refused(tmp_path, readings) -> None:
    (tmp_path / "r.csv").write_text("a,b,c,label\n1,2,3,first\n")
    with pytest.raises(InputError, match=r"r\.csv:1: the model needs the column 'd' \(there are: a, b, c\)"):
        read_data(tmp_path / "r.csv", readings)


def test_pictures_for_a_model_of_readings_are_refused(tmp_path, readings) -> None:
    with pytest.raises(InputError, match="the model takes readings: expected a CSV"):
        read_data(yolo(tmp_path / "d"), readings)


def test_fewer_samples_are_spread_over_all(tmp_path, readings) -> None:
    path = floating.csv(tmp_path / "r.csv", floating.rows(9), ["first"] * 9)
    chosen = read_data(path, readings).first(3)
    assert [example.name for example in chosen.examples] == ["r.csv:0", "r.csv:3", "r.csv:6"]
