"""The door of commands in one MQTT sink: its thread only puts letters in, the supervisor's reads, does and answers them.

Who may write to `{topic}/command/+` is the broker's matter; what they may ask is the config's (`commands` of the sink).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from edgeinfer.commands.bucket import Bucket
from edgeinfer.commands.ledger import Ledger
from edgeinfer.commands.letter import MAX_AHEAD_S, Letter, Refusal, answer, answer_topic, read
from edgeinfer.commands.table import NAMES, PERMISSION, Asker, Command, Commands, Picture
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.events import Instant, Message
from edgeinfer.meters import Meters
from edgeinfer.ports import Clock, CommandName, Heard
from edgeinfer.wire.times import iso

log = logging.getLogger(__name__)

_WAITING = 64  # letters that wait; more come only from somebody who does not wait for answers
_BURST, _PER_S = 20.0, 2.0
_NOTED_BURST, _NOTED_PER_S = 6.0, 0.1  # refusals that are remembered: a fool must not fill disk and outbox
_OUTGOING = 256


@dataclass(frozen=True)
class Office:
    """What all letterboxes of a daemon share. `soon` has work done in the supervisor's thread; `meters` are of commands."""

    device: str
    commands: Commands
    ledger: Ledger
    clock: Clock
    soon: Callable[[Callable[[], Any]], None]
    meters: Meters


