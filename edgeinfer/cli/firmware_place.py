"""Where the flashing commands find things: the state folder with log and backups, the key, the daemon's socket."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeinfer.app.options import StateOptions
from edgeinfer.app.trust import TRUST
from edgeinfer.cli.setting import DEFAULT_CONFIG, door_of
from edgeinfer.config import decode, load
from edgeinfer.runtime.systemd import Systemd

TRUSTED_KEY = TRUST / "firmware.pem"
"""With this file in place, only what it signed is flashed."""


def folder_of(args: argparse.Namespace) -> Path:
    """`--state`, else `firmware` in the daemon's state folder, else in this user's own."""
    if args.state:
        return Path(args.state)
    if not args.config.exists() and args.config == DEFAULT_CONFIG:
        return Path.home() / ".local/state/edgeinfer/firmware"
    config = load(args.config, problems=[])
    state = decode(config.state, StateOptions, []) or StateOptions()
    return state.folder(config.device, Systemd.from_environment().state_dir) / "firmware"


def key_of(args: argparse.Namespace) -> Path | None:
    """`--key`, else the device's trusted key where there is one."""
    if args.key:
        return Path(args.key)
    return TRUSTED_KEY if TRUSTED_KEY.exists() else None


def socket_of(args: argparse.Namespace) -> Path | None:
    """The control socket to ask for a port; None where no daemon is configured on this machine."""
    if not args.socket and not args.config.exists() and args.config == DEFAULT_CONFIG:
        return None
    return door_of(args)
