"""The configs in the pages of docs that have some are right."""

import re
from pathlib import Path

import pytest

from edgeinfer import registry
from edgeinfer.app.blueprint import draw
from edgeinfer.app.options import (
    PipelineOptions,
    RecipeOptions,
    StageOptions,
    StateOptions,
    TriggerOptions,
)
from edgeinfer.app.web_options import WebOptions
from edgeinfer.config import decode, loads
from edgeinfer.engine.options import ModelOptions

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"rules": "rules.md"}  # the rest: configuration.md
EXAMPLES = [
    example
    for page in ("configuration.md", "plc.md", "rules.md")
    for example in re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
]


def test_the_page_has_a_whole_config():
    config = loads(EXAMPLES[0], "example")
    assert all(config.of(section) for section in ("source", "model", "rule", "pipeline", "sink", "state"))


@pytest.mark.parametrize("section", ["source", "rule", "sink"])
def test_each_part_of_an_example_is_what_its_plugin_takes(section):
    problems = []
    for text in EXAMPLES:
        for part in loads(text, "example").of(section).values():
            decode(part, registry.find(f"{section}s", part.kind).Options, problems)
    assert problems == []


@pytest.mark.parametrize("text", EXAMPLES[-2:])
def test_the_examples_of_rules_are_whole_configs(text):
    draw(loads(text, "example"))


@pytest.mark.parametrize("page", ["triggers.md", "cascades.md"])
def test_the_first_example_of_a_page_is_a_whole_config(page):
    [text, *_] = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    draw(loads(text, page))


@pytest.mark.parametrize(
    ("page", "options"), [("triggers.md", TriggerOptions), ("cascades.md", StageOptions)]
)
def test_the_page_of_a_table_within_a_pipeline_names_each_of_its_keys(page, options):
    text = (DOCS / page).read_text()
    assert [key for key in options.__struct_encode_fields__ if f"`{key}`" not in text] == []


def test_the_table_of_rules_names_each_kind():
    page = (DOCS / "configuration.md").read_text()
    assert [kind for kind in registry.kinds("rules") if f"`{kind}`" not in page] == []


@pytest.mark.parametrize("group", ["sources", "rules", "sinks"])
def test_the_page_names_each_kind_and_each_of_its_keys(group):
    page = (DOCS / PAGES.get(group, "configuration.md")).read_text()
    for kind in registry.kinds(group):
        assert f'`kind = "{kind}"`' in page
        for key in registry.find(group, kind).Options.__struct_encode_fields__:
            assert re.search(rf"`{key}[`\s]", page), f"{kind}: {key}"


@pytest.mark.parametrize("options", [ModelOptions, PipelineOptions, RecipeOptions, StateOptions, WebOptions])
def test_the_page_names_each_key_of_the_tables_without_kinds(options):
    page = (DOCS / "configuration.md").read_text()
    assert [key for key in options.__struct_encode_fields__ if not re.search(rf"`{key}[`\s]", page)] == []
