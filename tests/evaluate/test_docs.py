"""What docs/evaluation.md shows is what the commands take."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from edgeinfer.cli import model

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
COMMANDS = re.findall(r"^edgeinfer model (.*?)(?:  .*)?$", PAGE, re.MULTILINE)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    model.add_arguments(made)
    return made


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_a_command(command) -> None:
    assert parser().parse_args(shlex.split(command)).model_command in {"eval", "compare", "quantize"}


def test_the_page_tells_every_option(capsys) -> None:
    options = set()
    for command in ("eval", "compare", "quantize"):
        with pytest.raises(SystemExit):
            parser().parse_args([command, "--help"])
        options |= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {o for o in options if o not in PAGE} <= {"--help", "--state"}
