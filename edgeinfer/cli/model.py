"""Models and bundles: look into them, try them, keep them in versions, prove and measure them on this device.

From nothing but a .tflite and a labels file: `try` shows what it finds, `add` makes a bundle in the store of it,
`bundle = "NAME"` in a config runs it. docs/bundles.md tells what a bundle is.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from edgeinfer.cli.setting import DEFAULT_CONFIG

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
_STORE = {
    "inspect",
    "verify",
    "add",
    "list",
    "use",
    "rollback",
    "remove",
    "bench",
    "pack",
    "eval",
    "compare",
    "quantize",
}
_DAEMON = {"add", "use", "rollback"}
_EXIT = "exit codes: 0 done · 1 the world failed · 2 the user's input is wrong"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands; each module adds its own options."""
    commands = parser.add_subparsers(dest="model_command", required=True, metavar="COMMAND")
    for name, (text, example) in _COMMANDS.items():
        module = import_module(f"edgeinfer.cli.model_{name}")
        command = commands.add_parser(
            name,
            help=text,
            description=module.__doc__,
            epilog=f"example: {example}\n{_EXIT}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument("--json", action="store_true", help="for programs: JSON on stdout")
        if name in _STORE:
            command.add_argument(
                "--state", type=Path, metavar="DIR", help="a state folder, whose models/ is the store"
            )
        if name in _DAEMON:
            _add_door(command)


def _add_door(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"the config of the daemon that is told (default: {DEFAULT_CONFIG})",
    )
    command.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's control socket")


def main(args: argparse.Namespace) -> int:
    """Runs the subcommand."""
    code: int = import_module(f"edgeinfer.cli.model_{args.model_command}").main(args)
    return code
