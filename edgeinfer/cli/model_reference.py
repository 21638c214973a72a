"""Makes a new version of a bundle that knows what is usual: how scores, labels, brightness and sharpness are distributed.

The rule `drift` compares with it. Show it what the model will see when all is well: a day of the line, not an hour.
The new version is not signed: sign it as any other (`edgeinfer model pack --key`).
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from itertools import islice
from pathlib import Path

import msgspec

from edgeinfer.cli.model_gather import copied
from edgeinfer.cli.model_store import reloaded, shelf_of, tell
from edgeinfer.cli.model_try import frames, options_of
from edgeinfer.engine.measured import Measured
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.errors import InputError
from edgeinfer.rules.distributions import Reference, measured, reference
from edgeinfer.store import REFERENCE, Bundle, find_bundle, open_bundle
from edgeinfer.store.draft import draft
from edgeinfer.store.revise import revise
from edgeinfer.store.shelf import Shelf

_LEAST = 200  # looks: fewer say more about the hour than about the line
_MOST = 200_000  # values of one measure: quantiles do not get better by more


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a name in the store, or a folder")
    parser.add_argument("pictures", metavar="PICTURES|VIDEO|CAMERA", help="what it sees when all is well")
    parser.add_argument("--count", type=int, metavar="N", help="stop after so many pictures")
    parser.add_argument("--threads", type=int, default=1, help="threads of the runtime (default 1)")
    parser.add_argument("--use", action="store_true", help="the new version is used from now on")


def main(args: argparse.Namespace) -> int:
    bundle = open_bundle(find_bundle(args.bundle, args.state))
    usual = _usual(args, bundle)
    shelf = shelf_of(args)
    made, used = _placed(shelf, bundle, usual, use=args.use)
    daemon = used and reloaded(args)
    told = {
        "name": made.manifest.name,
        "version": made.manifest.version,
        "identity": made.identity,
        "measures": {name: one.count for name, one in usual.measures.items()},
        "used": used,
        "daemon": daemon,
    }
    counts = ", ".join(f"{name} ({one.count})" for name, one in usual.measures.items())
    how = "used from now on" if used else f"edgeinfer model use {made.manifest.name} {made.manifest.version}"
    tell(args, told, f"{made.manifest.name} {made.manifest.version} knows {counts}; {how}")
    return 0


def _usual(args: argparse.Namespace, bundle: Bundle) -> Reference:
    if bundle.manifest.window is not None:
        raise InputError(f"{bundle.identity} takes readings: a reference is made of pictures")
    seen: dict[str, list[float | str]] = defaultdict(list)
    looks = 0
    predictor = Measured(open_predictor(bundle, options_of(args, bundle)), ("brightness", "sharpness"))
    try:
        for _, frame in islice(frames(args.pictures), args.count):
            looks += 1
            for name, value in measured(predictor.predict(frame)):
                if len(seen[name]) < _MOST:
                    seen[name].append(value)
    finally:
        predictor.close()
    if looks < _LEAST:
        raise InputError(f"{args.pictures}: expected at least {_LEAST} pictures, found {looks}: show it more")
    return reference(seen, f"{looks} pictures of {Path(args.pictures).name}")  # type: ignore[arg-type]  # of one kind each


def _placed(shelf: Shelf, bundle: Bundle, usual: Reference, *, use: bool) -> tuple[Bundle, bool]:
    with draft(shelf.root) as folder:
        copied(bundle.folder, folder, signed=False)
        text = json.dumps(msgspec.to_builtins(usual), indent=1)
        (folder / REFERENCE).write_text(text + "\n", encoding="utf-8")
        revise(folder, REFERENCE, shelf.next_version(bundle.manifest.name))
        return shelf.place(folder, use=use)
