"""TFLite metadata and signatures of a model, from its flatbuffer; opens no file.

Sources: schema.fbs (TensorFlow Lite, identifier TFL3) and metadata_schema.fbs (TFLite Support, identifier M001);
the numbers of fields below are theirs.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from edgeinfer.store.flatbuffer import Buffer, Damaged, Table, root

METADATA = "TFLITE_METADATA"
_MOST = 4 << 20  # bytes of TFLite metadata

Colour = Literal["", "RGB", "GRAY"]
_COLOURS: dict[int, Colour] = {1: "RGB", 2: "GRAY"}
_IMAGE = 2  # ContentProperties
_NORMALIZATION, _THRESHOLD = 1, 3  # ProcessUnitOptions
_LABELS = {2, 3}  # AssociatedFileType: labels of an axis, labels of values


class TensorNote(Struct, frozen=True):
    """What TFLite metadata says of one input or output.

    `mean` and `std` are for pixels 0..255, one number or one for each channel. `least_score` is the threshold that
    its maker recommends. Empty or 0 where it says nothing.
    """

    name: str = ""
    description: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    colour: Colour = ""
    labels_file: str = ""
    least_score: float = 0.0


class Signature(Struct, frozen=True):
    """Names of a model's arguments and results, to the names of their tensors."""

    key: str
    inputs: dict[str, str]
    outputs: dict[str, str]


class TfliteNotes(Struct, frozen=True):
    inputs: tuple[TensorNote, ...] = ()
    outputs: tuple[TensorNote, ...] = ()
    signatures: tuple[Signature, ...] = ()
    description: str = ""
    licence: str = ""


def read_notes(data: Buffer) -> TfliteNotes:
    """Of the whole file `data`; raises Damaged where an offset or length is wrong."""
    if bytes(data[4:8]) != b"TFL3":
        raise Damaged(f"expected the identifier TFL3 at byte 4, found {bytes(data[4:8])!r}")
    model = root(data)
    signatures = _signatures(model)
    for entry in model.tables(6):
        if entry.text(0) == METADATA:
            return _notes(_buffer(model, entry.integer(1, "I")), signatures)
    return TfliteNotes(signatures=signatures)


def _buffer(model: Table, index: int) -> bytes:
    """A buffer's bytes; in a file above 2 GB they stand behind the flatbuffer."""
    buffers = model.tables(4)
    if index >= len(buffers):
        raise Damaged(f"metadata stands in buffer {index} of {len(buffers)}")
    start, size = buffers[index].integer(1, "Q"), buffers[index].integer(2, "Q")
    if start > 1 and size <= _MOST:
        return model.data[start : start + size]
    return buffers[index].blob(0, _MOST)


def _signatures(model: Table) -> tuple[Signature, ...]:
    graphs = model.tables(2)
    found = []
    for definition in model.tables(7):
        index = definition.integer(4, "I")
        if index >= len(graphs):
            raise Damaged(f"a signature names graph {index} of {len(graphs)}")
        names = [tensor.text(3) for tensor in graphs[index].tables(0)]
        found.append(
            Signature(definition.text(2), _mapped(definition, 0, names), _mapped(definition, 1, names))
        )
    return tuple(found)


def _mapped(definition: Table, field: int, names: list[str]) -> dict[str, str]:
    pairs = [(entry.text(0), entry.integer(1, "I")) for entry in definition.tables(field)]
    return {argument: names[index] for argument, index in pairs if index < len(names)}


def _notes(data: bytes, signatures: tuple[Signature, ...]) -> TfliteNotes:
    model = root(data)
    graphs = model.tables(3)
    inputs = tuple(map(_tensor, graphs[0].tables(2))) if graphs else ()
    outputs = tuple(map(_tensor, graphs[0].tables(3))) if graphs else ()
    return TfliteNotes(inputs, outputs, signatures, model.text(1), model.text(5))


def _tensor(note: Table) -> TensorNote:
    units = {unit.integer(0, "B"): unit.table(1) for unit in note.tables(4)}
    normal, threshold = units.get(_NORMALIZATION), units.get(_THRESHOLD)
    labels = [file.text(0) for file in note.tables(6) if file.integer(2, "b") in _LABELS]
    return TensorNote(
        name=note.text(0),
        description=note.text(1),
        mean=normal.numbers(0) if normal else (),
        std=normal.numbers(1) if normal else (),
        colour=_colour(note),
        labels_file=labels[0] if labels else "",
        least_score=threshold.real(0) if threshold else 0.0,
    )


def _colour(note: Table) -> Colour:
    content = note.table(3)
    if content is None or content.integer(0, "B") != _IMAGE:
        return ""
    picture = content.table(1)
    return _COLOURS.get(picture.integer(0, "b"), "") if picture else ""
