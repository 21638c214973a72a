"""What `model eval` and `model compare` have in common: their options, the bundle that is meant, and its run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.cli.model_backend import add_backend_options, options_of
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
    add_backend_options(parser)


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


def asked_options(args: argparse.Namespace, backends: Sequence[str]) -> ModelOptions:
    """How all of `backends` run; raises InputError for a wrong option, that of --limit as well."""
    if args.limit < 0:
        raise InputError(f"--limit: expected a number of samples, or 0 for all, found {args.limit}")
    return options_of(args, backends, args.threads)


def run_shown(bundle: Bundle, data: Dataset, backend: str, options: ModelOptions) -> Run:
    """The run, with a progress line where somebody looks."""
    from edgeinfer.evaluate.run import run, unthresholded

    asked = unthresholded(bundle) if data.task == "boxes" else bundle
    with Progress(f"{bundle.manifest.name} on {backend}", len(data.examples)) as progress:
        return run(asked, data, backend, options, progress.step)
