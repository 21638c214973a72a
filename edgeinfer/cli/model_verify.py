"""Proves a bundle on this very device: every file's sha256, then its golden pictures through the whole path
(fit, runtime, decoder) against what its maker found. Boxes may differ by IoU 0.85, scores by 0.05.

Exit 0: all as it should be. 1: this device finds something else. 2: the bundle itself is wrong.
"""

from __future__ import annotations

import argparse

import msgspec

from edgeinfer.cli.model_backend import add_backend_options, options_of
from edgeinfer.cli.progress import Progress
from edgeinfer.engine.golden import Comparison
from edgeinfer.engine.golden import verify as run_golden
from edgeinfer.engine.window_predictor import open_either
from edgeinfer.ports import Predictor, ReadingsPredictor
from edgeinfer.store import Bundle, Tolerance, find_bundle, open_bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="NAME|DIR", help="a bundle's name in the store, or its folder")
    parser.add_argument("--threads", type=int, default=1, help="threads of the runtime (default 1)")
    parser.add_argument(
        "--backend", default="cpu", metavar="NAME", help="on which it is proven (default cpu)"
    )
    add_backend_options(parser)


def main(args: argparse.Namespace) -> int:
    """Exit 0 when all is as its maker said, 1 when this device finds something else; BundleError (2) else."""
    bundle = open_bundle(find_bundle(args.what, args.state))
    options = options_of(args, [args.backend], args.threads)
    predictor = open_either(bundle, options)
    try:
        results = _results(bundle, predictor, args.backend)
    finally:
        predictor.close()
    if args.json:
        print(_as_json(bundle, predictor.runtime, args.backend, results))
    else:
        print(_as_text(bundle, predictor.runtime, results))
    return 0 if all(result.tolerable for result in results) else 1


def _results(bundle: Bundle, predictor: Predictor | ReadingsPredictor, backend: str) -> list[Comparison]:
    results = []
    with Progress("golden inputs", len(bundle.manifest.golden)) as progress:
        for result in run_golden(bundle, predictor, backend):
            results.append(result)
            progress.step()
    return results


def _as_json(bundle: Bundle, runtime: str, backend: str, results: list[Comparison]) -> str:
    body = {
        "identity": bundle.identity,
        "runtime": runtime,
        "files": len(bundle.manifest.files),
        "tolerance": msgspec.to_builtins(bundle.manifest.tolerance.get(backend, Tolerance())),
        "golden": [msgspec.to_builtins(r) | {"passed": r.passed} for r in results],
        "passed": all(r.tolerable for r in results),
    }
    return msgspec.json.format(msgspec.json.encode(body)).decode()


def _as_text(bundle: Bundle, runtime: str, results: list[Comparison]) -> str:
    lines = [
        f"{bundle.identity} on {runtime}",
        f"  ok    {len(bundle.manifest.files)} files have the right sha256",
    ]
    for result in results:
        counts = f"{result.found} found, {result.expected} expected"
        worst = f"worst IoU {result.worst_iou:.3f}, worst score difference {result.worst_score:.3f}"
        lines.append(f"  {_verdict(result)}  {result.input}: {counts}; {worst}")
        lines += [f"         {sentence}" for sentence in result.wrong]
    if not results:
        lines.append(
            "  (the bundle has no golden pictures or readings: nothing was inferred but that the model opens)"
        )
    if not all(result.tolerable for result in results):
        lines.append("This device does not find what the maker of the bundle found: do not rely on it here.")
    return "\n".join(lines)


def _verdict(result: Comparison) -> str:
    if result.passed:
        return "ok  "
    return "noise" if result.tolerable else "WRONG"
