"""How good a model is on data whose answers are known, by class and on each backend.

The data decides what is told: boxes (data.yaml of the YOLO family, COCO annotations) give mAP50 and mAP50-95; class
folders of pictures or readings, or a CSV with a column `label`, give top-1 and the confusion matrix; for an anomaly
model class folders or labels give the AUC against the class --good. docs/evaluation.md tells the formats.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edgeinfer.cli.progress import Progress
from edgeinfer.errors import InputError
from edgeinfer.store import Bundle, find_bundle, open_bundle

if TYPE_CHECKING:
    from edgeinfer.engine.options import ModelOptions
    from edgeinfer.evaluate.examples import Dataset
    from edgeinfer.evaluate.report import Matrix, Report
    from edgeinfer.evaluate.run import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a bundle, or a .tflite together with --like")
    add_data_arguments(parser)
    parser.add_argument(
        "--backends", metavar="NAMES", default="cpu", help="compared one by one: cpu,edgetpu (default cpu)"
    )


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """What `eval` and `compare` have in common."""
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


def main(args: argparse.Namespace) -> int:
    """Exit 0 when every backend was judged."""
    from edgeinfer.evaluate.data import read_data
    from edgeinfer.evaluate.report import judge

    bundle = bundle_of(args.model, args)
    data = read_data(args.data, bundle, args.pictures).first(args.limit)
    if data.task == "unlabelled":
        raise InputError(
            f"{args.data}: says of no sample what it is; expected class folders, a column `label`, or boxes "
            f"(edgeinfer model compare works without)"
        )
    backends = [name.strip() for name in args.backends.split(",")]
    reports = [judge(bundle, data, run_shown(bundle, data, name, args), args.good) for name in backends]
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(reports)).decode())
    else:
        print("\n".join(_text(reports)))
    return 0


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


def table(rows: list[list[str]]) -> Iterator[str]:
    """Columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *rest = (
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "  ".join([first, *rest])


def number(value: float) -> str:
    """Counts without digits behind the point, shares with three."""
    return f"{value:.0f}" if value > 1 and value == int(value) else f"{value:.3f}"


def _text(reports: list[Report]) -> Iterator[str]:
    for report in reports:
        yield f"{report.model} on {report.runtime}"
        if report.warning:
            yield f"  warning: {report.warning}"
        yield f"  {report.answers} answers, {report.invoke_us:.0f} µs each (median of the runtime), {report.size_bytes:,} bytes"
        yield "  " + "  ".join(f"{name} {number(value)}" for name, value in report.figures.items())
        names = list(next(iter(report.classes.values()), {}))
        rows = [[label, *(number(figures[n]) for n in names)] for label, figures in report.classes.items()]
        yield from table([["class", *names], *rows])
        if report.confusion:
            yield from _matrix(report.confusion)


def _matrix(matrix: Matrix) -> Iterator[str]:
    """Numbered columns, since names would not fit."""
    yield "  rows: what it is; columns: what the model says"
    head = ["", *(str(n) for n, _ in enumerate(matrix.labels, start=1))]
    rows = [
        [f"{n} {label}", *map(str, row)]
        for n, (label, row) in enumerate(zip(matrix.labels, matrix.rows, strict=True), start=1)
    ]
    yield from table([head, *rows])
