"""Config files to a `Config`: reads, parses and merges conf.d; what the tables mean is judged elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.config.frame import device_of, parts_of
from edgeinfer.config.lines import KeyPath, lines_of
from edgeinfer.config.parts import Config, Where
from edgeinfer.config.syntax import SyntaxProblem, parse
from edgeinfer.errors import ConfigError, Problem

_MOST_BYTES = 4_000_000  # a config is written by people; more than this is some other file
_SYNTAX = r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)"  # compiled when it is needed


def load(path: Path, *, with_conf_d: bool = True, problems: list[Problem] | None = None) -> Config:
    """The config in `path`, and then in conf.d/*.toml beside it, in sorted order.

    Tables of the same name are merged; a key that is set twice is a problem.

    Args:
        path: the first file; must exist.
        with_conf_d: whether conf.d is read.
        problems: when given, problems of the frame (unknown section, missing kind, illegal name, …) are appended
            here and the config is returned all the same, so that the caller can find the problems inside of
            the parts as well and tell all at once. A part without `kind` then has kind "".

    Raises:
        ConfigError: all problems at once; always when a file cannot be read or is no valid TOML.
    """
    files = [path, *(sorted((path.parent / "conf.d").glob("*.toml")) if with_conf_d else ())]
    told: list[Problem] = []
    texts = {str(file): text for file in files if (text := _read(file, told)) is not None}
    return _config(str(path), texts, told, problems)


def loads(text: str, name: str, *, problems: list[Problem] | None = None) -> Config:
    """The config in `text`; `name` stands for the file in messages. Raises as `load` does."""
    return _config(name, {name: text}, [], problems)


def _config(name: str, texts: Mapping[str, str], told: list[Problem], kept: list[Problem] | None) -> Config:
    trees = {file: parsed for file, text in texts.items() if (parsed := _parse(file, text, told)) is not None}
    if told:
        raise ConfigError(told)
    merged: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for file, (tree, numbers) in trees.items():
        lines = {path: f"{file}:{line}" for path, line in numbers.items()}
        _merge(merged, tree, (), places, lines, told)
        places |= {path: place for path, place in lines.items() if path not in places}
    where = Where(name, places)
    if not merged:
        told.append(Problem(name, "the config is empty; docs/configuration.md has a whole one to start from"))
    config = Config(device_of(merged, where, told), parts_of(merged, where, told), _digest(merged), where)
    if told and (kept is None or not merged):
        raise ConfigError(told)
    if kept is not None:
        kept.extend(told)
    return config


# --- files -----------------------------------------------------------------------------------------------


def _read(file: Path, told: list[Problem]) -> str | None:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            told.append(Problem(str(file), f"larger than {_MOST_BYTES} bytes: that is no config"))
            return None
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        told.append(
            Problem(
                f"{file}:{line}", f"no text in UTF-8 ({_foreign(content)}); a config is TOML text in UTF-8"
            )
        )
    except OSError as error:
        told.append(Problem(str(file), _why_unreadable(file, error)))
    return None


def _foreign(content: bytes) -> str:
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return (
        "it looks like UTF-16: save it as UTF-8"
        if utf16
        else "it looks like a binary file or an old code page"
    )


def _why_unreadable(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; expected a config in TOML"
    if isinstance(error, IsADirectoryError):
        inside = sorted(p.name for p in file.glob("*.toml"))
        return f"this is a folder; expected a config file{f', such as {file / inside[0]}' if inside else ''}"
    if isinstance(error, PermissionError):
        return "may not be read by this user; check its owner and mode (ls -l)"
    return f"cannot be read: {error.strerror or error}"


def _parse(file: str, text: str, told: list[Problem]) -> tuple[dict[str, Any], dict[KeyPath, int]] | None:
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        told.append(
            Problem(f"{file}:{line}", "holds a zero byte: this is a binary file; a config is TOML text")
        )
        return None
    try:
        return parse(text), lines_of(text)
    except (SyntaxProblem, RecursionError, ValueError) as error:
        told.append(_syntax(file, str(error), text.count("\n") + 1))
        return None


def _syntax(file: str, message: str, last: int) -> Problem:
    match = re.fullmatch(_SYNTAX, message)
    if match is None:
        return Problem(file, f"no valid TOML: {message}")
    line, column = match[2] or str(last), match[3]
    hint = ""
    if match[1] == "Invalid value":
        hint = '; text stands in quotes ("belt"), and it is true or false, not yes or no'
    elif "overwrite" in match[1] or "twice" in match[1]:
        hint = "; the key or table is written twice"
    return Problem(
        f"{file}:{line}", f"no valid TOML{f' at column {column}' if column else ''}: {match[1]}{hint}"
    )


# --- merging ---------------------------------------------------------------------------------------------


def _merge(
    into: dict[str, Any],
    tree: Mapping[str, Any],
    path: KeyPath,
    places: Mapping[KeyPath, str],
    lines: Mapping[KeyPath, str],
    told: list[Problem],
) -> None:
    for key, value in tree.items():
        here = (*path, key)
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict):
            _merge(into[key], value, here, places, lines, told)
        else:
            where = Where("", lines).at(*here)
            told.append(Problem(where, f"set twice; it stands in {places.get(here, 'another file')} already"))


def _digest(merged: Mapping[str, Any]) -> str:
    return "sha256:" + sha256(msgspec.json.encode(merged, order="deterministic")).hexdigest()[:12]
