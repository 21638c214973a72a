"""What all messages share: how fields become a body and back, by one layout a class; pure, and knows no message."""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

from firmware_bridge.errors import MalformedError


class Message:
    """A body: fixed fields by `layout`, then its str fields (u8 length + UTF-8), then its bytes field to the end."""

    __slots__ = ()
    type: ClassVar[int]
    layout: ClassVar[struct.Struct] = struct.Struct("<")
    strings: ClassVar[int] = 0

    def wrong(self) -> str:
        """What no right node sends, though it can be parsed; empty: nothing. Asked by `parse_as`."""
        return ""

    def body(self) -> bytes:
        values: list[Any] = [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]
        fixed = len(values) - self.strings - isinstance(values[-1] if values else None, bytes)
        return self.layout.pack(*values[:fixed]) + b"".join(map(_tail, values[fixed:]))


def _tail(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value.encode()
    if len(text) > 255:
        raise ValueError(f"a text has at most 255 bytes of UTF-8, found {len(text)}: {value[:40]!r}…")
    return bytes([len(text)]) + text


AnyMessage = TypeVar("AnyMessage", bound=Message)


def parse_as(cls: type[AnyMessage], body: bytes) -> AnyMessage:
    """`body` as a message of `cls`; bytes after its known fields are a later revision's and are ignored.

    Raises:
        MalformedError: it is too short, a text is no UTF-8, or a field has a value that no right node sends.
    """
    try:
        values: list[Any] = list(cls.layout.unpack_from(body))
        at = cls.layout.size
        for _ in range(cls.strings):
            end = at + 1 + body[at]
            if end > len(body):
                raise MalformedError(f"{cls.__name__}: a text ends beyond the body")
            values.append(body[at + 1 : end].decode())
            at = end
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise MalformedError(f"{cls.__name__} of {len(body)} bytes: {error}") from error
    if len(values) < len(cls.__match_args__):  # type: ignore[attr-defined]
        values.append(body[at:])
    message = cls(*values)
    if wrong := message.wrong():
        raise MalformedError(f"{cls.__name__}: {wrong}")
    return message
