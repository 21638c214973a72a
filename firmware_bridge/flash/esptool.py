"""Flashes Espressif chips through the bootloader in their ROM with esptool (GPL, a process)."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_bridge.flash import process
from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.package import Package

_HOW = 'pip install "edgeinfer[firmware]"'
_PROBE_S, _WRITE_S = 30.0, 600.0
_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)? ?%")


class Esptool:
    """One slot as far as we use it; the ROM bootloader cannot be erased, so the next flash always works."""

    traits = Traits(
        name="esptool",
        tool="esptool 5 (process)",
        entry="DTR and RTS pulse (boards with the usual auto-reset circuit); else the BOOT button",
        reads_back=True,
        keeps_old=False,
        proven="not tested",
    )

    def __init__(self, options: Options) -> None:
        self._chip = str(options.get("chip", "auto"))
        self._baud = number(options, "baud", 460_800)
        self._app, self._size = number(options, "app", 0x1_0000), number(options, "size", 0)

    def fit(self, package: Package) -> None:
        """Any number of images at any place."""

    def probe(self, port: str) -> Probe:
        done = self._run(port, ["chip-id"], _PROBE_S)
        if done.code == 0:
            return Probe("right", f"an {self._chip} answers from its ROM")
        wrong = re.search(r"This chip is ([\w-]+)", done.said)
        return Probe("wrong", f"the chip is {wrong[1]}") if wrong else Probe("silent", done.last_line)

    def read(self, port: str, progress: Progress) -> Image | None:
        if not self._size:
            return None  # how much to read is not known: options.size says it
        with TemporaryDirectory() as folder:
            file = Path(folder) / "back.bin"
            what = ["read-flash", hex(self._app), str(self._size), str(file)]
            _check(port, self._run(port, what, _WRITE_S, progress))
            return Image(self._app, file.read_bytes())

    def write(self, port: str, package: Package, progress: Progress) -> None:
        with TemporaryDirectory() as folder:
            what = ["write-flash"]
            for name, image in package.images.items():
                file = Path(folder) / name
                file.write_bytes(image.content)
                what += [hex(image.offset), str(file)]
            _check(port, self._run(port, what, _WRITE_S, progress))
        progress(1.0)

    def accept(self, port: str) -> None:
        """One slot: there is nothing to accept."""

    def revert(self, port: str) -> None:
        raise FlashError(f"{port}: only a backup can be written back")

    def _run(
        self, port: str, what: list[str], timeout_s: float, progress: Progress | None = None
    ) -> process.Done:
        command = [
            *process.find("esptool", _HOW),
            "--chip",
            self._chip,
            "--port",
            port,
            "--baud",
            str(self._baud),
        ]

        def seen(text: str) -> None:
            if progress and (found := _PERCENT.findall(text)):
                progress(min(int(found[-1]), 99) / 100)

        return process.run([*command, *what], timeout_s, seen)


def _check(port: str, done: process.Done) -> None:
    if done.code:
        raise FlashError(f"{port}: esptool gave up (exit code {done.code}): {done.last_line}")
