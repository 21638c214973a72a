"""Makes the reference that the rule `drift` compares with: what the bundle sees when all is well.

Runs the bundle over a recording of good production (edgeinfer record), a folder of pictures or a video, counts scores,
shares of classes, brightness, sharpness and readings, and puts the bundle with that reference into the store as a new
version. A reference wants what is usual: a whole shift tells more than a good minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from edgeinfer.cli.model_store import reloaded, shelf_of, tell, warn
from edgeinfer.cli.model_try import frames_of
from edgeinfer.distributions import Gathering
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_either
from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Inference, Readings
from edgeinfer.measures import measured
from edgeinfer.ports import Predictor, ReadingsPredictor
from edgeinfer.recording import is_recording, read
from edgeinfer.store import Bundle, find_bundle, open_bundle
from edgeinfer.store.draft import draft
from edgeinfer.store.packed import SIGNATURE
from edgeinfer.store.revise import with_reference


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME|DIR", help="a bundle in the store, or its folder")
    parser.add_argument("data", metavar="RECORDING|FOLDER|VIDEO", type=Path, help="what it usually sees")
    parser.add_argument("--source", metavar="NAME", help="of a recording with several sources, this one")
    parser.add_argument(
        "--least", metavar="N", type=int, default=200, help="leave out what was seen less often (default 200)"
    )
    parser.add_argument("--use", action="store_true", help="use the new version from now on")


def main(args: argparse.Namespace) -> int:
    if args.least < 20:
        raise InputError(f"--least: expected 20 or more, found {args.least}: fewer tell nothing")
    if not args.data.exists():
        raise InputError(f"{args.data}: is not there; expected a recording, a folder of pictures or a video")
    bundle, shelf = open_bundle(find_bundle(args.name, args.state)), shelf_of(args)
    gathered = _gather(bundle, _samples(args.data, args.source))
    reference = gathered.reference(args.least)
    if not reference.measures:
        raise InputError(
            f"{args.data}: {bundle.identity} was asked {gathered.samples} times, and nothing was seen {args.least} times "
            "or more: give more of what it usually sees, or a smaller --least"
        )
    if (bundle.folder / SIGNATURE).exists():
        warn("the new version is not signed: sign it before devices that trust keys take it (edgeinfer sign)")
    with draft(shelf.root) as folder:
        name = bundle.manifest.name
        with_reference(bundle, reference, shelf.next_version(name), folder)
        placed, used = shelf.place(folder, use=args.use)
    daemon = used and reloaded(args)
    measures = {name: sum(shape.counts) for name, shape in reference.measures.items()}
    told = {"bundle": placed.identity, "version": placed.manifest.version, "used": used, "daemon": daemon}
    tell(
        args,
        {**told, "samples": reference.samples, "measures": measures},
        _sentence(placed, measures, used=used),
    )
    return 0


def _sentence(bundle: Bundle, measures: dict[str, int], *, used: bool) -> str:
    rows = "\n".join(f"  {name}: {count} values" for name, count in measures.items())
    name, version = bundle.manifest.name, bundle.manifest.version
    then = "it is used now" if used else f"use it: edgeinfer model use {name} {version}"
    return f"{bundle.identity}: version {version} with a reference of\n{rows}\n{then}"


def _gather(bundle: Bundle, samples: Iterable[Frame | Readings]) -> Gathering:
    found = Gathering()
    predictor = open_either(bundle, ModelOptions(bundle=bundle.manifest.name, isolate=True))
    try:
        for sample in samples:
            for seen in _seen(predictor, sample):
                found.add(seen)
    finally:
        predictor.close()
    return found


def _seen(predictor: Predictor | ReadingsPredictor, sample: Frame | Readings) -> Iterator[Inference]:
    """As in the daemon: a block of readings is told with the first window that it completes."""
    if isinstance(predictor, ReadingsPredictor):
        seen = list(predictor.read(sample)) if isinstance(sample, Readings) else []
    else:
        seen = [predictor.predict(sample)] if isinstance(sample, Frame) else []
    if seen:
        yield replace(seen[0], measures=measured(sample))
        yield from seen[1:]


def _samples(data: Path, source: str | None) -> Iterator[Frame | Readings]:
    if is_recording(data):
        return (seen for seen in read(data, warn, source) if isinstance(seen, Frame | Readings))
    return (frame for _, frame in frames_of(str(data)))
