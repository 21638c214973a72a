"""Time zones for the rules, which are pure and read no files; from the system, or from the package tzdata."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from edgeinfer.errors import InputError, nearest


def zone(name: str) -> tzinfo:
    """The time zone `name`.

    Raises:
        InputError: there is none of that name; begins with `zone`.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones is an OSError
        known = available_timezones()
        hint = nearest(name, known) if known else "; this system has none: install the package tzdata"
        raise InputError(
            f'zone: expected a time zone such as "Europe/Berlin", found {name!r}{hint}'
        ) from error
