"""A command as it comes over MQTT: what stands in it, and whether it is still to be done; touches no clock and no disk."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edgeinfer.events import Instant
from edgeinfer.ports import Heard
from edgeinfer.wire.bodies import CommandBody

MAX_BYTES = 8_192
MAX_AHEAD_S = 3_600.0
"""A command may be valid for so long at most: its id is remembered at least until it expires."""
AGE_S = 60.0
"""How long one that says when it was sent (`at`), and not when it expires, is valid."""

Words = Annotated[str, Meta(min_length=1, max_length=64)]


class Refusal(Exception):  # noqa: N818  an answer, not a failure
    """Why a command is not done: `reason` for programs, the text for people."""

    def __init__(self, reason: str, text: str, id_: str = "", says: str = "") -> None:
        super().__init__(text)
        self.reason, self.id, self.says = reason, id_, says


class Letter(msgspec.Struct, frozen=True):
    """A command that may be done. `until_ns` (unix) is when it expires, `asked` a digest of what it asks."""

    id: str
    says: str
    name: str
    line: bytes
    asked: str
    until_ns: int


def read(heard: Heard, name: str, now: Instant) -> Letter:
    """The command in `heard`.

    Raises:
        Refusal: retained, oversized, malformed, expired, or valid for too long.
    """
    if heard.retain:
        raise Refusal("retained", "a command must not be retained: it would be done again at each connection")
    if len(heard.payload) > MAX_BYTES:
        raise Refusal("oversized", f"expected at most {MAX_BYTES} bytes, found {len(heard.payload)}")
    try:
        body = msgspec.json.decode(heard.payload, type=CommandBody)
    except msgspec.MsgspecError as error:
        raise Refusal("malformed", f"expected JSON with id, expires and args: {error}") from None
    until_ns = _until_ns(body, heard, now)
    line = msgspec.json.encode({**body.args, "command": name}, order="deterministic")
    return Letter(body.id, body.by, name, line, sha256(line).hexdigest()[:16], until_ns)


def _until_ns(body: CommandBody, heard: Heard, now: Instant) -> int:
    """When it expires: the earliest of what the sender says in the body and beside it."""
    ends = []
    if body.expires is not None:
        ends.append(_unix_ns(body.expires))
    elif body.at is not None:
        ends.append(_unix_ns(body.at) + int(AGE_S * 1e9))
    if heard.expires_in_s is not None:
        ends.append(now.unix_ns + heard.expires_in_s * 1_000_000_000)
    if not ends:
        text = (
            "expected `expires` (or `at`), or the message expiry of MQTT 5: a command is not valid for ever"
        )
        raise Refusal("malformed", text, body.id, body.by)
    _judge(body, min(ends), now)
    return min(ends)


def _judge(body: CommandBody, until_ns: int, now: Instant) -> None:
    clock = "" if now.synced else "; this device's clock is not synchronised, and may be wrong"
    if until_ns < now.unix_ns:
        text = f"it expired {(now.unix_ns - until_ns) / 1e9:.1f} s ago, by this device's clock{clock}"
        raise Refusal("expired", text, body.id, body.by)
    if until_ns > now.unix_ns + MAX_AHEAD_S * 1e9:
        text = f"expected a command that expires within {MAX_AHEAD_S:.0f} s, by this device's clock{clock}"
        raise Refusal("too_long", text, body.id, body.by)


def _unix_ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000


def answer_topic(heard: Heard, root: str) -> str:
    """Where the answer goes: where the asker wants it, unless that could be taken for something else that we say."""
    wanted = heard.response_topic
    wild = any(c in wanted for c in "+#\0")
    ours = wanted.startswith(f"{root}/") and not wanted.startswith(f"{root}/reply")
    return f"{root}/reply" if not wanted or wild or ours or wanted.startswith("$") else wanted


def answer(letter_id: str, name: str, device: str, now_text: str, said: dict[str, Any]) -> dict[str, Any]:
    """The body of an answer."""
    return {"v": 1, "device": device, "id": letter_id, "command": name, "at": now_text, **said}
