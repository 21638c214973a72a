"""Shows what a .tflite file or a bundle holds: inputs and outputs with shape, dtype, scale and zero point,
operators, metadata and labels inside the file, what accelerators leave to the CPU, and which decoder it asks for
(with the reason); of a bundle its manifest and whether each file's sha256 is right.

The file is opened in a process of its own: a damaged one is reported and does no harm.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.cli.model_told import Told, told_json, told_text
from edgeinfer.cli.table import columns
from edgeinfer.engine.describe import ModelFacts, describe
from edgeinfer.engine.guess import guess
from edgeinfer.engine.takers import obstacles
from edgeinfer.errors import BundleError
from edgeinfer.store import Bundle, find_bundle, open_bundle
from edgeinfer.store.labels import parse_labels
from edgeinfer.store.manifest import as_json
from edgeinfer.store.metadata import read_metadata
from edgeinfer.tensors import TensorSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="FILE|BUNDLE", help="a .tflite file, a bundle's folder, or its name in the store"
    )


def main(args: argparse.Namespace) -> int:
    """Exit 0; a file or bundle that is wrong raises BundleError."""
    path = Path(args.what)
    if path.is_file() and path.name != "manifest.toml":
        facts = describe(path)
        told = _told(path, facts)
        _show(facts_json(facts) | told_json(told) if args.json else [*_file_text(facts), *told_text(told)])
        return 0
    if path.suffix == ".tflite":
        raise BundleError(f"{path}: there is no such file")
    bundle = open_bundle(find_bundle(args.what, args.state))
    variants = {name: describe(bundle.path(file)) for name, file in bundle.manifest.variants.items()}
    _show(_bundle_json(bundle, variants) if args.json else _bundle_text(bundle, variants))
    return 0


def _told(path: Path, facts: ModelFacts) -> Told:
    """What the file says about itself, and what follows from that."""
    metadata = read_metadata(path)
    try:
        return Told(metadata, guess(facts.spec, metadata, (), facts.operators), "", (*obstacles(facts),))
    except BundleError as error:
        return Told(metadata, None, str(error), (*obstacles(facts),))


def _show(what: dict[str, Any] | Iterable[str]) -> None:
    if isinstance(what, dict):
        print(msgspec.json.format(msgspec.json.encode(what)).decode())
        return
    print("\n".join(what))


def facts_json(facts: ModelFacts) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    spec: dict[str, Any] = plain.pop("spec")
    return spec | plain


def _bundle_json(bundle: Bundle, variants: dict[str, ModelFacts]) -> dict[str, Any]:
    return {
        "identity": bundle.identity,
        "folder": str(bundle.folder),
        "manifest": as_json(bundle.manifest),
        "labels": bundle.labels,
        "variants": {name: facts_json(facts) for name, facts in variants.items()},
    }


def _file_text(facts: ModelFacts) -> Iterator[str]:
    yield f"{facts.file}: {facts.size_bytes:,} bytes, read by {facts.runtime}"
    yield from _tensors("inputs", facts.spec.inputs)
    yield from _tensors("outputs", facts.spec.outputs)
    yield f"operators  {sum(facts.operators.values())}"
    yield from columns([str(n), name] for name, n in facts.operators.items())
    yield f"trial      {facts.trial or 'a first invoke went well'}"
    for name, lines in facts.embedded.items():
        labels = parse_labels("\n".join(lines))
        shown = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
        yield f"inside     {name}: {len(labels)} lines: {shown}" if labels else f"inside     {name}"


def _tensors(title: str, tensors: tuple[TensorSpec, ...]) -> Iterator[str]:
    yield title
    yield from columns(_cells(tensor) for tensor in tensors)


def _cells(tensor: TensorSpec) -> list[str]:
    shape = "x".join(map(str, tensor.shape)) or "known after the first inference"
    quantum = (
        f"scale {tensor.scale:.6g}, zero point {tensor.zero_point}" if tensor.quantized else "not quantized"
    )
    return [repr(tensor.name), tensor.dtype, shape, quantum]


def _bundle_text(bundle: Bundle, variants: dict[str, ModelFacts]) -> Iterator[str]:
    manifest = bundle.manifest
    yield f"{bundle.identity}, version {manifest.version}, in {bundle.folder}"
    yield f"  {manifest.summary}"
    yield f"  licence {manifest.licence}; from {manifest.provenance}"
    taken = "input" if manifest.window is None else "window"
    yield f"{taken:10} {_pairs(msgspec.to_builtins(manifest.input or manifest.window))}"
    yield f"decoder    {manifest.decoder.kind}: {_pairs(manifest.decoder.options)}"
    yield f"outputs    {_pairs(manifest.outputs)}"
    yield f"labels     {len(bundle.labels)}: {', '.join(bundle.labels[:12])}{', …' if len(bundle.labels) > 12 else ''}"
    yield f"figures    {_pairs(manifest.figures) or 'none'}"
    yield f"golden     {len(manifest.golden)} pictures (edgeinfer model verify {manifest.name})"
    yield "files      all with the right sha256"
    yield from columns([digest[:12], name] for name, digest in manifest.files.items())
    for backend, facts in variants.items():
        yield ""
        yield f"variant {backend}"
        yield from _file_text(facts)


def _pairs(table: Any) -> str:
    return ", ".join(f"{key} = {value}" for key, value in table.items() if value != "")
