"""What a channel is called and how its raw numbers become units; shared by the protocols that describe no channels."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import InputError

SKIP = "_"  # the name of a column or field that nobody wants


class Channel(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
    """value = raw x scale + offset, in `unit`; `from_` is what the node calls it, where that is another name."""

    name: str
    from_: str = ""
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0

    @property
    def key(self) -> str:
        return self.from_ or self.name


def as_channels(written: Sequence[str | Channel]) -> tuple[Channel, ...]:
    """Names alone are channels as they come.

    Raises:
        InputError: a name is empty or stands there twice.
    """
    channels = tuple(Channel(name=c) if isinstance(c, str) else c for c in written)
    names = [c.name for c in channels if c.name != SKIP]
    for name in names:
        if not name or names.count(name) > 1:
            raise InputError(f"channels: expected names that differ and are not empty, found {names}")
    if written and not names:
        raise InputError(f"channels: expected at least one that is not {SKIP!r}, found none")
    return channels


def scaled(raw: NDArray[np.float64], channels: Sequence[Channel]) -> NDArray[np.float64]:
    """(n, channels) raw numbers to units."""
    scale = np.array([c.scale for c in channels])
    offset = np.array([c.offset for c in channels])
    units: NDArray[np.float64] = raw * scale + offset
    return units


def check_rate(rate_hz: float) -> None:
    if not 0.0 <= rate_hz <= 1e6:
        raise InputError(f"rate_hz: expected rows per second, up to 1000000, or 0 (unknown), found {rate_hz}")
