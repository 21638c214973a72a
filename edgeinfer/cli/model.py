"""Models and bundles: look into them, try them, keep them in versions, prove and measure them on this device.

From nothing but a .tflite and a labels file: `try` shows what it finds, `add` makes a bundle in the store of it,
`bundle = "NAME"` in a config runs it. docs/bundles.md tells what a bundle is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeinfer.cli.subcommands import add_all, add_daemon, run

_COMMANDS = {
    "try": ("run a model on pictures, a video or a camera", "edgeinfer model try ./my_model.tflite belt.mp4"),
    "inspect": ("what a model file or a bundle holds", "edgeinfer model inspect ./my_model.tflite --json"),
    "add": (
        "make or take a bundle into the store",
        "edgeinfer model add scratch_int8.tflite --labels labels.txt --decoder ssd --name scratch",
    ),
    "list": ("what the store holds, and which versions are used", "edgeinfer model list"),
    "use": ("another version from now on", "edgeinfer model use scratch 3"),
    "rollback": ("back to the version that was used before", "edgeinfer model rollback scratch"),
    "remove": ("take a version, or a whole name, out of the store", "edgeinfer model remove scratch 1"),
    "verify": (
        "prove a bundle on this device: hashes and golden pictures",
        "edgeinfer model verify person",
    ),
    "reference": (
        "what a bundle sees when all is well, for the rule `drift`",
        "edgeinfer model reference parts good-shift.rec",
    ),
    "bench": (
        "how fast, how large, how hot: on this device",
        "edgeinfer model bench person --threads 1,2 --plot bench.png",
    ),
    "eval": (
        "how good a model is on data with known answers",
        "edgeinfer model eval motion --data moves.csv",
    ),
    "compare": (
        "what a change of a model costs",
        "edgeinfer model compare float.tflite int8.tflite --like parts --data pictures --max-loss 0.01",
    ),
    "quantize": (
        "a float model to full int8",
        "edgeinfer model quantize float.tflite --data pictures --like parts",
    ),
    "pack": (
        "one signed file of a bundle, for a stick or a web server",
        "edgeinfer model pack scratch --key ~/.config/edgeinfer/key.pem",
    ),
}
_STORE = set(_COMMANDS) - {"try"}
_DAEMON = {"add", "use", "rollback", "reference"}
_EXIT = "exit codes: 0 done · 1 the world failed · 2 the user's input is wrong"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands; each module adds its own options."""
    for name, command in add_all(parser, "model", _COMMANDS, _EXIT):
        if name in _STORE:
            command.add_argument(
                "--state", type=Path, metavar="DIR", help="a state folder, whose models/ is the store"
            )
        if name in _DAEMON:
            add_daemon(command)


def main(args: argparse.Namespace) -> int:
    """Runs the subcommand."""
    return run(args, "model")
