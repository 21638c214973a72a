"""The table of commands: a frozen type each, with who may ask it and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec

from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.ports import CommandName

Permission = Literal["read", "look", "operate"]
"""`read` changes nothing, `look` shows pictures, `operate` changes what the daemon does. A door grants a set of these."""


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


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="pause", tag_field="command"):
    """The pipeline judges nothing until `resume`, also after a restart; its rules are unknown."""

    pipeline: str


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="resume", tag_field="command"):
    """The pipeline goes on."""

    pipeline: str


class Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="set", tag_field="command"):
    """`key` ("rule.NAME.KEY") has this value from now on, within what `adjustable` allows; null: the config's own."""

    key: str
    value: int | float | None


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="use", tag_field="command"):
    """Another version of a bundle is the current one."""

    bundle: str
    version: str


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="snapshot", tag_field="command"):
    """The newest picture of a source, as a JPEG of at most `max_bytes`."""

    source: str
    max_bytes: int = 200_000


class Tell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tell", tag_field="command"):
    """Another program of this machine refused something that the audit log should know of: `trust`, who signed what."""

    kind: Literal["trust"]
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What `snapshot` answers; `at` is RFC 3339 text, when the picture was taken."""

    source: str
    at: str
    width_px: int
    height_px: int
    jpeg: bytes


class Explain(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="explain", tag_field="command"):
    """How the decision `id` came about, as far as that is still known."""

    id: str


Command = Health | Reload | Lend | Return | Pause | Resume | Set | Use | Snapshot | Tell | Explain

PERMISSION: Mapping[type, Permission] = {
    Health: "read",
    Reload: "operate",
    Lend: "operate",
    Return: "operate",
    Pause: "operate",
    Resume: "operate",
    Set: "operate",
    Use: "operate",
    Snapshot: "look",
    Tell: "operate",
    Explain: "read",
}

NAMES: tuple[CommandName, ...] = get_args(CommandName)
"""Those that may be asked through a sink: all but what programs on the machine itself need."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: through which door, as whom the door knows them, and who they say they are (nobody checks that)."""

    door: str
    who: str = ""
    says: str = ""
    id: str = ""


Outcome = Literal["done", "failed", "refused"]
Record = Callable[[str, Mapping[str, Any], Asker, Outcome, str], None]
"""`record(name, arguments, asker, outcome, why)`: remembers a command."""


def name_of(command: Command) -> str:
    name: str = type(command).__struct_config__.tag  # type: ignore[assignment]  # all have one, and it is text
    return name


def _unrecorded(_name: str, _args: Mapping[str, Any], _asker: Asker, _outcome: Outcome, _why: str) -> None:
    """Where nobody remembers."""


@dataclass(frozen=True)
class Commands:
    """The handlers of one daemon: `execute` is what a door calls, in the supervisor's thread."""

    handlers: Mapping[type, Callable[[Any], Any]]
    record: Record = _unrecorded

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

    def execute(self, command: Command, asker: Asker) -> Any:
        """What the handler answers or raises; either is recorded."""
        name, args = name_of(command), msgspec.to_builtins(command)
        del args["command"]
        try:
            result = self.handlers[type(command)](command)
        except Exception as error:
            said = str(error) if isinstance(error, EdgeinferError) else repr(error)
            self.record(name, args, asker, "failed", said)
            raise
        self.record(name, args, asker, "done", "")
        return result
