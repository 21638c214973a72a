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
from edgeinfer.cli.setting import draw_file, log_to_stderr, seconds, stop_after
from edgeinfer.clock import SystemClock
from edgeinfer.config import bytes_of
from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Readings
from edgeinfer.recording import Writer
from edgeinfer.runtime.systemd import Systemd
from edgeinfer.taps import Seen


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
        "--max", default="10 GB", metavar="SIZE", help="stop writing there (default: %(default)s)"
    )
    parser.epilog = "example: edgeinfer record line3.toml night-shift --for 3600 --pictures jpg"


def main(args: argparse.Namespace) -> int:
    log_to_stderr(Systemd(), verbose=False)
    blueprint = replace(draw_file(args.config, Systemd()), sinks={})
    writer = Writer(
        args.folder,
        blueprint.device,
        SystemClock().now(),
        pictures=args.pictures,
        max_bytes=_bytes(args.max),
    )
    with tempfile.TemporaryDirectory(prefix="edgeinfer-record-") as state, Progress("record") as progress:
        daemon = Daemon(Setting(blueprint, lambda: blueprint, Path(state)))

        def tap(post: str, seen: Seen) -> None:
            writer(post, seen)
            if isinstance(seen, Frame | Readings):
                progress.step()

        daemon.taps.add(tap)
        daemon.heed_signals()
        stop_after(daemon, args.for_s)
        code = daemon.run()
        writer.close()
    print(
        f"{progress.done} samples in {args.folder}{f'; {writer.stopped}' if writer.stopped else ''}",
        file=sys.stderr,
    )
    return code


def _bytes(text: str) -> int:
    try:
        return bytes_of(text)
    except ValueError as error:
        raise InputError(f"--max: {error}") from error
