"""What a link tells its user: one frozen class an event. Decides nothing; see link.py for when each comes."""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_bridge import messages as m
from firmware_bridge.framing import VERSION


@dataclass(frozen=True, slots=True)
class Greeted:
    """A node said who it is: first contact, or after a restart."""

    hello: m.Hello


@dataclass(frozen=True, slots=True)
class Described:
    channels: tuple[m.Channel, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one block id: `raw` little endian, row by row. `at_ns` is the first row's time on the host's clock.

    `lost` counts blocks that are missing before this one; `gap_before` is true for these, and after a restart.
    """

    channels: tuple[m.Channel, ...]
    at_ns: int
    lost: int
    gap_before: bool
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A command was acknowledged; see `ack.result`."""

    ack: m.Ack


@dataclass(frozen=True, slots=True)
class Said:
    """A LOG or a STATUS, as it came."""

    message: m.Log | m.Status


@dataclass(frozen=True, slots=True)
class Silent:
    """What is missing, and for how long it was waited for; the link goes on asking."""

    reason: str


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """The node speaks versions `oldest` to `newest` of the protocol, and not ours."""

    oldest: int
    newest: int

    def __str__(self) -> str:
        what = "this program" if self.oldest > VERSION else "the firmware"
        return (
            f"the node speaks version {self.oldest} to {self.newest} of the protocol, this program version {VERSION}: "
            f"update {what}"
        )


Event = Greeted | Described | Block | Answered | Said | Silent | OtherVersion
