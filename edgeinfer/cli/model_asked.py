"""What `model eval` and `model compare` have in common: their options, the bundle that is meant, and its run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edgeinfer.cli.progress import Progress
from edgeinfer.errors import InputError
from edgeinfer.store import Bundle, find_bundle, open_bundle

if TYPE_CHECKING:
    from edgeinfer.engine.options import ModelOptions
    from edgeinfer.evaluate.examples import Dataset
    from edgeinfer.evaluate.run import Run


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, delegate and threads."""
    parser.add_argument(
        "--data",
        metavar="PATH",
        type=Path,
        required=True,
        help="data.yaml, coco.json, a folder, or a CSV of readings",
    )
    parser.add_argument("--pictures", metavar="DIR", type=Path, help="where the pictures of a coco.json are")
    parser.add_argument(
        "--like", metavar="BUNDLE", help="the bundle whose manifest and labels a bare .tflite takes"
    )
    parser.add_argument("--good", metavar="CLASS", default="good", help="what is no anomaly (default: good)")
    parser.add_argument(
        "--limit", metavar="N", type=int, default=0, help="N samples, spread over all (default: all)"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, default=1, help="threads of the runtime (default 1)"
    )
    parser.add_argument(
        "--delegate",
        metavar="LIBRARY[,KEY=VALUE…]",
        help="the library of the backends `external` and `edgetpu`, and its options",
    )


def bundle_of(what: str, args: argparse.Namespace) -> Bundle:
    """A bundle by name or folder; a bare .tflite takes manifest and labels of --like.

    Raises:
        BundleError: there is none, or it is damaged.
        InputError: a bare file without --like.
    """
    from edgeinfer.evaluate.run import with_model

    if not what.endswith(".tflite"):
        return open_bundle(find_bundle(what, args.state))
    if not args.like:
        raise InputError(
            f"{what}: is a bare file, which does not say what its tensors mean; --like BUNDLE names a bundle that does"
        )
    return with_model(open_bundle(find_bundle(args.like, args.state)), Path(what))


def run_shown(bundle: Bundle, data: Dataset, backend: str, args: argparse.Namespace) -> Run:
    """The run, with a progress line where somebody looks."""
    from edgeinfer.evaluate.run import run, unthresholded

    asked = unthresholded(bundle) if data.task == "boxes" else bundle
    with Progress(f"{bundle.manifest.name} on {backend}", len(data.examples)) as progress:
        return run(asked, data, backend, _options(args), progress.step)


def _options(args: argparse.Namespace) -> ModelOptions:
    """Threads and delegate, as a config has them under [model.NAME]."""
    from edgeinfer.engine.options import ModelOptions

    if args.threads < 1 or args.limit < 0:
        raise InputError("--threads and --limit: expected a number of 1 and more (--limit 0: all samples)")
    table: dict[str, Any] = {"bundle": "", "threads": args.threads}
    if args.delegate:
        library, *pairs = args.delegate.split(",")
        options = dict(pair.partition("=")[::2] for pair in pairs)
        edgetpu = {key: value for key, value in options.items() if key == "device"}
        table |= {
            "edgetpu": {"library": library, **edgetpu},
            "external": {"library": library, "options": options},
        }
    try:
        return msgspec.convert(table, ModelOptions)
    except msgspec.ValidationError as error:
        raise InputError(f"--threads: {error}") from error
