"""Flashes Espressif chips through the bootloader in their ROM with esptool (GPL, a process)."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_bridge.flash import process
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.package import Package

_HOW = 'pip install "edgeinfer[firmware]"'
_PROBE_S, _WRITE_S = 60.0, 600.0
_SECTOR = 0x1000  # the smallest piece of flash that can be erased, esptool's FLASH_SECTOR_SIZE
_AT = re.compile(r"Writing at 0x([0-9a-f]{8})")
_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)? ?%")


class Esptool:
    """One slot as far as we use it; the ROM bootloader cannot be erased, so the next flash always works.

    Options: `chip` (esp32, esp32c3, …: another one is refused), `baud`, `app` and `size` (where the application lies
    and how many bytes of it to keep a copy of; 0: no copy; bootloader and partition table are not kept), `stub` (0:
    only what the chip's ROM can do, without the loader that esptool runs in the chip's RAM: slower).
    """

    traits = Traits(
        name="esptool",
        tool="esptool 5 (process)",
        entry="DTR and RTS pulse (boards with the usual auto-reset circuit); else the BOOT button",
        reads_back=True,
        keeps_old=False,
        proven="simulated peer: the unmodified tool, without its stub, against our own writing of the ESP32's ROM loader",
    )

    def __init__(self, options: Options) -> None:
        self._chip = str(options.get("chip", "auto"))
        self._baud = number(options, "baud", 460_800)
        self._app, self._size = number(options, "app", 0x1_0000), number(options, "size", 0)
        self._stub = number(options, "stub", 1)

    def fit(self, package: Package) -> None:
        end, before = 0, ""
        for name, image in sorted(package.images.items(), key=lambda item: item[1].offset):
            if image.offset // _SECTOR * _SECTOR < end:
                raise PackageError(
                    f"{before} and {name} share flash at 0x{image.offset:x}: writing one erases the other"
                )
            end, before = image.offset + len(image.content), name

    def probe(self, port: str) -> Probe:
        done = self._run(port, ["chip-id"], _PROBE_S)
        if done.code == 0:
            found = re.search(r"Chip type: +(.+)", done.said)
            return Probe("right", f"the ROM of an {found[1].strip() if found else self._chip} answers")
        wrong = re.search(r"This chip is ([\w-]+)", done.said)
        if wrong:
            return Probe("wrong", f"the chip is an {wrong[1]}, expected {self._chip}")
        return Probe("silent", _plain(done))

    def read(self, port: str, progress: Progress) -> Image | None:
        if not self._size:
            return None  # how much to read is not known: options.size says it

        def seen(text: str) -> None:
            if found := _PERCENT.findall(text):
                progress(min(int(found[-1]), 99) / 100)

        with TemporaryDirectory() as folder:
            file = Path(folder) / "back.bin"
            what = ["read-flash", hex(self._app), str(self._size), str(file)]
            _check(port, self._run(port, what, _WRITE_S, seen))
            content = file.read_bytes().rstrip(bytes([ERASED]))
        progress(1.0)
        return Image(self._app, content) if content else None

    def write(self, port: str, package: Package, progress: Progress) -> None:
        """Done when the MD5 that the chip computes over each part is the one that esptool computed over its file."""
        with TemporaryDirectory() as folder:
            what = ["write-flash"]
            for name, image in package.images.items():
                file = Path(folder) / name
                file.write_bytes(image.content)
                what += [hex(image.offset), str(file)]
            seen = _Steps(list(package.images.values()), progress)
            _check(port, self._run(port, what, _WRITE_S, seen))
        progress(1.0)

    def accept(self, port: str) -> None:
        """One slot: there is nothing to accept."""

    def revert(self, port: str) -> None:
        raise FlashError(f"{port}: only a backup can be written back")

    def _run(self, port: str, what: list[str], timeout_s: float, seen: process.OnText = len) -> process.Done:
        command = [*process.find("esptool", _HOW), *([] if self._stub else ["--no-stub"])]
        command += ["--chip", self._chip, "--port", port, "--baud", str(self._baud)]
        return process.run([*command, *what], timeout_s, seen)


class _Steps:
    """Progress over all parts, from the addresses that esptool names as it writes."""

    def __init__(self, images: list[Image], progress: Progress) -> None:
        self._images, self._progress = images, progress
        self._all = sum(len(image.content) for image in images)

    def __call__(self, text: str) -> None:
        if found := _AT.findall(text):
            at = int(found[-1], 16)
            done = sum(min(max(at - image.offset, 0), len(image.content)) for image in self._images)
            self._progress(min(done / self._all, 0.99))


def _check(port: str, done: process.Done) -> None:
    if done.code:
        raise FlashError(f"{port}: {_plain(done)} (esptool, exit code {done.code})")


def _plain(done: process.Done) -> str:
    """What esptool's words mean to somebody who stands in front of the board."""
    for words, meaning in _MEANINGS:
        if words in done.said:
            return meaning
    found = re.search(r"fatal error occurred: +(.+)", done.said)
    return found[1].strip() if found else done.last_line


_GONE = "the port went away in the middle: is the cable in, does the board have power?"
_MEANINGS = (
    ("Lost connection", _GONE),
    ("Input/output error", _GONE),
    (
        "No serial data received",
        "no chip answers: is it the right port, is the BOOT button held while it starts?",
    ),
    (
        "Wrong boot mode",
        "the chip started its firmware instead of its bootloader: hold the BOOT button, press reset",
    ),
    (
        "MD5 of file does not match",
        "what is in flash after writing is not the image: write it again, else it is worn",
    ),
)
