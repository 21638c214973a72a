"""The entry point: finds the command, imports that one only, and turns errors into one message and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from edgeinfer import __version__
from edgeinfer.errors import ConfigError, EdgeinferError, nearest

COMMANDS = {
    "demo": "the whole line on built-in parts: nothing to configure, nothing to plug in",
    "devices": "what is plugged in: cameras, serial ports, accelerators, and the board",
    "check": "say whether a config is right, and what it would run on",
    "run": "run a config as a daemon",
    "record": "write what the sources see into a recording, for replay",
    "replay": "a video or a recording through a config: decisions to stdout, deterministic",
    "explain": "why was this decided? picture, findings, rule states, thresholds, stage times",
    "health": "ask a running daemon how it is",
    "reload": "ask a running daemon to read its config again",
    "pause": "let a pipeline of a running daemon judge nothing for a while",
    "resume": "let it go on",
    "set": "set a number of a rule in a running daemon, within the limits of its config",
    "snapshot": "the newest picture of a source, from a running daemon",
    "audit": "what was done to this device, and whether that log is whole",
    "model": "try, add, list, use, prove, measure and pack models",
    "key": "make a key that signs, show what this device trusts",
    "sign": "sign a bundle, a firmware package or any file",
    "firmware": "list, pack, flash and prove the firmware of microcontrollers",
    "fleet": "all devices on a broker: who is online, versions, bundles, what is degraded, latency",
    "verify-stream": "subscribe as a stranger: holes, repeats, disorder and lateness, per device",
    "schema": "the JSON Schema of the config, for editors, or of the messages, for subscribers",
}

_HELP = """\
edgeinfer: one line from cameras and sensors to decisions over MQTT.

usage: edgeinfer COMMAND …        edgeinfer COMMAND --help teaches the command

{commands}

The first minutes:
  edgeinfer demo                  see decisions, with a broker to subscribe to
  edgeinfer check my.toml         is my config right?
  edgeinfer run my.toml           run it

exit codes: 0 done · 1 the world failed · 2 the user's input is wrong
"""


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(argv)
    except EdgeinferError as error:
        _tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `… | head` has seen enough
        return 0


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in {"-h", "--help", "help"}:
        lines = "\n".join(f"  {name:<13} {text}" for name, text in COMMANDS.items())
        print(_HELP.format(commands=lines))
        return 0 if argv else 2
    if argv[0] in {"-V", "--version"}:
        print(f"edgeinfer {__version__}")
        return 0
    name = argv[0]
    if name not in COMMANDS:
        print(
            f"edgeinfer: no command {name!r}{nearest(name, COMMANDS)}; edgeinfer --help lists them",
            file=sys.stderr,
        )
        return 2
    command = importlib.import_module(f"edgeinfer.cli.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(
        prog=f"edgeinfer {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    code: int = command.main(parser.parse_args(argv[1:]))
    return code


def _tell(error: EdgeinferError) -> None:
    if isinstance(error, ConfigError):
        n = len(error.problems)
        print(f"edgeinfer: the config has {n} problem{'s' if n > 1 else ''}:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
    else:
        print(f"edgeinfer: {error}", file=sys.stderr)
