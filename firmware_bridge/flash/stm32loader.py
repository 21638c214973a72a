"""Flashes STM32 through the bootloader in its ROM (ST AN3155) with stm32loader (GPL, a process)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_bridge.flash import process
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.package import Package

_HOW = 'pip install "edgeinfer[firmware]"'
_FLASH_BASE = 0x0800_0000  # every STM32
_PROBE_S, _WRITE_S = 30.0, 300.0


class Stm32loader:
    """One slot; the ROM bootloader cannot be erased, so the next flash always works."""

    traits = Traits(
        name="stm32loader",
        tool="stm32loader (process)",
        entry="RTS to BOOT0 and DTR to NRST where they are wired; else the BOOT0 jumper and the reset button",
        reads_back=True,
        keeps_old=False,
        proven="not tested",
    )

    def __init__(self, options: Options) -> None:
        self._family = str(options.get("family", "F1"))
        self._baud = number(options, "baud", 115_200)
        self._size = number(options, "size", 0)

    def fit(self, package: Package) -> None:
        if len(package.images) != 1:
            raise PackageError(f"stm32loader writes one image, the package holds {len(package.images)}")

    def probe(self, port: str) -> Probe:
        done = self._run(port, [], _PROBE_S)
        if done.code:
            return Probe("silent", done.last_line)
        return Probe("right", "an STM32's ROM bootloader answers")

    def read(self, port: str, progress: Progress) -> Image | None:
        if not self._size:
            return None  # how much to read is not known: options.size says it
        with TemporaryDirectory() as folder:
            file = Path(folder) / "back.bin"
            where = ["-a", hex(_FLASH_BASE), "-l", str(self._size)]
            _check(port, self._run(port, ["-r", *where, str(file)], _WRITE_S))
            content = file.read_bytes().rstrip(bytes([ERASED]))
        progress(1.0)
        return Image(_FLASH_BASE, content) if content else None

    def write(self, port: str, package: Package, progress: Progress) -> None:
        (image,) = package.images.values()
        with TemporaryDirectory() as folder:
            file = Path(folder) / "image.bin"
            file.write_bytes(image.content)
            at = hex(image.offset)
            _check(port, self._run(port, ["-e", "-w", "-v", "-a", at, "-g", at, str(file)], _WRITE_S))
        progress(1.0)

    def accept(self, port: str) -> None:
        """One slot: there is nothing to accept."""

    def revert(self, port: str) -> None:
        raise FlashError(f"{port}: an STM32 has one slot; only its backup can be written back")

    def _run(self, port: str, what: list[str], timeout_s: float) -> process.Done:
        command = [*process.find("stm32loader", _HOW), "-p", port, "-b", str(self._baud), "-f", self._family]
        return process.run([*command, *what], timeout_s)


def _check(port: str, done: process.Done) -> None:
    if done.code:
        raise FlashError(f"{port}: stm32loader gave up (exit code {done.code}): {done.last_line}")
