"""A bundle made of a bare .tflite: what the file says, what the user says, and nothing that is asked twice."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.cli.model_golden import make_golden
from edgeinfer.cli.model_roles import Said, Use, use_of
from edgeinfer.config.syntax import SyntaxProblem
from edgeinfer.config.syntax import parse as parse_toml
from edgeinfer.engine.describe import Describer
from edgeinfer.errors import BundleError, InputError
from edgeinfer.store.compose import UNKNOWN, Recipe, write
from edgeinfer.store.labels import parse_labels
from edgeinfer.store.manifest import Tolerance
from edgeinfer.store.shelf import Shelf

_TPU = "_edgetpu"
_NOISE_WORDS = re.compile(r"(_edgetpu|_int8|_full_integer_quant|_integer_quant|_quant|_float(16|32)?)+$")
_TPU_TOLERANCE = Tolerance(iou=0.8, score=0.08)
"""An Edge TPU rounds otherwise than XNNPACK does: one quantum more, in each of the last layers."""


@dataclass(frozen=True)
class Wish:
    """What the command line, or the catalogue, says about a model; empty where it says nothing."""

    name: str = ""
    version: str = ""
    labels: tuple[str, ...] = ()
    decoder: Mapping[str, Any] = field(default_factory=dict)
    input: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    licence: str = ""
    provenance: str = ""
    golden: Path | None = None
    next_version: Callable[[str], str] = lambda _: "1"


def add_draft(parser: argparse.ArgumentParser) -> None:
    """The options that describe a bare .tflite."""
    group = parser.add_argument_group("for a .tflite (a bundle says all of this itself)")
    group.add_argument("--name", default="", help="of the bundle (default: the file's name)")
    group.add_argument("--version", default="", help="default: the next number")
    group.add_argument("--labels", type=Path, metavar="FILE", help="one name a line, class by class")
    group.add_argument("--decoder", default="", metavar="KIND", help="what its outputs mean, such as ssd")
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the decoder: score=0.4"
    )
    group.add_argument(
        "--output", action="append", default=[], metavar="ROLE=TENSOR", help="which output is which"
    )
    group.add_argument("--fit", choices=("letterbox", "stretch", "crop"), help="how a picture is fitted")
    group.add_argument("--colour", choices=("RGB", "BGR", "GRAY"), help="what it was trained on")
    group.add_argument("--mean", metavar="N[,N,N]", help="real = (pixel - mean) / std")
    group.add_argument("--std", metavar="N[,N,N]")
    group.add_argument("--golden", type=Path, metavar="DIR", help="pictures of your own, to prove it with")
    group.add_argument("--summary", default="", help="one sentence: what it finds")
    group.add_argument("--licence", default="", help=f"of the model (default: {UNKNOWN})")
    group.add_argument("--provenance", default="", help=f"where it comes from (default: {UNKNOWN})")


def wish_of(args: argparse.Namespace, shelf: Shelf | None = None) -> Wish:
    """The options as a Wish; raises InputError for one that cannot be read."""
    decoder = {key: toml_value(text, f"--set {key}") for key, text in pairs("--set", args.set)}
    fitted: dict[str, Any] = {"fit": args.fit, "colour": args.colour}
    fitted |= {key: _numbers(key, getattr(args, key)) for key in ("mean", "std") if getattr(args, key)}
    return Wish(
        name=args.name,
        version=args.version,
        labels=_labels(args.labels) if args.labels else (),
        decoder={"kind": args.decoder, **decoder} if args.decoder else decoder,
        input={key: value for key, value in fitted.items() if value is not None},
        outputs=dict(pairs("--output", args.output)),
        summary=args.summary,
        licence=args.licence,
        provenance=args.provenance,
        golden=args.golden,
        next_version=shelf.next_version if shelf else lambda _: "1",
    )


def make(path: Path, wish: Wish, folder: Path, *, golden: bool = True) -> None:
    """Writes a whole bundle for the model `path` (and its Edge TPU twin) into `folder`, without `golden` no pairs.

    Raises:
        BundleError: the file is damaged or cannot run, or what was said does not fit it.
        InputError: something must be said: labels, decoder, or which output is which.
    """
    pair = _pair(path)
    with Describer() as describer:
        facts = {backend: describer.facts(file) for backend, file in pair.items()}
    cpu = facts["cpu"]
    if cpu.trial:
        raise BundleError(f"{pair['cpu']}: cannot run on the CPU: {cpu.trial}")
    use = use_of(cpu, Said(wish.labels, wish.decoder, wish.input, wish.outputs))
    recipe = _recipe(use, {backend: file.name for backend, file in pair.items()}, wish)
    for file in pair.values():
        shutil.copyfile(file, folder / file.name)
    (folder / "labels.txt").write_text("\n".join(use.labels) + "\n", encoding="utf-8")
    for key, value in recipe.decoder.items():
        if isinstance(value, str) and value.endswith(".npy"):
            _beside(path, value, key, folder)
    write(folder, recipe)
    if golden:
        write(folder, msgspec.structs.replace(recipe, golden=make_golden(folder, wish.golden)))


def _pair(path: Path) -> dict[str, Path]:
    """The model and its twin for an Edge TPU, whichever of the two was named."""
    if path.stem.endswith(_TPU):
        cpu = path.with_name(path.stem.removesuffix(_TPU) + path.suffix)
        if not cpu.is_file():
            raise InputError(
                f"{path}: is compiled for an Edge TPU; put the file that it was compiled from beside it ({cpu.name})"
            )
        return {"cpu": cpu, "edgetpu": path}
    twin = path.with_name(f"{path.stem}{_TPU}{path.suffix}")
    return {"cpu": path, "edgetpu": twin} if twin.is_file() else {"cpu": path}


def _recipe(use: Use, variants: Mapping[str, str], wish: Wish) -> Recipe:
    name = wish.name or _plain(Path(variants["cpu"]).stem)
    return Recipe(
        name=name,
        version=wish.version or wish.next_version(name),
        variants=variants,
        input=use.input,
        outputs=use.outputs,
        decoder={"kind": use.decoder["kind"], "labels": "labels.txt", **use.decoder},
        summary=wish.summary or use.summary,
        licence=wish.licence or use.licence or UNKNOWN,
        provenance=wish.provenance or UNKNOWN,
        tolerance={backend: _TPU_TOLERANCE for backend in variants if backend != "cpu"},
    )


def _plain(stem: str) -> str:
    """A bundle's name out of a file's: small letters, digits, - and _."""
    found = re.sub(r"[^a-z0-9_-]+", "-", _NOISE_WORDS.sub("", stem.lower())).strip("-_")
    return found or "model"


def _beside(path: Path, name: str, key: str, folder: Path) -> None:
    file = Path(name) if Path(name).is_file() else path.with_name(name)
    if not file.is_file() or "/" in name:
        raise InputError(f"--set {key}: expected an .npy file beside {path.name}, found {name!r}")
    shutil.copyfile(file, folder / name)


def _labels(path: Path) -> tuple[str, ...]:
    try:
        return parse_labels(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--labels: {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--labels: {path}: is no text (UTF-8): {error}") from error


def pairs(option: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Key and value of each `KEY=VALUE`; raises InputError that names `option`."""
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise InputError(f"{option}: expected KEY=VALUE, found {text!r}")
        yield key.strip(), value.strip()


def toml_value(text: str, where: str) -> Any:
    """A TOML value; what is none is text, so that quotes need no quoting in a shell."""
    try:
        return parse_toml(f"value = {text}")["value"]
    except (SyntaxProblem, KeyError):
        if re.fullmatch(r"[\w./:-]+", text):
            return text
        raise InputError(
            f"{where}: expected a number, true, false, text or a [list], found {text!r}"
        ) from None


def _numbers(key: str, text: str) -> float | list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--{key}: expected a number, or one for each channel: 1,2,3; found {text!r}"
        ) from None
    return found[0] if len(found) == 1 else found
