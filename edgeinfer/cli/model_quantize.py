"""Makes a full int8 .tflite of a float one: int8 within, int8 at both ends, as accelerators want it.

The samples of --data show the quantizer which values occur. They are prepared as the daemon would: by the manifest of
--like, else by --fit, --colour, --mean and --std; readings without --like are taken as they are.
Needs the extra: pip install 'edgeinfer[quantize]'
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.store import Bundle, InputOptions, find_bundle, open_bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="FLOAT.tflite", type=Path, help="a float model with a signature")
    parser.add_argument(
        "--data",
        metavar="FOLDER|RECORDING|CSV",
        type=Path,
        required=True,
        help="samples of what the model will see: 100 to 500 of them",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="default: NAME_int8.tflite beside the float model"
    )
    parser.add_argument("--force", action="store_true", help="replace the output where it exists")
    parser.add_argument(
        "--like", metavar="BUNDLE", help="a bundle whose manifest says how samples are prepared"
    )
    parser.add_argument("--samples", metavar="N", type=int, default=300, help="at most so many (default 300)")
    parser.add_argument("--fit", choices=["stretch", "letterbox", "crop"], default="stretch")
    parser.add_argument("--layout", choices=["NHWC", "NCHW"], default="NHWC")
    parser.add_argument("--colour", choices=["RGB", "BGR", "GRAY"], default="RGB")
    parser.add_argument(
        "--mean", type=float, default=0.0, help="the model takes (pixel - mean) / std (default 0)"
    )
    parser.add_argument("--std", type=float, default=255.0, help="(default 255: pixels become 0 to 1)")


def main(args: argparse.Namespace) -> int:
    """Exit 0 when the new file is there and opens."""
    from edgeinfer.evaluate.calibration import ENOUGH, calibration
    from edgeinfer.evaluate.quantizing import float_input, quantize

    model: Path = args.model
    out: Path = args.out or model.with_name(f"{model.stem}_int8.tflite")
    if out.exists() and not args.force:
        raise InputError(f"{out}: exists already; another name with --out, or --force to replace it")
    if args.samples < ENOUGH:
        raise InputError(f"--samples: expected {ENOUGH} or more, found {args.samples}")
    tensor = float_input(model)
    inputs = calibration(args.data, tensor, _like(args), _pictures(args), args.samples)
    done = quantize(model, inputs, out)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(done)).decode())
        return 0
    share = done.after_bytes / done.before_bytes
    print(f"{out}: {done.after_bytes:,} bytes, {share:.0%} of the float model's {done.before_bytes:,}")
    print(f"  int8 within and at both ends, calibrated with {done.samples} samples; it opens")
    if done.floating:
        print(f"  {done.floating} part(s) of it stay in float: no delegate takes these")
    print(f"  what it costs: edgeinfer model compare {model} {out} --like BUNDLE --data DATA --max-loss 0.01")
    return 0


def _like(args: argparse.Namespace) -> Bundle | None:
    return open_bundle(find_bundle(args.like, args.state)) if args.like else None


def _pictures(args: argparse.Namespace) -> InputOptions:
    if not args.std > 0:
        raise InputError(f"--std: expected a number above 0, found {args.std:g}")
    return InputOptions(fit=args.fit, layout=args.layout, colour=args.colour, mean=args.mean, std=args.std)
