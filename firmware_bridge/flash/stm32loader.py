"""Flashes STM32 through the bootloader in its ROM (ST AN3155) with stm32loader (GPL, a process)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_bridge.flash import process
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Hello
from firmware_bridge.flash.wire import HelloAt

_HOW = 'pip install "edgeinfer[firmware]"'
_FLASH_BASE = 0x0800_0000  # every STM32
_PROBE_S, _WRITE_S = 30.0, 300.0
_CHIP = re.compile(r"Chip id: 0x([0-9A-Fa-f]+) \(([^)]*)\)")
_COMMAND = re.compile(r"\*\*\* Command: ([\w ]+)")
_STEP = re.compile(r"(Write|Read) (\d+) bytes at 0x([0-9A-F]+)")


class Stm32loader:
    """One slot; the ROM bootloader cannot be erased, so the next flash always works.

    Options: `family` (as stm32loader's -f), `chip` (the device id of AN2606 that has to answer; 0: any), `size` (bytes
    of flash to keep a copy of; 0: no copy), `baud`, and for other wirings `swap` = 1 (RTS is reset), `boot0_low` = 1.
    """

    traits = Traits(
        name="stm32loader",
        tool="stm32loader (process)",
        entry="DTR to NRST and RTS to BOOT0 where they are wired; else the BOOT0 jumper and the reset button",
        reads_back=True,
        keeps_old=False,
        proven="simulated peer: the unmodified tool against our own writing of AN3155 with a simulated reset circuit",
    )

    def __init__(self, options: Options) -> None:
        self._family = str(options.get("family", "F1"))
        self._baud = number(options, "baud", 115_200)
        self._size = number(options, "size", 0)
        self._chip = number(options, "chip", 0)
        self._swap, self._low = bool(number(options, "swap", 0)), bool(number(options, "boot0_low", 0))

    def asking(self, hello: Hello) -> Hello:
        """`hello` with reset let go and BOOT0 off: opening a port asserts both lines, which would hold the chip."""
        if not isinstance(hello, HelloAt):
            return hello
        reset, boot0 = False, not self._low
        dtr, rts = (boot0, reset) if self._swap else (reset, boot0)
        return replace(hello, dtr=dtr, rts=rts)

    def fit(self, package: Package) -> None:
        if len(package.images) != 1:
            raise PackageError(f"stm32loader writes one image, the package holds {len(package.images)}")
        (image,) = package.images.values()
        if (
            image.offset != _FLASH_BASE
        ):  # sectors differ from chip to chip, so that only all of it is safe to erase
            raise PackageError(
                f"the image begins at 0x{image.offset:x}, expected 0x{_FLASH_BASE:08x}: all flash is erased before "
                "writing, so pack what lies below (a bootloader of your own) into the same hex file"
            )
        if self._size and len(image.content) > self._size:
            raise PackageError(
                f"the image has {len(image.content)} bytes, and options.size says that flash has {self._size}"
            )

    def probe(self, port: str) -> Probe:
        done = self._run(port, [], _PROBE_S)
        found = _CHIP.search(done.said)
        if found is None:
            return Probe("silent", _plain(done))
        if self._chip and int(found[1], 16) != self._chip:
            return Probe("wrong", f"the chip is 0x{found[1]} ({found[2]}), expected 0x{self._chip:X}")
        return Probe("right", f"the ROM bootloader of chip 0x{found[1]} ({found[2]}) answers")

    def read(self, port: str, progress: Progress) -> Image | None:
        if not self._size:
            return None  # how much to read is not known: options.size says it
        with TemporaryDirectory() as folder:
            file = Path(folder) / "back.bin"
            where = ["-a", hex(_FLASH_BASE), "-l", str(self._size)]
            _check(
                port, self._run(port, ["-r", *where, str(file)], _WRITE_S, _Steps(self._size, 1, progress))
            )
            content = file.read_bytes().rstrip(bytes([ERASED]))
        progress(1.0)
        return Image(_FLASH_BASE, content) if content else None

    def write(self, port: str, package: Package, progress: Progress) -> None:
        (image,) = package.images.values()
        with TemporaryDirectory() as folder:
            file = Path(folder) / "image.bin"
            file.write_bytes(image.content)
            at, seen = hex(image.offset), _Steps(len(image.content), 2, progress)
            _check(port, self._run(port, ["-e", "-w", "-v", "-a", at, "-g", at, str(file)], _WRITE_S, seen))
        progress(1.0)

    def accept(self, port: str) -> None:
        """One slot: there is nothing to accept."""

    def revert(self, port: str) -> None:
        raise FlashError(f"{port}: an STM32 has one slot; only its backup can be written back")

    def _run(self, port: str, what: list[str], timeout_s: float, seen: _Steps | None = None) -> process.Done:
        command = [*process.find("stm32loader", _HOW), "-p", port, "-b", str(self._baud), "-f", self._family]
        wiring = ["-s"] * self._swap + ["-B"] * self._low
        return process.run([*command, *wiring, "-V", *what], timeout_s, seen or len)


class _Steps:
    """Progress from the lines of `-V`: the tool's own bar is silent where there is no terminal."""

    def __init__(self, size: int, passes: int, progress: Progress) -> None:
        self._all, self._progress, self._rest = size * passes, progress, ""
        self._done = 0

    def __call__(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if found := _STEP.search(line):
                self._done += int(found[2])
                self._progress(min(self._done / self._all, 0.99))


def _check(port: str, done: process.Done) -> None:
    if done.code:
        raise FlashError(f"{port}: {_plain(done)} (stm32loader, exit code {done.code})")


def _plain(done: process.Done) -> str:
    """What stm32loader's words, often a traceback, mean to somebody who stands in front of the board."""
    spoken = "\n".join(
        line for line in done.said.splitlines() if not line.startswith(" ")
    )  # without source lines
    for words, meaning in _MEANINGS:
        if words in spoken:
            return meaning
    if "NACK Command" in done.last_line:
        return (
            f"the chip refuses the command {_COMMAND.findall(done.said)[-1]!r}: its flash is read-protected"
        )
    return done.last_line


_GONE = "the port went away in the middle: is the cable in, does the board have power?"
_MEANINGS = (
    ("Input/output error", _GONE),
    ("device disconnected", _GONE),
    ("could not open port", "the port cannot be opened: is the cable in, does somebody else have it open?"),
    ("Can't init into bootloader", "no ROM bootloader answers: are BOOT0 and reset wired, or set by hand?"),
    (
        "Erase failed",
        "the chip refuses to be erased: its flash is read-protected; unprotecting it erases all of it",
    ),
    (
        "Verification FAILED",
        "what is in flash after writing is not the image: write it again, else the chip is worn",
    ),
    (
        "programming failed",
        "the chip refused a block: the line disturbs bytes, or the image is larger than the flash",
    ),
    (
        "Can't read port or timeout",
        "the chip fell silent in the middle: is the cable in, does it have power?",
    ),
)
