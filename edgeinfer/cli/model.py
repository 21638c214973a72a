"""Looks into model files and bundles, and proves a bundle on this device."""

from __future__ import annotations

import argparse

_INSPECT = """\
Shows what a .tflite file or a bundle holds: inputs and outputs with shape, dtype, scale and zero point,
operators, labels inside the file; of a bundle also its manifest and whether each file's sha256 is right.
The file is opened in a process of its own: a damaged one is reported and does no harm."""

_VERIFY = """\
Proves a bundle on this very device: every file's sha256, then its golden pictures through the whole path
(fit, runtime, decoder) against what its maker found. Boxes may differ by IoU 0.85, scores by 0.05.
Exit 0: all as it should be. 1: this device finds something else. 2: the bundle itself is wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands and their options."""
    commands = parser.add_subparsers(dest="model_command", required=True, metavar="COMMAND")
    inspect = commands.add_parser(
        "inspect",
        help="what a model file or a bundle holds",
        description=_INSPECT,
        epilog="example: edgeinfer model inspect person\n         edgeinfer model inspect ./my_model.tflite --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inspect.add_argument(
        "what", metavar="FILE|BUNDLE", help="a .tflite file, a bundle's folder, or its name in the store"
    )
    verify = commands.add_parser(
        "verify",
        help="prove a bundle on this device: hashes and golden pictures",
        description=_VERIFY,
        epilog="example: edgeinfer model verify person\n         edgeinfer model verify ./models/mine --threads 2",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("what", metavar="NAME|DIR", help="a bundle's name in the store, or its folder")
    verify.add_argument("--threads", type=int, default=1, help="threads of the runtime (default 1)")
    verify.add_argument("--isolate", action="store_true", help="run the model in a child process")
    for command in (inspect, verify):
        command.add_argument(
            "--state", metavar="DIR", help="a daemon's state folder, whose models/ is searched first"
        )
        command.add_argument("--json", action="store_true", help="for programs: one JSON object on stdout")


def main(args: argparse.Namespace) -> int:
    """Runs the subcommand; imports only what it needs."""
    if args.model_command == "inspect":
        from edgeinfer.cli.model_inspect import inspect

        return inspect(args)
    from edgeinfer.cli.model_verify import verify

    return verify(args)
