"""What the commands that take a CONFIG share: finding it, logging, and where its state lies."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from edgeinfer.app.blueprint import Blueprint, draw
from edgeinfer.app.daemon import Setting
from edgeinfer.config import load
from edgeinfer.errors import Problem
from edgeinfer.runtime.systemd import Systemd

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
    return draw(config, problems, systemd.state_dir)


def setting_of(path: Path, systemd: Systemd) -> Setting:
    """How a daemon of this config runs."""
    blueprint = draw_file(path, systemd)
    state_dir = blueprint.state.folder(blueprint.device, systemd.state_dir)
    door = (systemd.runtime_dir or state_dir) / "control.sock"
    return Setting(blueprint, lambda: draw_file(path, systemd), state_dir, door, systemd)


def log_to_stderr(systemd: Systemd, *, verbose: bool) -> None:
    """Under systemd the journal adds the time; in a terminal we do."""
    form = "%(levelname)s %(message)s" if systemd.notify_socket else "%(asctime)s %(levelname)-7s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG if verbose else logging.INFO, format=form)
