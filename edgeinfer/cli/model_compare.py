"""What a change of a model costs: B against A on the same data, in accuracy, size and latency.

A might be the float model and B its int8 twin, or A the version in use and B the next. Agreement needs no known
answers, so that a folder of pictures is enough; where the data knows them, the loss is that of mAP50, top-1 or AUC.
Exit 1 when the loss is above --max-loss.
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
    from edgeinfer.evaluate.compare import Comparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help="what it was: a bundle, or a .tflite together with --like")
    parser.add_argument("b", metavar="B", help="what it is to become")
    add_data_arguments(parser)
    parser.add_argument("--backend", metavar="NAME", default="cpu", help="on which both run (default cpu)")
    parser.add_argument(
        "--max-loss", metavar="X", type=float, help="exit 1 when more is lost: 0.01 is a hundredth"
    )


def main(args: argparse.Namespace) -> int:
    """Exit 0, or 1 when the loss is above --max-loss."""
    from edgeinfer.evaluate.compare import agreement, compare
    from edgeinfer.evaluate.data import read_data
    from edgeinfer.evaluate.report import judge

    options = asked_options(args, [args.backend])
    a, b = bundle_of(args.a, args), bundle_of(args.b, args)
    if a.manifest.decoder.kind != b.manifest.decoder.kind:
        kinds = f"{a.manifest.decoder.kind} and {b.manifest.decoder.kind}"
        raise InputError(
            f"{args.a} and {args.b} answer different questions (decoders {kinds}): nothing to compare"
        )
    data = read_data(args.data, a, args.pictures).first(args.limit)
    runs = [run_shown(bundle, data, args.backend, options) for bundle in (a, b)]
    reports = [judge(bundle, data, each, args.good) for bundle, each in zip((a, b), runs, strict=True)]
    found = compare(reports[0], reports[1], agreement(a, runs[0], runs[1]))
    lost = args.max_loss is not None and found.loss > args.max_loss
    if args.json:
        told = msgspec.to_builtins(found) | {"max_loss": args.max_loss, "passed": not lost}
        print(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        print("\n".join([*_text(found), *_verdict(found, args.max_loss, lost=lost)]))
    return 1 if lost else 0


def _text(found: Comparison) -> Iterator[str]:
    a, b = found.a, found.b
    rows = [
        ["", "A", "B", "B / A"],
        ["bytes", f"{a.size_bytes:,}", f"{b.size_bytes:,}", f"{b.size_bytes / a.size_bytes:.2f}"],
        [
            "runtime, µs",
            f"{a.invoke_us:.0f}",
            f"{b.invoke_us:.0f}",
            f"{b.invoke_us / max(a.invoke_us, 1e-9):.2f}",
        ],
    ]
    rows += [[n, number(v), number(b.figures[n]), f"{b.figures[n] - v:+.3f}"] for n, v in a.figures.items()]
    rows += [
        [f"{label}, {n}", number(v), number(w), f"{w - v:+.3f}"]
        for label, figures in a.classes.items()
        for n, v in figures.items()
        if (w := b.classes.get(label, {}).get(n)) is not None and w != v
    ]
    yield f"A  {a.model} on {a.runtime}"
    yield f"B  {b.model} on {b.runtime}"
    yield from columns(rows, figures=True)
    yield f"  agreement over {a.answers} answers: " + ", ".join(
        f"{n} {v:.4f}" for n, v in found.agreement.items()
    )


def _verdict(found: Comparison, most: float | None, *, lost: bool) -> Iterator[str]:
    if most is None:
        yield f"  loss ({found.measure}): {found.loss:.4f}"
    else:
        yield f"  loss ({found.measure}): {found.loss:.4f}, {'MORE than' if lost else 'within'} {most:g}"
