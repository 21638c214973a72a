"""Which machine this is, and whether the state folder is of this one: a cloned card must not speak for its original."""

from __future__ import annotations

import contextlib
import logging
from hashlib import sha256
from pathlib import Path

log = logging.getLogger(__name__)

_MACHINE_ID = "etc/machine-id"  # machine-id(5)
_SERIAL = "sys/firmware/devicetree/base/serial-number"  # Raspberry Pi, Jetson; a NUL ends it
_MARK = "machine"
_ASIDE = "of-another-machine"


def identity(root: Path = Path("/")) -> str:
    """32 hexadecimal digits; "" where the system has no machine id.

    A card that was copied keeps its machine id, so the serial number of the board is mixed in where there is one.
    """
    machine_id = _text(root / _MACHINE_ID)
    serial = _text(root / _SERIAL)
    if not machine_id or not serial:
        return machine_id
    return sha256(f"{machine_id}:{serial}".encode()).hexdigest()[:32]


def claim(folder: Path, machine: str) -> str | None:
    """Marks the state folder as this machine's; what another left in the outbox goes aside, and is told.

    The other machine still has its own decisions and sends them; ours would come under its name and numbers.
    Returns the sentence for the log and for people, None when all is as it was.
    """
    mark = folder / _MARK
    before = _text(mark)
    if before == machine or not machine:
        return None
    told = None
    if before:
        moved = _put_aside(folder)
        told = (
            f"the state in {folder} is of another machine ({before[:8]}…, this one is {machine[:8]}…: a copied card?); "
            f"the outbox begins empty{', the old one is in ' + str(moved) if moved else ''}"
        )
        log.warning("%s", told)
    with contextlib.suppress(OSError):  # a full disk tells of itself in the outbox
        mark.write_text(machine + "\n")
    return told


def _put_aside(folder: Path) -> Path | None:
    files = list(folder.glob("outbox.sqlite*"))  # and its -wal
    if not files:
        return None
    aside = folder / _ASIDE
    aside.mkdir(exist_ok=True)
    for file in files:
        file.replace(aside / file.name)
    return aside


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip(" \n\0")
    except OSError:
        return ""
