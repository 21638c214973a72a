"""Prints decisions to standard output, for people or (as JSON lines) for a pipe; keeps nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TextIO

import msgspec

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Outcome, Sent
from edgeinfer.ports import SinkPlace

_ACKED, _SENT = Acked(), Sent()


class Console:
    """One line a decision: `10:59:33.120  scratched  on  label=scratched score=0.83`."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write in a `[sink.NAME]` of kind "console"."""

        encoding: str = "json"
        format: Literal["text", "json"] = "text"

    @staticmethod
    def topic_root(options: Options, device: str) -> str:  # noqa: ARG004  every sink answers this
        """Messages have topics, a terminal has none: any root will do."""
        return f"edgeinfer/{device}"

    def __init__(self, options: Options, place: SinkPlace, out: TextIO | None = None) -> None:
        self._format, self._report = options.format, place.report
        self._out = out
        self._gone = False
        self.session = 1

    def wait_ready(self, timeout_s: float) -> bool:  # noqa: ARG002  a terminal is there or never will be
        return True

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """Prints what has a seq. A reader that left (`edgeinfer run … | head`) is told once, then all is dropped.

        Raises:
            DeliveryError: standard output cannot be written for another reason, a full disk for one.
        """
        lines = [self._line(message) for message in batch if message.seq is not None]
        if lines and not self._gone:
            self._print("".join(line + "\n" for line in lines))
        return [_SENT if message.seq is None else _ACKED for message in batch]

    def _print(self, text: str) -> None:
        out = self._out or sys.stdout
        try:
            out.write(text)
            out.flush()
        except (BrokenPipeError, ValueError):  # ValueError: the stream was closed
            self._gone = True
            self._report("console", "nobody reads standard output any more: decisions are not printed")
        except OSError as error:
            raise DeliveryError(f"standard output cannot be written: {error.strerror}") from error

    def _line(self, message: Message) -> str:
        text = message.payload.decode(errors="replace")
        return text if self._format == "json" else _readable(text)

    def reconnect(self) -> None:
        """A terminal has nobody at the other side who could care."""

    def close(self) -> None:
        """Standard output belongs to the process."""


def _readable(text: str) -> str:
    """The envelope as a line; what is no envelope (another encoding, a gap) stays as it is."""
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    if not isinstance(body, dict) or "rule" not in body:
        return text
    when = str(body.get("at", ""))[11:23]
    details = body.get("details")
    parts = [when, str(body["rule"]), str(body.get("state")), str(body.get("subject") or "")]
    return "  ".join(filter(None, [*parts, _pairs(details) if isinstance(details, dict) else ""]))


def _pairs(details: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={_short(value)}" for key, value in details.items())


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{key}: {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return str(value)
