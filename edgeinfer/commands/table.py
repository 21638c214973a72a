"""The table of commands: a frozen type each, with who may ask it and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from edgeinfer.errors import InputError

Permission = Literal["read", "operate"]
"""`read` changes nothing; `operate` changes what the daemon does. A door grants a set of these."""


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="health", tag_field="command"):
    """How every post is: conditions, reasons, counters, latencies."""


class Reload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reload", tag_field="command"):
    """Read the config again; what is wrong in it is told, and the old one stays."""


class Lend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="lend", tag_field="command"):
    """Keep off `port` for `lease_s` seconds: `to` (a flasher) wants it. Asked again, it renews the lease."""

    port: str
    to: str
    lease_s: float = 60.0


class Return(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="return", tag_field="command"):
    """The port is free again: its sources go on."""

    port: str


class Explain(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="explain", tag_field="command"):
    """How the decision `id` came about, as far as that is still known."""

    id: str


Command = Health | Reload | Lend | Return | Explain

PERMISSION: Mapping[type, Permission] = {
    Health: "read",
    Reload: "operate",
    Lend: "operate",
    Return: "operate",
    Explain: "read",
}


@dataclass(frozen=True)
class Commands:
    """The handlers of one daemon: `execute` is what a door calls, in the supervisor's thread."""

    handlers: Mapping[type, Callable[[Any], Any]]

    def parse(self, line: bytes, granted: frozenset[Permission]) -> Command:
        """One JSON object, `{"command": "health"}`.

        Raises:
            InputError: not JSON, unknown command or field, or not allowed through this door.
        """
        try:
            command: Command = msgspec.json.decode(line, type=Command)
        except msgspec.MsgspecError as error:
            raise InputError(f'expected one command like {{"command": "health"}}: {error}') from error
        if PERMISSION[type(command)] not in granted:
            raise InputError(f"this door does not allow {type(command).__name__.lower()}")
        return command

    def execute(self, command: Command) -> Any:
        return self.handlers[type(command)](command)
