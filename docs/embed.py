"""Puts the files of docs/snippets into the pages that show them: after each `<!-- snippets/NAME -->`. The tests run those
very files, and compare them with the pages.

    python docs/embed.py
"""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = ("subscribers.md", "brokers.md")
_LANGUAGES = {".py": "python", ".mjs": "javascript", ".js": "javascript", ".json": "json", ".yaml": "yaml", ".st": "iecst"}
_BLOCK = re.compile(r"(<!-- snippets/(\S+) -->\n)(?:```.*?\n```\n)?", re.DOTALL)


def embedded(page: str) -> str:
    """`page` with the files as they are now."""

    def block(found: re.Match[str]) -> str:
        path = DOCS / "snippets" / found[2]
        return f"{found[1]}```{_LANGUAGES.get(path.suffix, '')}\n{path.read_text()}```\n"

    return _BLOCK.sub(block, page)


if __name__ == "__main__":
    for name in PAGES:
        (DOCS / name).write_text(embedded((DOCS / name).read_text()))
