"""What the commands that take a CONFIG share: finding it, and where its state lies."""

from __future__ import annotations

import argparse
from pathlib import Path
from threading import Timer

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.app.options import StateOptions
from edgeinfer.app.overriding import draw_overridden
from edgeinfer.app.trust import TRUST
from edgeinfer.config import decode, load
from edgeinfer.errors import Problem
from edgeinfer.runtime.systemd import Systemd
from edgeinfer.web import front

DOOR = "control.sock"
SERVICE_DIR = Path("/run/edgeinfer")  # RuntimeDirectory= of the unit
DEFAULT_CONFIG = Path("/etc/edgeinfer/config.toml")


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config",
        type=Path,
        nargs="?",
        default=DEFAULT_CONFIG,
        metavar="CONFIG",
        help=f"the config, and conf.d/*.toml beside it (default: {DEFAULT_CONFIG})",
    )


def draw_file(path: Path, systemd: Systemd) -> Blueprint:
    """The blueprint of a config file; ConfigError with all that is wrong in it."""
    problems: list[Problem] = []
    config = load(path, problems=problems)
    return draw_overridden(config, problems, systemd.state_dir)


def setting_of(path: Path, systemd: Systemd, trust: Path = TRUST) -> Setting:
    """How a daemon of this config runs."""
    blueprint = draw_file(path, systemd)
    state_dir = blueprint.state.folder(blueprint.device, systemd.state_dir)
    door = (systemd.runtime_dir or state_dir) / DOOR
    return Setting(
        blueprint,
        lambda: draw_file(path, systemd),
        state_dir,
        door,
        systemd,
        trust=trust,
        fronts=(front,),
    )


def add_door(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--socket", type=Path, metavar="PATH", help="the daemon's control socket, where it is elsewhere"
    )


def door_of(args: argparse.Namespace) -> Path:
    """Where the daemon of a config answers; what is wrong inside of the parts of that config does not matter."""
    systemd = Systemd.from_environment()
    if args.socket or systemd.runtime_dir:
        return args.socket or (systemd.runtime_dir or Path()) / DOOR
    if args.config == DEFAULT_CONFIG and (SERVICE_DIR / DOOR).exists():
        return SERVICE_DIR / DOOR
    config = load(args.config, problems=[])
    state = decode(config.state, StateOptions, []) or StateOptions()
    return state.folder(config.device, systemd.state_dir) / DOOR


def seconds(text: str) -> float:
    """For argparse: a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, found {text!r}")
    return value


def stop_after(daemon: Daemon, for_s: float | None) -> None:
    """Ends the daemon in order after so many seconds; None never does."""
    if for_s is not None:
        timer = Timer(for_s, daemon.stop)
        timer.daemon = True
        timer.start()
