"""The pages show the very files that the tests run, all of them."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

from tests.subscribers.listeners import REPOSITORY, SNIPPETS

_SPEC = importlib.util.spec_from_file_location("embed", REPOSITORY / "docs/embed.py")
embed = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(embed)
PAGES = [REPOSITORY / "docs" / name for name in embed.PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_shows_the_files_as_they_are(page):
    text = page.read_text()
    assert text == embed.embedded(text), f"{page.name} is behind its files: run python docs/embed.py"


def test_every_file_is_shown():
    shown = [name for page in PAGES for name in re.findall(r"<!-- snippets/(\S+) -->", page.read_text())]
    assert sorted(shown) == sorted(path.name for path in SNIPPETS.iterdir())


def test_the_flow_has_the_function_that_the_page_explains():
    flow = json.loads((SNIPPETS / "node-red.json").read_text())
    [judge] = [node for node in flow if node["type"] == "function"]
    assert judge["func"] == (SNIPPETS / "node-red-function.js").read_text()
