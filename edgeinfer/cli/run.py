"""Runs a config as a daemon until SIGTERM or Ctrl-C; SIGHUP reads the config again.

It decides without a broker and without its cameras, and takes both up again when they come back.
It ends by itself only when every input has come to its end (video files that do not loop).
"""

from __future__ import annotations

import argparse

from edgeinfer.app.daemon import Daemon
from edgeinfer.cli.setting import add_config, setting_of
from edgeinfer.cli.trust import add_trust
from edgeinfer.runtime import logs
from edgeinfer.runtime.systemd import Systemd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_trust(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="log debug messages as well")
    parser.epilog = "example: edgeinfer run /etc/edgeinfer/config.toml"


def main(args: argparse.Namespace) -> int:
    systemd = Systemd.from_environment()
    logs.set_up(systemd, verbose=args.verbose)
    daemon = Daemon(setting_of(args.config, systemd, args.trust))
    daemon.heed_signals()
    daemon.crashes.watch()
    return daemon.run()
