"""What docs/commands.md says is what the program does."""

import json
import re
from pathlib import Path

import msgspec

from edgeinfer import registry
from edgeinfer.commands.table import NAMES
from edgeinfer.config import decode, loads
from edgeinfer.wire.bodies import ReplyBody

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()


def test_the_examples_are_what_plugins_take():
    problems = []
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        config = loads(text, "example")
        for section in ("rule", "sink"):
            for part in config.of(section).values():
                decode(part, registry.find(f"{section}s", part.kind).Options, problems)
    assert problems == []


def test_the_page_names_each_command():
    assert [name for name in NAMES if f"| `{name}` |" not in PAGE] == []


def test_the_answer_of_the_page_is_one():
    [text] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert msgspec.convert(json.loads(text), ReplyBody).outcome == "done"


def test_each_reason_of_a_refusal_is_on_the_page():
    sources = Path(__file__).parents[2] / "edgeinfer" / "commands"
    reasons = {
        reason
        for file in sources.glob("letter*.py")
        for reason in re.findall(r'Refusal\(\s*"(\w+)"', file.read_text())
    }
    assert len(reasons) > 8
    assert [reason for reason in reasons if f"`{reason}`" not in PAGE] == []
