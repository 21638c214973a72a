"""Runs a config and writes what its sources see into a recording, for `edgeinfer replay`.

Pictures (lossless PNG, or JPEG), readings, ticks, losses, and what the models and rules made of them. Nothing is
sent: the config's sinks and its outbox are left alone. A recording that was cut off is readable up to its last line.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.cli.progress import Progress
from edgeinfer.cli.setting import draw_file, seconds, stop_after
from edgeinfer.clock import SystemClock
from edgeinfer.config import bytes_of
from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Readings
from edgeinfer.recording import Bounds, Recorder, Writer
from edgeinfer.runtime import logs
from edgeinfer.runtime.systemd import Systemd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the recording; must not exist yet")
    parser.add_argument(
        "--for", dest="for_s", type=seconds, metavar="S", help="end after S seconds (default: Ctrl-C)"
    )
    parser.add_argument(
        "--pictures", choices=["png", "jpg"], default="png", help="png is lossless, jpg small"
    )
    parser.add_argument(
        "--quality", type=_quality, default=95, metavar="Q", help="of jpg, 1 to 100 (default 95)"
    )
    parser.add_argument(
        "--max-size", "--max", default="10 GB", metavar="SIZE", help="the bound of DIR (default: %(default)s)"
    )
    parser.add_argument(
        "--max-age", type=seconds, metavar="S", help="drop what is older than S seconds, segment by segment"
    )
    parser.add_argument(
        "--keep",
        choices=["first", "last"],
        default="first",
        help="what stays when DIR is full: stop writing (first), or drop the oldest segments (last)",
    )
    parser.epilog = "example: edgeinfer record line3.toml night-shift --for 3600 --pictures jpg"


def main(args: argparse.Namespace) -> int:
    logs.set_up(Systemd(), verbose=False)
    blueprint = replace(draw_file(args.config, Systemd()), sinks={})
    bounds = Bounds(_bytes(args.max_size), args.max_age or 0.0, args.keep)
    writer = Writer(
        args.folder,
        blueprint.device,
        SystemClock().now(),
        pictures=args.pictures,
        quality=args.quality,
        bounds=bounds,
    )
    with tempfile.TemporaryDirectory(prefix="edgeinfer-record-") as state, Progress("record") as progress:
        daemon = Daemon(Setting(blueprint, lambda: blueprint, Path(state), keeps=False))
        recorder = Recorder(
            writer, lambda seen: progress.step() if isinstance(seen, Frame | Readings) else None
        )
        daemon.taps.add(recorder)
        daemon.heed_signals()
        stop_after(daemon, args.for_s)
        code = daemon.run()
        recorder.close()
    print(_told(args.folder, progress.done, writer, recorder), file=sys.stderr)
    return code or int(writer.failed)


def _told(folder: Path, samples: int, writer: Writer, recorder: Recorder) -> str:
    told = [f"{samples} samples in {folder}"]
    if writer.stopped != "closed":
        told.append(f"the recording {writer.stopped}")
    if writer.dropped_segments:
        told.append(f"{writer.dropped_segments} segments before them were dropped")
    if recorder.dropped:
        told.append(f"{recorder.dropped} pictures were left out: they came faster than they could be written")
    return "; ".join(told)


def _bytes(text: str) -> int:
    try:
        return bytes_of(text)
    except ValueError as error:
        raise InputError(f"--max-size: {error}") from error


def _quality(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 100, found {text!r}")
    return int(text)
