"""What a model file says of itself."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.errors import BundleError
from edgeinfer.store.metadata import MOST_BYTES, MOST_FILES, read_metadata
from tests.engine import tiny
from tests.store import notes

ULTRALYTICS = {
    "description": "Ultralytics YOLO11n-pose model trained on tiger.yaml",
    "version": "8.4.190",
    "license": "AGPL-3.0 License",
    "stride": 32,
    "task": "pose",
    "head": "Pose",
    "imgsz": [480, 640],
    "names": {"0": "tiger", "1": "cub"},
    "args": {"batch": 1, "nms": False},
    "channels": 3,
    "end2end": False,
    "kpt_shape": [12, 3],
}


def model(folder: Path, **packed: str | bytes) -> Path:
    """A model with a zip of these files at its end; a "__" in a name is a dot."""
    path = tiny.softmax().save(folder / "m.tflite")
    if packed:
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, text in packed.items():
                archive.writestr(name.replace("__", "."), text)
    return path


def test_a_file_without_metadata_says_nothing(tmp_path) -> None:
    found = read_metadata(model(tmp_path))
    assert (found.files, found.export, found.labels, found.problems) == ({}, None, (), ())


def test_what_ultralytics_appends_is_read(tmp_path) -> None:
    found = read_metadata(model(tmp_path, metadata__json=json.dumps(ULTRALYTICS)))
    assert found.export is not None
    assert (found.export.task, found.export.head, found.export.stride) == ("pose", "Pose", 32)
    assert (found.export.image_size, found.export.keypoints) == ((480, 640), (12, 3))
    assert (found.export.end2end, found.export.nms) == (False, False)
    assert found.labels == ("tiger", "cub")
    assert found.labels_from == "metadata.json in the model"
    assert found.licence == "AGPL-3.0 License"


@pytest.mark.parametrize("name", ["temp_meta__txt", "meta__txt"])
def test_the_python_literal_of_older_exporters_is_read(tmp_path, name) -> None:
    found = read_metadata(model(tmp_path, **{name: "{'stride': 32.0, 'names': {0: \"person's\", 1: 'dog'}}"}))
    assert found.export is not None
    assert (found.export.task, found.export.stride) == ("detect", 32)
    assert found.labels == ("person's", "dog")


def test_the_yaml_beside_a_saved_model_is_read(tmp_path) -> None:
    text = (
        "description: Ultralytics YOLO26n model trained on bolts.yaml\ndate: '2026-11-24T10:00:00+00:00'\n"
        "stride: 32\ntask: detect\nimgsz:\n- 320\n- 320\nnames:\n  0: bolt\n  1: 'no'\n  2: nut, M4\nargs:\n"
        "  batch: 1\n  nms: true\nend2end: true\nkpt_names:\n  0:\n  - nose\n"
    )
    (tmp_path / "metadata.yaml").write_text(text)
    found = read_metadata(model(tmp_path))
    assert found.problems == ()
    assert found.export is not None
    assert (found.export.end2end, found.export.nms, found.export.image_size) == (True, True, (320, 320))
    assert found.labels == ("bolt", "no", "nut, M4")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{'names': ", "neither JSON nor a Python literal"),
        ('{"names": {"0": "a"}, "stride": "wide"}', r"Expected `float \| null`"),
        ('{"names": {"-1": "a"}}', "expected classes 0, 1, 2"),
        ("[1, 2]", "line 1: expected `name: value`"),
        ("{" * 100_000, "neither JSON nor a Python literal"),
    ],
)
def test_notes_that_are_not_as_written_are_told_and_not_raised(tmp_path, text, told) -> None:
    found = read_metadata(model(tmp_path, metadata__json=text))
    assert found.export is None
    (problem,) = found.problems
    assert re.search(told, problem)


def test_tflite_metadata_tells_normalization_colour_labels_and_threshold(tmp_path) -> None:
    blob = notes.notes(
        [notes.tensor("image", mean=(127.5,), std=(127.5,), colour=1)],
        [notes.tensor("probability", labels="labels.txt", least_score=0.25)],
        licence="Apache-2.0",
    )
    path = notes.put_into(tiny.softmax(), tmp_path / "m.tflite", blob)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.txt", "a\nb\nc\nd\n")
        archive.writestr("labels.txt", "cat\r\ndog\r\n")
    found = read_metadata(path)
    assert (found.inputs[0].mean, found.inputs[0].std, found.inputs[0].colour) == ((127.5,), (127.5,), "RGB")
    assert (found.outputs[0].name, found.outputs[0].least_score) == ("probability", 0.25)
    assert (found.labels, found.labels_from) == (("cat", "dog"), "labels.txt in the model")
    assert (found.licence, found.description) == ("Apache-2.0", "made by the tests")


def test_signatures_map_results_to_tensors(tmp_path) -> None:
    path = notes.put_into(tiny.softmax(), tmp_path / "m.tflite", notes.notes())
    (signature,) = read_metadata(path).signatures
    assert (signature.key, signature.inputs) == ("serving_default", {"picture": "logits"})
    assert signature.outputs == {"output_0": "probabilities"}


@pytest.mark.parametrize("name", ["labels.txt", "m.txt", "m_labels.txt"])
def test_labels_beside_the_model_are_read(tmp_path, name) -> None:
    (tmp_path / name).write_text("0 Good part\n1 Scratched\n")
    found = read_metadata(model(tmp_path))
    assert found.labels == ("Good part", "Scratched")
    assert found.labels_from == str(tmp_path / name)


def test_labels_in_the_model_come_before_those_beside_it(tmp_path) -> None:
    (tmp_path / "labels.txt").write_text("wrong\n")
    assert read_metadata(model(tmp_path, labelmap__txt="right\n")).labels == ("right",)


def test_a_zip_bomb_is_refused(tmp_path) -> None:
    path = model(tmp_path, labels__txt=b" " * (MOST_BYTES + 1))
    with pytest.raises(BundleError, match=r"'labels.txt', packed into it, unpacks to more than"):
        read_metadata(path)


def test_a_zip_of_too_many_files_is_refused(tmp_path) -> None:
    path = model(tmp_path, **{f"{i}__txt": "a" for i in range(MOST_FILES + 1)})
    with pytest.raises(BundleError, match=rf"{MOST_FILES + 1} files are packed into it"):
        read_metadata(path)


def test_a_damaged_member_is_told(tmp_path) -> None:
    path = model(tmp_path, labels__txt="cat\ndog\n" * 50)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\3\4") + 40
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    found = read_metadata(path)
    assert found.labels == ()
    assert "labels.txt, packed into the model, cannot be unpacked" in found.problems[0]


def test_a_file_that_is_missing_is_refused(tmp_path) -> None:
    with pytest.raises(BundleError, match="cannot be read: No such file"):
        read_metadata(tmp_path / "m.tflite")


def test_an_empty_file_is_told(tmp_path) -> None:
    (tmp_path / "m.tflite").write_bytes(b"")
    assert read_metadata(tmp_path / "m.tflite").problems == ("the file is empty",)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_flatbuffer_is_told_and_never_raises(tmp_path, data) -> None:
    path = notes.put_into(
        tiny.softmax(),
        tmp_path / "m.tflite",
        notes.notes([notes.tensor("image", mean=(1.0,), std=(2.0,))], [notes.tensor("p", labels="l.txt")]),
    )
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 4))
        struct.pack_into(
            "<I", whole, at, data.draw(st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, len(whole)]))
        )
    path.write_bytes(whole[: data.draw(st.integers(1, len(whole)))])
    read_metadata(path)
