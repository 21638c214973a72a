"""Runs a video or a recording through a config, as fast as it goes: decisions to stdout, one JSON line each.

Nothing is dropped and no clock is asked: the same input gives the same decisions with the same ids, on one core or
on all of them. The config's sinks and its state are left alone; its sources are replaced by VIDEO or RECORDING.

  --compare OTHER.toml    which decisions OTHER.toml makes otherwise; exit code 1 when there are any
  --sweep rule.scratched.score=0.4:0.9:0.05 --truth labels.csv
                          precision, recall and F1 for each value; inference runs once
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from edgeinfer.cli.progress import Progress
from edgeinfer.cli.replay_input import Replaced
from edgeinfer.errors import InputError
from edgeinfer.evaluate.ahead import Ahead
from edgeinfer.evaluate.replaying import Replayed, Way, replayed
from edgeinfer.events import Frame, Readings
from edgeinfer.runtime import logs
from edgeinfer.runtime.systemd import Systemd
from edgeinfer.taps import Seen, Tap

_MOST_JOBS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", type=Path, metavar="RECORDING|VIDEO", help="a recording's folder, or a video file"
    )
    parser.add_argument("config", type=Path, metavar="CONFIG")
    parser.add_argument(
        "--source", metavar="NAME", help="which source a video stands for, where there are several"
    )
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=0,
        metavar="N",
        help="infer on N cores (default: all; the result is the same)",
    )
    parser.add_argument("--realtime", action="store_true", help="no faster than it was recorded")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what the daemon logs")
    trying = parser.add_argument_group("try another config or other values")
    trying.add_argument("--compare", type=Path, metavar="OTHER.toml", help="tell how its decisions differ")
    trying.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="KEY=A:B:STEP",
        help="try each value; several make a grid",
    )
    trying.add_argument(
        "--truth", type=Path, metavar="CSV", help="what really happened, see docs/recordings.md"
    )
    trying.add_argument(
        "--tolerance", type=_tolerance, default=1.0, metavar="S",
        help="how far a decision may be from what it tells (default: %(default)g s)",
    )  # fmt: skip
    trying.add_argument("--json", action="store_true", help="of --compare and --sweep: as JSON")
    trying.add_argument("--plot", type=Path, metavar="PNG", help="of --sweep: draw precision, recall and F1")
    parser.epilog = "example: edgeinfer replay night-shift.mp4 line3.toml > decisions.jsonl"


def main(args: argparse.Namespace) -> int:
    if args.verbose:
        logs.set_up(Systemd(), verbose=True)
    _check(args)
    if args.compare:
        from edgeinfer.cli.replay_compare import compare

        return compare(args)
    if args.sweep:
        from edgeinfer.cli.replay_sweep import sweep

        return sweep(args)
    blueprint = Replaced(args.input, args.config, args.source).blueprint()
    ahead = Ahead(args.jobs or len(os.sched_getaffinity(0)))
    ahead.know(blueprint)
    with Progress("replay") as progress:

        def count(_post: str, seen: Seen) -> None:
            if isinstance(seen, Frame | Readings):
                progress.step()

        taps = (count, ahead.see, *pacing(realtime=args.realtime))
        done = replayed(blueprint, Way(ahead.open, ahead.ahead, taps))
        ahead.close()
    print(f"{progress.done} samples replayed", file=sys.stderr)
    return finish(done)


def pacing(*, realtime: bool) -> tuple[Tap, ...]:
    """A tap that holds up the feeds until a sample's moment has come, where that is wanted."""
    if not realtime:
        return ()
    from edgeinfer.cli.pacing import Pacing

    return (Pacing(),)


def finish(done: Replayed) -> int:
    """Says what could not be read; the exit code."""
    for text in done.told:
        print(f"edgeinfer: {text}", file=sys.stderr)
    if done.told:
        print("edgeinfer: what could be read was replayed", file=sys.stderr)
    return done.code or (1 if done.told else 0)


def _check(args: argparse.Namespace) -> None:
    if args.sweep and args.compare:
        raise InputError("--sweep and --compare: one of them at a time")
    if args.sweep and not args.truth:
        raise InputError(
            "--sweep: say what really happened with --truth CSV (docs/recordings.md has the columns)"
        )
    only = {"--truth": args.truth, "--plot": args.plot}
    if alone := [name for name, value in only.items() if value and not args.sweep]:
        raise InputError(f"{alone[0]}: belongs to --sweep")
    if args.json and not (args.sweep or args.compare):
        raise InputError(
            "--json: belongs to --compare and --sweep; the decisions of a replay are JSON anyway"
        )
    if args.plot and args.plot.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise InputError(f"--plot: expected a file that ends with .png or .jpg, found {args.plot.name!r}")


def _jobs(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= _MOST_JOBS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {_MOST_JOBS}, found {text!r}")
    return int(text)


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds from 0 to 3600, found {text!r}")
    return value
