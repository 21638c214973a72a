"""Flashes through our own A/B bootloader: the new image goes into the other slot and gets one start on trial."""

from __future__ import annotations

import contextlib

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.flash import wire
from firmware_bridge.flash.errors import FlashError, NoAnswerError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.manifest import PartEntry
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.wire import Wire

_ENTER_S = 5.0
_WATCHDOG_S = (
    8.0  # the example bootloader's watchdog bites after 5 s; then an image that hangs is rolled back
)
_ERASING = 0.2  # share of the work; an erase takes about as long as five writes of 496 bytes


class Edgeboot:
    """The confirmed image is never erased: a cut, a bad image or a hang costs nothing but a reset."""

    traits = Traits(
        name="edgeboot",
        tool="firmware_bridge itself",
        entry="the command enter_bootloader; a board without an image stays in its bootloader",
        reads_back=False,
        keeps_old=True,
        proven="emulated board: our bootloader in the microbit of QEMU, and its twin in the simulator: the whole matrix",
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
            _fill(line, slot, package.images[part.file].content, progress)
            check = line.ask(boot.BootCheck(slot.slot, part.length, part.crc32), boot.BootChecked)
            _need(line, check.result, "the image in flash is not what was sent")
            _run(line, slot.slot)
        progress(1.0)

    def accept(self, port: str) -> None:
        with wire.opened(port, self._baud) as line:
            if line.hello(_ENTER_S) is None:
                raise FlashError(f"{port}: the new image stopped answering before it was accepted")
            _need(line, line.command(m.Order.CONFIRM_IMAGE), "the new image could not be accepted")

    def revert(self, port: str) -> None:
        """A reset without acceptance brings the old image back; one that hangs needs the watchdog or the button."""
        with wire.opened(port, self._baud) as line:
            if line.hello(_WATCHDOG_S) is None:
                raise FlashError(
                    f"{port}: the new image does not answer; press reset, and the old one comes back"
                )
            line.command(m.Order.REBOOT)


def _enter(line: Wire) -> None:
    found = line.hello(_ENTER_S)
    if found is None:
        raise FlashError(f"{line.port}: nobody answers; press reset and try again")
    result = 0
    if not found.bootloader:
        result = line.command(m.Order.ENTER_BOOTLOADER, m.magic_arguments())
    for _ in range(10):  # an answer may still come from the firmware that is about to end
        found = line.hello(_ENTER_S)
        if found is None or found.bootloader:
            break
    if found is None:
        raise FlashError(f"{line.port}: the bootloader did not answer after the command")
    if (
        not found.bootloader
    ):  # only now: where an answer was lost, the repeat met a bootloader that knows no such command
        _need(line, result, "the node does not enter its bootloader")
        raise FlashError(f"{line.port}: the node said that it enters its bootloader, and did not")


def _run(line: Wire, slot: int) -> None:
    """Where the answer was lost, the repeat meets the new image, which refuses it: HELLO tells what became of it."""
    with contextlib.suppress(NoAnswerError):
        _need(line, line.ask(boot.BootRun(slot), boot.BootRuns).result, "the new image was not started")


def _place(line: Wire, package: Package) -> tuple[boot.BootInfo, PartEntry]:
    """A slot that is not the active one and for which the package has an image, by its address."""
    first = _info(line, 0)
    slots = [first, *(_info(line, n) for n in range(1, first.slots))]
    free = [slot for slot in slots if slot.slot != slot.active]
    for slot in free:
        for part in package.manifest.parts:
            if part.offset == slot.base and part.length <= slot.size:
                return slot, part
    where = ", ".join(f"0x{slot.base:x} ({slot.size} bytes)" for slot in free)
    raise PackageError(
        f"{line.port}: the package has no image that fits the free slot at {where}; pack one for each slot"
    )


def _info(line: Wire, slot: int) -> boot.BootInfo:
    return line.ask(boot.BootInfoRequest(slot), boot.BootInfo)


def _fill(line: Wire, slot: boot.BootInfo, content: bytes, progress: Progress) -> None:
    step = slot.write_max & ~3
    padded = content + bytes([ERASED]) * (-len(content) % 4)
    for at in range(0, len(padded), slot.page):
        erased = line.ask(boot.BootErase(slot.slot, at, slot.page), boot.BootErased)
        _need(line, erased.result, f"page {at:#x} could not be erased")
        progress(at / len(padded) * _ERASING)
    for at in range(0, len(padded), step):
        written = line.ask(boot.BootWrite(slot.slot, at, padded[at : at + step]), boot.BootWritten)
        _need(line, written.result, f"writing at {at:#x} failed")
        progress(min(_ERASING + at / len(padded) * (1 - _ERASING), 0.99))


def _need(line: Wire, result: int, what: str) -> None:
    if result:
        raise FlashError(f"{line.port}: {what} (result {result})")
