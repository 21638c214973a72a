"""Values that have a form of their own in a config: sizes in bytes, seconds and the device's name; nothing else."""

from __future__ import annotations

import re

from edgeinfer.errors import InputError

_UNITS = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}  # SI and IEC 80000-13
_SIZE = r"(?i)(\d+(?:\.\d+)?)\s*([a-z]+)"
_FORBIDDEN = "./+#"  # they divide or match levels of an MQTT topic, or a unified namespace


def bytes_of(size: str) -> int:
    """`"64 MB"` → 64,000,000; `"1.5 GiB"` → 1,610,612,736.

    Raises:
        ValueError: it is no size; says what was expected and found.
    """
    match = re.fullmatch(_SIZE, size.strip())
    factor = _UNITS.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f'expected a size such as "64 MB", "512 kB" or "1 GiB", found {size!r}')
    return round(float(match[1]) * factor)


def device_problem(name: str) -> str | None:
    """What is wrong with a device's name, or None: it becomes a level of topics and part of every id."""
    if not name:
        return "a device's name may not be empty; leave the key out to use the host name"
    bad = next((c for c in name if c in _FORBIDDEN or not c.isprintable()), None)
    if bad is not None:
        return (
            f"a device's name becomes part of topics: no dot, slash, + or # in it, found {bad!r} in {name!r}"
        )
    if name != name.strip():
        return f"a device's name may not begin or end with a space, found {name!r}"
    return None


def legal_device(host: str) -> str:
    """A host name as a device's name: its first label, with what is illegal replaced by a hyphen."""
    label = host.split(".", maxsplit=1)[0]
    legal = "".join("-" if c in _FORBIDDEN or not c.isprintable() else c for c in label).strip()
    return legal or "device"


def check_seconds(name: str, value_s: float, *, least_s: float) -> None:
    """Raises InputError, which begins with `name`, unless the value is from `least_s` to a day."""
    if not least_s <= value_s <= 86_400.0:
        raise InputError(f"{name}: expected seconds, {least_s} to 86400, found {value_s}")
