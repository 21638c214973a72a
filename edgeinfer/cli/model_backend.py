"""How a model is to run, as `model bench`, `verify`, `eval` and `compare` ask for it: the keys of [model.NAME] as options.

What is said becomes that table, which the config's own decoding judges: one reader, one set of errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from edgeinfer.app.blueprint import check_backends
from edgeinfer.cli.model_draft import pairs, toml_value
from edgeinfer.config import Part, Where, decode
from edgeinfer.engine.options import ModelOptions
from edgeinfer.errors import ConfigError, InputError, Problem

_ASKED: dict[tuple[str | int, ...], str] = {
    ("threads",): "--threads:",
    ("backends",): "--backends:",
    ("python",): "--python:",
    ("isolate",): "--isolate:",
    ("edgetpu",): "--option or --library:",
    ("external",): "--option or --library:",
    ("options",): "--option or --library:",
}


def add_backend_options(parser: argparse.ArgumentParser) -> None:
    """Library, options, interpreter, child process; which backends, and how many threads, each command asks itself."""
    group = parser.add_argument_group("how it runs (as [model.NAME] of a config says it)")
    group.add_argument(
        "--library", metavar="FILE", help="of the delegate: backend external, or edgetpu's own"
    )
    group.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the delegate, repeated",
    )
    group.add_argument(
        "--python",
        default="",
        metavar="PATH",
        help="another interpreter, with its own runtime, in a child process",
    )
    group.add_argument("--isolate", action="store_true", help="run the model in a child process")


def options_of(args: argparse.Namespace, backends: Sequence[str], threads: int) -> ModelOptions:
    """What was said, as the config has it.

    Raises:
        InputError: all that is wrong with it, each by its option.
    """
    if threads < 1:  # in a config, 0 shares the cores out; here there is nobody to share with
        raise InputError(f"--threads: expected a number of 1 or more, found {threads}")
    table: dict[str, Any] = {
        "bundle": "",
        "backends": list(backends),
        "threads": threads,
        "python": args.python,
    }
    if args.isolate:
        table["isolate"] = True
    given = [name for name in backends if name != "cpu"]
    if not given and (args.library or args.option):
        raise InputError(
            '--library and --option: are of a delegate, and the backend "cpu" has none; name external or edgetpu'
        )
    for name in given:
        if asked := _table(name, args):
            table |= {name: asked} if name in {"edgetpu", "external"} else _of_others(table, name, asked)
    return _decoded(table)


def _table(backend: str, args: argparse.Namespace) -> dict[str, Any]:
    library = {"library": args.library} if args.library else {}
    said = dict(pairs("--option", args.option))
    if backend == "external":  # text, as the library gets it
        return library | ({"options": said} if said else {})
    return library | {key: toml_value(text, f"--option {key}") for key, text in said.items()}


def _of_others(table: dict[str, Any], name: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {"options": {**table.get("options", {}), name: asked}}


def _decoded(table: dict[str, Any]) -> ModelOptions:
    problems: list[Problem] = []
    part = Part("model", "", "", table, Where("the command line:", _ASKED))
    options = decode(part, ModelOptions, problems)
    if options is not None:
        check_backends(part, options, problems)
    if options is None or problems:
        raise ConfigError(problems)
    return options
