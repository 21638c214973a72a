"""The bounded verifier: our own models pass, and whatever leads out of the file is refused in words."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.engine.bounds import check, check_file
from edgeinfer.errors import BundleError
from edgeinfer.store.flatbuffer import Damaged
from tests.engine import tiny

ROOT = Path(__file__).resolve().parents[2]
WHOLE = tiny.softmax().pack()


@pytest.mark.parametrize("path", sorted(ROOT.glob("models/*/*.tflite")), ids=lambda p: p.name)
def test_our_own_models_pass(path: Path) -> None:
    check_file(path)


@given(st.integers(0, len(WHOLE) - 1))
@settings(max_examples=200)
def test_a_truncated_file_never_passes_unless_only_padding_is_gone(length: int) -> None:
    try:
        check(bytes(WHOLE[:length]))
    except Damaged:
        return
    assert len(WHOLE) - length < 64


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=12))
@settings(max_examples=300)
def test_flipped_bytes_end_in_a_verdict_and_never_in_another_error(flips: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for at, value in flips:
        data[at] = value
    with suppress(Damaged):
        check(bytes(data))


def refused(graph: tiny.Graph) -> str:
    with pytest.raises(Damaged) as caught:
        check(bytes(graph.pack()))
    return str(caught.value)


def test_an_operator_that_names_a_tensor_that_is_not_there_is_refused() -> None:
    graph = tiny.softmax()
    graph.ops[0].inputs = [7]
    assert refused(graph) == "a tensor of operator 0 is number 7, and there are 2"


def test_a_graph_whose_output_is_not_there_is_refused() -> None:
    graph = tiny.softmax()
    graph.outputs = [2]
    assert refused(graph) == "an output of the graph is number 2, and there are 2"


def test_weights_shorter_than_their_shape_are_refused() -> None:
    graph = tiny.softmax()
    graph.tensors.append(tiny.Tensor("weights", [4, 4], data=bytes(15)))
    assert refused(graph) == "tensor 2 of shape [4, 4] has 15 bytes"


def test_a_root_outside_of_the_file_is_refused() -> None:
    data = bytearray(WHOLE)
    struct.pack_into("<I", data, 0, 1 << 31)
    with pytest.raises(Damaged, match="leads to byte 2147483648"):
        check(bytes(data))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it has 0 bytes"),
        (b"PK\x03\x04" + bytes(100), "is it a packed bundle"),
        (b"<!DOCTYPE html><html>", "a web page in place of a download"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_what_it_is_instead_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    with pytest.raises(BundleError, match="is damaged or no TFLite model") as caught:
        check_file(tmp_path / "m.tflite")
    assert told in str(caught.value)
