"""Runs a video or a recording through a config, as fast as it goes: decisions to stdout, one JSON line each.

Nothing is dropped and no clock is asked: the same input gives the same decisions with the same ids. The
config's sinks and its state are left alone; its sources are replaced by VIDEO or RECORDING.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeinfer.app.blueprint import Blueprint, draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.cli.progress import Progress
from edgeinfer.cli.setting import log_to_stderr
from edgeinfer.clock import StillClock
from edgeinfer.config import Config, Part, load
from edgeinfer.errors import InputError, Problem, nearest
from edgeinfer.events import Frame, Readings
from edgeinfer.runtime.systemd import Systemd

_KEPT = ("size", "rotate", "roi", "fps")  # how a camera's picture is cut stays as the config says


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", type=Path, metavar="RECORDING|VIDEO", help="a recording's folder, or a video file"
    )
    parser.add_argument("config", type=Path, metavar="CONFIG")
    parser.add_argument(
        "--source", metavar="NAME", help="which source a video stands for, where there are several"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="log what the daemon logs")
    parser.epilog = "example: edgeinfer replay night-shift.mp4 line3.toml > decisions.jsonl"


def main(args: argparse.Namespace) -> int:
    if args.verbose:
        log_to_stderr(Systemd(), verbose=True)
    blueprint = replay_blueprint(args.input, args.config, args.source)
    with tempfile.TemporaryDirectory(prefix="edgeinfer-replay-") as folder, Progress("replay") as progress:
        daemon = Daemon(Setting(blueprint, lambda: blueprint, Path(folder), clock=StillClock()))
        daemon.taps.add(lambda _post, seen: progress.step() if isinstance(seen, Frame | Readings) else None)
        daemon.heed_signals()
        code = daemon.run()
    print(f"{progress.done} samples replayed", file=sys.stderr)
    return code


def replay_blueprint(source_path: Path, config_path: Path, source: str | None) -> Blueprint:
    problems: list[Problem] = []
    config = load(config_path, problems=problems)
    if not source_path.exists():
        raise InputError(f"no such recording or video: {source_path}")
    sources = (
        _from_recording(config, source_path)
        if source_path.is_dir()
        else _from_video(config, source_path, source)
    )
    where = config.where.inside("sink", "stdout")
    stdout = Part("sink", "stdout", "console", {"format": "json"}, where)
    parts = {**config.parts, "source": {**config.of("source"), **sources}, "sink": {"stdout": stdout}}
    return draw(replace(config, parts=parts), problems)


def _from_video(config: Config, video: Path, wanted: str | None) -> Mapping[str, Part]:
    known = config.of("source")
    if wanted is not None and wanted not in known:
        raise InputError(f"--source: no [source.{wanted}] in the config{nearest(wanted, known)}")
    pictures = {name: part for name, part in known.items() if part.kind in {"camera", "pipe", "synthetic"}}
    if wanted is None and len(pictures) != 1:
        raise InputError(
            f"which source does {video} stand for? say --source with one of: {', '.join(pictures) or 'none'}"
        )
    name = wanted or next(iter(pictures))
    part = known[name]
    kept = {key: part.options[key] for key in _KEPT if key in part.options}
    return {name: replace(part, kind="camera", options={"from": str(video), "pace": "lockstep", **kept})}


def _from_recording(config: Config, recording: Path) -> Mapping[str, Part]:
    def replayed(name: str, part: Part) -> Part:
        options: dict[str, Any] = {"from": str(recording), "source": name, "pace": "lockstep"}
        return replace(part, kind="replay", options=options)

    return {name: replayed(name, part) for name, part in config.of("source").items()}
