"""The YAML of exporters' notes: scalars, lists of scalars and tables of scalars, one level deep; nothing else of YAML."""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None
Nested = Scalar | list[Scalar] | dict[str, Scalar]

_KEY = re.compile(r"""(?P<indent> *)(?P<key>'[^']*'|"[^"]*"|[^\s:#'"-][^:]*?):(?:\s+(?P<value>\S.*))?""")
_ITEM = re.compile(r" *- +(?P<value>\S.*)")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None}


def parse_flat_yaml(text: str) -> dict[str, Nested]:
    """What is nested deeper than one level is left out. Raises ValueError, with the line, for what is no such YAML."""
    found: dict[str, Nested] = {}
    key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or line.strip() in {"---", "..."}:
            continue
        item, pair = _ITEM.fullmatch(line), _KEY.fullmatch(line.rstrip())
        if item and key:
            _append(found, key, _scalar(item["value"]))
        elif pair and not pair["indent"]:
            key = str(_scalar(pair["key"]))
            found[key] = _scalar(pair["value"] or "null")
        elif pair and key:
            _insert(found, key, pair)
        elif not (key and line.startswith(" ")):  # a long text goes on: no note that we use is one
            raise ValueError(f"line {number}: expected `name: value`, found {line.strip()[:40]!r}")
    return found


def _append(found: dict[str, Nested], key: str, value: Scalar) -> None:
    have = found[key]
    if have is None:
        found[key] = [value]
    elif isinstance(have, list):
        have.append(value)


def _insert(found: dict[str, Nested], key: str, pair: re.Match[str]) -> None:
    have = found[key]
    if have is None:
        have = found[key] = {}
    if isinstance(have, dict) and len(pair["indent"]) == 2:  # as Ultralytics indents; deeper is another level
        have[str(_scalar(pair["key"]))] = _scalar(pair["value"] or "null")


def _scalar(text: str) -> Scalar:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