class Letterbox:
    """`asks` are the topics to listen to, none where nothing is allowed.

    Meters: `done`, `failed`, `repeated`, `refused`, `refused.REASON`, `overrun.POST` (letters that found no room).
    """

    def __init__(
        self,
        office: Office,
        post: str,
        root: str,
        allowed: Sequence[CommandName],
        outgoing: deque[Message] | None = None,
    ) -> None:
        """`outgoing` holds what an earlier one has still to say, and perhaps says only later: a reload in its midst."""
        self._office, self._post, self.root, self.allowed = office, post, root, tuple(allowed)
        self.asks = (f"{root}/command/+",) if allowed else ()
        self._waiting: deque[Heard] = deque()
        self._outgoing: deque[Message] = deque(maxlen=_OUTGOING) if outgoing is None else outgoing
        self._flood, self._noted = Bucket(_BURST, _PER_S), Bucket(_NOTED_BURST, _NOTED_PER_S)

    # --- for the sink's threads --------------------------------------------------------------------------

    def heard(self, heard: Heard) -> None:
        """Returns at once."""
        if len(self._waiting) >= _WAITING:
            self._office.meters.count(f"overrun.{self._post}")
            return
        self._waiting.append(heard)
        self._office.soon(self._open_one)

    def outgoing(self) -> list[Message]:
        """The answers that were not sent yet, each once."""
        return [self._outgoing.popleft() for _ in range(len(self._outgoing))]

    # --- in the supervisor's thread ----------------------------------------------------------------------

    def _open_one(self) -> None:
        heard, now = self._waiting.popleft(), self._office.clock.now()
        name = heard.topic.rpartition("/")[2][:64]
        try:
            letter = self._admit(heard, name, now)
            said, picture = self._do(letter, now)
        except Refusal as refusal:
            said, picture = self._refused(name, refusal, now), None
            self._answer(heard, refusal.id, name, said)
        else:
            self._answer(heard, letter.id, name, said)
            if picture is not None:
                self._outgoing.append(self._shown(letter, picture))

    def _admit(self, heard: Heard, name: str, now: Instant) -> Letter:
        if not self._flood.take(now.mono_ns):
            raise Refusal("flood", f"expected at most {_PER_S:g} commands a second, and {_BURST:g} at once")
        if name not in NAMES:
            raise Refusal("unknown", f"no command {name!r} (there are: {', '.join(NAMES)})")
        if name not in self.allowed:
            raise Refusal("not_allowed", f"[{self._post}] commands does not allow {name!r} here")
        return read(heard, name, now)

    def _do(self, letter: Letter, now: Instant) -> tuple[dict[str, Any], Picture | None]:
        office, key = self._office, f"{self._post}/{letter.id}"
        if known := office.ledger.find(key):
            if known.asked != letter.asked:
                raise Refusal(
                    "id_taken", "another command had this id; choose a new one", letter.id, letter.says
                )
            office.meters.count("repeated")
            return {**known.answer, "repeated": True}, None
        command = self._command(letter)
        if PERMISSION[type(command)] != "operate":
            return self._execute(command, letter)
        self._check_room(letter, now)
        office.ledger.begin(key, letter.asked, letter.until_ns)
        said, picture = self._execute(command, letter)
        office.ledger.end(key, said)
        return said, picture

    def _command(self, letter: Letter) -> Command:
        try:
            return self._office.commands.parse(letter.line, frozenset({"read", "look", "operate"}))
        except InputError as error:
            raise Refusal("malformed", str(error), letter.id, letter.says) from None

    def _check_room(self, letter: Letter, now: Instant) -> None:
        ledger = self._office.ledger
        if ledger.full(now.unix_ns):
            text = "too many commands that have not expired: wait, or let them expire sooner"
            raise Refusal("busy", text, letter.id, letter.says)
        if not now.synced and now.unix_ns < ledger.newest_ns - MAX_AHEAD_S * 1e9:
            text = (
                "this device's clock stands before the last command that it took, and nobody has set it since"
            )
            raise Refusal("clock", text, letter.id, letter.says)

    def _execute(self, command: Command, letter: Letter) -> tuple[dict[str, Any], Picture | None]:
        asker = Asker(self._post, "", letter.says, letter.id)
        try:
            result = self._office.commands.execute(command, asker)
        except Exception as error:
            if not isinstance(error, EdgeinferError):
                log.exception("the command %s failed in a way that is not known", letter.name)
            self._office.meters.count("failed")
            said = str(error) if isinstance(error, EdgeinferError) else f"please report this: {error!r}"
            return {"ok": False, "outcome": "failed", "error": said}, None
        self._office.meters.count("done")
        picture = result if isinstance(result, Picture) else None
        told = self._told(picture) if picture else result
        return {"ok": True, "outcome": "done", "result": told}, picture

    def _told(self, picture: Picture) -> dict[str, Any]:
        facts = {name: getattr(picture, name) for name in ("source", "at", "width_px", "height_px")}
        return {**facts, "bytes": len(picture.jpeg), "topic": self._snapshot_topic(picture)}

    def _snapshot_topic(self, picture: Picture) -> str:
        return f"{self.root}/snapshot/{picture.source}"

    def _refused(self, name: str, refusal: Refusal, now: Instant) -> dict[str, Any]:
        count = self._office.meters.count
        count("refused")
        count(f"refused.{refusal.reason}")
        if refusal.reason != "flood" and self._noted.take(now.mono_ns):
            asker = Asker(self._post, "", refusal.says, refusal.id)
            self._office.commands.record(name, {}, asker, "refused", f"{refusal.reason}: {refusal}")
        return {"ok": False, "outcome": "refused", "reason": refusal.reason, "error": str(refusal)}

    # --- answers -----------------------------------------------------------------------------------------

    def _answer(self, heard: Heard, id_: str, name: str, said: dict[str, Any]) -> None:
        office = self._office
        body = answer(id_, name, office.device, iso(office.clock.now().unix_ns), said)
        self._outgoing.append(
            Message(
                answer_topic(heard, self.root),
                msgspec.json.encode(body),
                content_type="application/json",
                user=(("id", id_),) if id_ else (),
                correlation=heard.correlation,
            )
        )

    def _shown(self, letter: Letter, picture: Picture) -> Message:
        user = (("id", letter.id), ("at", picture.at))
        return Message(self._snapshot_topic(picture), picture.jpeg, content_type="image/jpeg", user=user)


class Letterboxes:
    """One for each sink; what an old one has still to say is said by the one that takes its place."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._outgoing: dict[str, deque[Message]] = {}

    def box(self, post: str, root: str, allowed: Sequence[CommandName]) -> Letterbox:
        outgoing = self._outgoing.setdefault(post, deque(maxlen=_OUTGOING))
        return Letterbox(self._office, post, root, allowed, outgoing)
