"""How good a model is on data whose answers are known, by class and on each backend.

The data decides what is told: boxes (data.yaml of the YOLO family, COCO annotations) give mAP50 and mAP50-95; class
folders of pictures or readings, or a CSV with a column `label`, give top-1 and the confusion matrix; for an anomaly
model class folders or labels give the AUC against the class --good. docs/evaluation.md tells the formats.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from edgeinfer.cli.model_asked import add_data_arguments, asked_options, bundle_of, run_shown
from edgeinfer.cli.table import columns, number
from edgeinfer.errors import InputError

if TYPE_CHECKING:
    from edgeinfer.evaluate.report import Matrix, Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a bundle, or a .tflite together with --like")
    add_data_arguments(parser)
    parser.add_argument(
        "--backends", metavar="NAMES", default="cpu", help="compared one by one: cpu,edgetpu (default cpu)"
    )


def main(args: argparse.Namespace) -> int:
    """Exit 0 when every backend was judged."""
    from edgeinfer.evaluate.data import read_data
    from edgeinfer.evaluate.report import judge

    backends = [name.strip() for name in args.backends.split(",")]
    options = asked_options(args, backends)
    bundle = bundle_of(args.model, args)
    data = read_data(args.data, bundle, args.pictures).first(args.limit)
    if data.task == "unlabelled":
        raise InputError(
            f"{args.data}: says of no sample what it is; expected class folders, a column `label`, or boxes "
            f"(edgeinfer model compare works without)"
        )
    reports = [judge(bundle, data, run_shown(bundle, data, name, options), args.good) for name in backends]
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(reports)).decode())
    else:
        print("\n".join(_text(reports)))
    return 0


def _text(reports: list[Report]) -> Iterator[str]:
    for report in reports:
        yield f"{report.model} on {report.runtime}"
        if report.warning:
            yield f"  warning: {report.warning}"
        yield f"  {report.answers} answers, {report.invoke_us:.0f} µs each (median of the runtime), {report.size_bytes:,} bytes"
        yield "  " + "  ".join(f"{name} {number(value)}" for name, value in report.figures.items())
        names = list(next(iter(report.classes.values()), {}))
        rows = [[label, *(number(figures[n]) for n in names)] for label, figures in report.classes.items()]
        yield from columns([["class", *names], *rows], figures=True)
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
    yield from columns([head, *rows], figures=True)
