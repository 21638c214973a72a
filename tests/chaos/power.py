"""A power cut: what the medium has at one moment, without what only the kernel had; looked at, or lived on from."""

from __future__ import annotations

import shutil
import time

from edgeinfer.clock import SystemClock
from edgeinfer.runtime.outbox import Outbox
from tests.chaos.device import DEVICE
from tests.chaos.ledger import FILE, PowerCut, Row, committed
from tests.chaos.rig import Rig
from tests.fixtures.loops import LoopDisk

_TRIES = 20


def look(rig: Rig) -> None:
    """The daemon stands still for a moment and goes on."""
    rig.pause()
    try:
        at_ns, before = time.monotonic_ns(), committed(rig.state, rig.folder)
        _copy_medium(rig.disk, rig)
    finally:
        rig.resume()
    _compare(rig, at_ns, before, _after(rig))


def cut(rig: Rig) -> None:
    """The daemon dies with all that was not on the medium, and lives on from what was."""
    rig.pause()
    at_ns = time.monotonic_ns()
    _copy_medium(rig.disk, rig)
    before = committed(rig.state, rig.folder)
    rig.die("power cut", lambda: _turn_back(rig))
    _compare(rig, at_ns, before, rig.ledger.newest)
    rig.live()


def _turn_back(rig: Rig) -> None:
    rig.disk.unmount()
    shutil.copyfile(_image(rig), rig.disk.image)
    rig.disk.mount()
    rig.ballast.unlink(missing_ok=True)


def _image(rig: Rig) -> str:
    return str(rig.folder / "cut.img")


def _copy_medium(disk: LoopDisk, rig: Rig) -> None:
    """One moment of it: again, when something was written meanwhile."""
    for _ in range(_TRIES):
        before = disk.written()
        shutil.copyfile(disk.image, _image(rig))
        if disk.written() == before:
            return
    raise AssertionError(f"the disk was written to during each of {_TRIES} copies")


def _after(rig: Rig) -> int:
    """The newest number on the copied medium, by the outbox itself: it must open it, and find nothing damaged."""
    disk = LoopDisk.of(rig.folder / "cut.img", rig.folder / "cut")
    said: list[str] = []
    try:
        state = disk.folder / rig.state.relative_to(rig.disk.folder)
        outbox = Outbox(state / FILE, DEVICE, SystemClock(), report=lambda topic, _: said.append(topic))
        newest = outbox.newest
        outbox.close()
    finally:
        disk.unmount()
    assert "outbox-damaged" not in said, "the outbox was damaged by a power cut"
    return newest


def _compare(rig: Rig, at_ns: int, before: dict[int, Row], newest: int) -> None:
    lost = [row for seq, row in before.items() if seq > newest]
    oldest_s = max(((at_ns - row.at_ns) / 1e9 for row in lost), default=0.0)
    rig.ledger.cuts.append(PowerCut(len(lost), oldest_s, in_trouble=rig.in_trouble))
