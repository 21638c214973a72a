"""Remembers each command and what became of it: a line in the audit log, and a decision that goes to every subscriber."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgeinfer.audit import AuditLog
from edgeinfer.commands.door import SOCKET
from edgeinfer.commands.table import Asker, Outcome
from edgeinfer.events import COMMAND_RULE, Decision, State
from edgeinfer.runtime.outbox import Outbox

_RENEWED = ("lend", "return")  # a flasher renews its lease all the time, and the flash log tells of it anyway
_ASKED_OFTEN = ("health",)  # by programs on the machine itself
_LONGEST = 400


class Recorder:
    """A `commands.table.Record`; `config` gives the identity of the config that runs."""

    def __init__(self, audit: AuditLog, outbox: Outbox, config: Callable[[], str]) -> None:
        self._audit, self._outbox, self._config = audit, outbox, config

    def __call__(self, name: str, args: Mapping[str, Any], asker: Asker, outcome: Outcome, why: str) -> None:
        if asker.door == SOCKET and name in _RENEWED + _ASKED_OFTEN:
            return
        if name == "tell":
            self._audit.write(args["kind"], what=args["what"], why=args["why"][:_LONGEST], who=asker.who)
            return
        facts = {"command": name, "args": dict(args), "outcome": outcome, "door": asker.door}
        said = {"who": asker.who, "by": asker.says, "id": asker.id, "error": why[:_LONGEST]}
        facts |= {key: text for key, text in said.items() if text}
        self._audit.write("command", **facts)
        at = self._outbox.clock.now()
        state: State = "on" if outcome == "done" else "off"
        decision = Decision("", COMMAND_RULE, name, state, at, (COMMAND_RULE, -1), facts)
        self._outbox.append([decision], config=self._config())
