"""On which line each key of a TOML document stands; says nothing about values, and trusts that it is valid TOML.

Source of the grammar: toml.io/en/v1.0.0; line breaks inside inline tables (1.1) are understood as well.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from edgeinfer.config.syntax import parse

KeyPath = tuple[str | int, ...]
"""Keys and list indices from the root: ("rule", "scratched", "zone", 0)."""

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*\'''', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[KeyPath, int]:
    """Key path → line (from 1), for tables, keys and list items. `text` must be valid TOML."""
    return _Scanner(text.replace("\r\n", "\n")).document()


class _Scanner:
    """Walks once over the text. A table that is only implied ([a] in `[a.b]`) stands where it is first implied."""

    def __init__(self, text: str) -> None:
        self._text, self._pos = text, 0
        self._starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
        self._lines: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}  # how many [[...]] there were of each

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(_BLANK) or self._pos < len(self._text):
            if self._text[self._pos : self._pos + 1] == "[":
                table = self._header()
            elif self._pos < len(self._text):
                self._pair(table)
        return self._lines

    def _header(self) -> KeyPath:
        line, many = self._line(), self._text.startswith("[[", self._pos)
        self._pos += 2 if many else 1
        *parents, last = self._dotted()
        self._pos += 2 if many else 1
        path: KeyPath = ()
        for key in parents:
            path = self._latest((*path, key))
            self._lines.setdefault(path, line)
        path = (*path, last)
        if many:
            self._lines.setdefault(path, line)
            self._tables[path] = self._tables.get(path, 0) + 1
        path = self._latest(path)
        self._lines[path] = line
        return path

    def _latest(self, path: KeyPath) -> KeyPath:
        """A list of tables is entered at its last item."""
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _pair(self, table: KeyPath) -> None:
        self._skip(_BLANK)
        line, keys = self._line(), self._dotted()
        self._pos += 1  # =
        for n in range(1, len(keys)):
            self._lines.setdefault((*table, *keys[:n]), line)
        path = (*table, *keys)
        self._lines[path] = line
        self._value(path)

    def _dotted(self) -> list[str]:
        keys = [self._key()]
        while self._text.startswith(".", self._pos):
            self._pos += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        found = self._skip(_KEY).strip()
        return str(parse(f"k={found}")["k"]) if found[:1] in ('"', "'") else found

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        opening = self._text[self._pos : self._pos + 1]
        if opening == "[":
            self._items(path)
        elif opening == "{":
            self._inline(path)
        elif not self._skip(_STRING):
            self._skip(_SCALAR)

    def _items(self, path: KeyPath) -> None:
        n = 0
        while not self._closes("]"):
            item = (*path, n)
            self._lines[item] = self._line()
            self._value(item)
            n += 1

    def _inline(self, path: KeyPath) -> None:
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, bracket: str) -> bool:
        """Passes an opening bracket or a comma; True when `bracket` closes instead."""
        self._skip(_BLANK)
        at = self._text[self._pos : self._pos + 1]
        if at in ("", bracket):
            self._pos += 1
            return True
        self._pos += 1
        self._skip(_BLANK)
        if self._text[self._pos : self._pos + 1] == bracket:  # nothing in it, or a comma at the end
            self._pos += 1
            return True
        return False

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._pos)
        if match is None:
            return ""
        self._pos = match.end()
        return match.group()

    def _line(self) -> int:
        return bisect_right(self._starts, self._pos)
