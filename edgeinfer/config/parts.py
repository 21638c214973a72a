"""What a config is once it is read: sections of named parts, each of which knows where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgeinfer.config.lines import KeyPath

SECTIONS = ("source", "model", "rule", "pipeline", "recipe", "sink", "state", "web")
SINGLE = ("state", "web")
"""The sections that are one table, without names."""

WITH_KIND = ("source", "rule", "sink")
"""The sections whose parts are plugins, named by `kind`."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the config files: `places` maps a key path to "file:line", `name` is the first file."""

    name: str
    places: Mapping[KeyPath, str]
    path: KeyPath = ()

    def at(self, *keys: str | int) -> str:
        """`config.toml:31 rule.scratched.score`; the line of the nearest enclosing table when the key is absent."""
        full = (*self.path, *keys)
        place = next(
            (self.places[full[:n]] for n in range(len(full), 0, -1) if full[:n] in self.places), self.name
        )
        return f"{place} {dotted(full)}".rstrip()

    def inside(self, *keys: str | int) -> Where:
        return Where(self.name, self.places, (*self.path, *keys))


def dotted(path: KeyPath) -> str:
    """`rule.scratched.zone[0]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Part:
    """One named table. `options` are its keys without `kind`, as TOML gave them.

    `kind` is "" where the section has no kinds (and where it was forgotten, which was told as a problem).
    `name` is "" for the tables of `SINGLE`. `adjustable` is what a rule lets commands change: key → [lowest, highest], as TOML gave it.
    """

    section: str
    name: str
    kind: str
    options: Mapping[str, Any]
    where: Where
    adjustable: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config; each section of `SECTIONS` is in `parts`, in the order in which it was written.

    `digest` is "sha256:" and 12 hexadecimal digits over the merged content: comments, order and layout do not
    change it. `where` is the root.
    """

    device: str
    parts: Mapping[str, Mapping[str, Part]]
    digest: str
    where: Where

    def of(self, section: str) -> Mapping[str, Part]:
        return self.parts[section]

    def one(self, section: str) -> Part:
        """The part of a section of `SINGLE`; without options when it is not written."""
        return self.parts[section][""]

    @property
    def state(self) -> Part:
        return self.one("state")
