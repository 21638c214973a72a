"""Flashes through our own A/B bootloader: the new image goes into the other slot and gets one start on trial."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from firmware_bridge.flash import wire
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.manifest import PartEntry
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.wire import Wire

_INFO = struct.Struct("<BBBBBIIIHII")
_ENTER_S = 5.0


@dataclass(frozen=True, slots=True)
class _Slot:
    """A BOOT_INFO reply, docs/firmware.md."""

    result: int
    slot: int
    slots: int
    active: int
    state: int
    base: int
    size: int
    page: int
    write_max: int
    length: int
    crc32: int


class Edgeboot:
    """The confirmed image is never erased: a cut, a bad image or a hang costs nothing but a reset."""

    traits = Traits(
        name="edgeboot",
        tool="firmware_bridge itself",
        entry="the command enter_bootloader; a board without an image stays in its bootloader",
        reads_back=False,
        keeps_old=True,
        proven="emulated board: our bootloader in the microbit of QEMU; first image and upgrade",
    )

    def __init__(self, options: Options) -> None:
        self._baud = number(options, "baud", 115_200)

    def fit(self, package: Package) -> None:
        """The slots are only known to the bootloader, which is asked before anything is erased."""

    def probe(self, port: str) -> Probe:
        with wire.opened(port, self._baud) as line:
            found = line.hello(_ENTER_S)
        if found is None:
            return Probe("silent", "no bootloader answers; press reset")
        return Probe("right", str(found))

    def read(self, port: str, progress: Progress) -> Image | None:
        """The board keeps its old image itself."""

    def write(self, port: str, package: Package, progress: Progress) -> None:
        with wire.opened(port, self._baud) as line:
            _enter(line)
            slot, part = _place(line, package)
            content = package.images[part.file].content
            _fill(line, slot, content, progress)
            check = struct.pack("<BII", slot.slot, part.length, part.crc32)
            _need(line, line.ask(wire.CHECK, check)[0], "the image in flash is not what was sent")
            _need(line, line.ask(wire.RUN, bytes((slot.slot,)))[0], "the new image was not started")
        progress(1.0)

    def accept(self, port: str) -> None:
        with wire.opened(port, self._baud) as line:
            if line.hello(_ENTER_S) is None:
                raise FlashError(f"{port}: the new image stopped answering before it was accepted")
            _need(line, line.command(wire.CONFIRM), "the new image could not be accepted")

    def revert(self, port: str) -> None:
        """A reset without acceptance brings the old image back; one that hangs needs the watchdog or the button."""
        with wire.opened(port, self._baud) as line:
            if line.hello(_ENTER_S) is None:
                raise FlashError(
                    f"{port}: the new image does not answer; press reset, and the old one comes back"
                )
            line.command(wire.REBOOT)


def _enter(line: Wire) -> None:
    found = line.hello(_ENTER_S)
    if found is None:
        raise FlashError(f"{line.port}: nobody answers; press reset and try again")
    if not found.bootloader:
        _need(line, line.command(wire.ENTER_BOOTLOADER, wire.MAGIC), "the node does not enter its bootloader")
    for _ in range(10):  # an answer may still come from the firmware that is about to end
        found = line.hello(_ENTER_S)
        if found is None or found.bootloader:
            break
    if found is None or not found.bootloader:
        raise FlashError(f"{line.port}: the bootloader did not answer after the command")


def _place(line: Wire, package: Package) -> tuple[_Slot, PartEntry]:
    """A slot that is not the active one and for which the package has an image, by its address."""
    first = _info(line, 0)
    free = [slot for slot in (_info(line, n) for n in range(first.slots)) if slot.slot != slot.active]
    for slot in free:
        for part in package.manifest.parts:
            if part.offset == slot.base and part.length <= slot.size:
                return slot, part
    where = ", ".join(f"0x{slot.base:x} ({slot.size} bytes)" for slot in free)
    raise PackageError(
        f"{line.port}: the package has no image that fits the free slot at {where}; pack one for each slot"
    )


def _info(line: Wire, slot: int) -> _Slot:
    return _Slot(*_INFO.unpack_from(line.ask(wire.INFO, bytes((slot,)))))


def _fill(line: Wire, slot: _Slot, content: bytes, progress: Progress) -> None:
    step = slot.write_max & ~3
    padded = content + bytes([ERASED]) * (-len(content) % 4)
    for at in range(0, len(padded), slot.page):
        erase = struct.pack("<BII", slot.slot, at, slot.page)
        _need(line, line.ask(wire.ERASE, erase)[0], f"page {at:#x} could not be erased")
    for at in range(0, len(padded), step):
        body = struct.pack("<BI", slot.slot, at) + padded[at : at + step]
        _need(line, line.ask(wire.WRITE, body)[0], f"writing at {at:#x} failed")
        progress(min(at / len(padded), 0.99))


def _need(line: Wire, result: int, what: str) -> None:
    if result:
        raise FlashError(f"{line.port}: {what} (result {result})")
