"""Flashes AVR boards with avrdude (GPL, a process) through a bootloader that speaks STK500 or AVR109."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_bridge.flash import entry, process
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.hexfile import read_hex, write_hex
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.package import Package

_PROBE_S, _READ_S, _WRITE_S = 30.0, 300.0, 300.0
_SILENCE_S = 30.0  # a page takes less than a second, its attempts to find the bootloader about ten
_HOW = "apt install avrdude"
_MARKS = 50  # hashes of one progress bar of avrdude


class Avrdude:
    """One slot only: a cut leaves the bootloader alive, from which the next flash works."""

    traits = Traits(
        name="avrdude",
        tool="avrdude (process)",
        entry="DTR pulse when the port is opened; 1200 baud touch where options.touch = 1; else the reset button",
        reads_back=True,
        keeps_old=False,
        proven="emulated board: the unmodified tool and the Optiboot, built from unmodified source on an ATmega328P in simavr",
    )

    def __init__(self, options: Options) -> None:
        self._part = str(options.get("part", ""))
        if not self._part:
            raise PackageError("options.part is missing: avrdude has to know the chip, such as m328p")
        self._programmer = str(options.get("programmer", "arduino"))
        self._baud = number(options, "baud", 115_200)
        self._limit = number(options, "limit", 0)
        self._touch = bool(number(options, "touch", 0))

    def fit(self, package: Package) -> None:
        if len(package.images) != 1:
            raise PackageError(f"avrdude writes one image, the package holds {len(package.images)}")
        (image,) = package.images.values()
        end = image.offset + len(image.content)
        if self._limit and end > self._limit:
            raise PackageError(
                f"the image ends at 0x{end:x}, and the bootloader begins at 0x{self._limit:x}: it does not fit this board"
            )

    def probe(self, port: str) -> Probe:
        done = self._run(port, ["-n"], _PROBE_S)
        if done.code == 0:
            return Probe("right", f"the bootloader stands on {self._part}")
        found = re.search(r"[Dd]evice signature = (?:0x)?([0-9A-Fa-f ]+)", done.said)
        if "xpected signature" in done.said:
            return Probe(
                "wrong", f"the chip is not {self._part}{f' (signature {found[1].strip()})' if found else ''}"
            )
        return Probe("silent", _plain(done.last_line))

    def read(self, port: str, progress: Progress) -> Image | None:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "back.hex"
            done = self._run(port, ["-U", f"flash:r:{file}:i"], _READ_S, _Bars(1, progress))
            if done.code:
                raise FlashError(f"{port}: reading the flash back failed: {_plain(done.last_line)}")
            image = read_hex(file.read_text(), "what avrdude read back")
        content = image.content[: self._limit - image.offset] if self._limit else image.content
        content = content.rstrip(bytes([ERASED]))
        return Image(image.offset, content) if content else None

    def write(self, port: str, package: Package, progress: Progress) -> None:
        (image,) = package.images.values()
        with TemporaryDirectory() as folder:
            file = Path(folder) / "image.hex"
            file.write_text(write_hex(image))
            done = self._run(port, ["-D", "-U", f"flash:w:{file}:i"], _WRITE_S, _Bars(2, progress))
        if done.code:
            raise FlashError(f"{port}: avrdude gave up (exit code {done.code}): {_plain(done.last_line)}")
        progress(1.0)

    def accept(self, port: str) -> None:
        """One slot: there is nothing to accept."""

    def revert(self, port: str) -> None:
        raise FlashError(f"{port}: an AVR has one slot; only its backup can be written back")

    def _run(self, port: str, what: list[str], timeout_s: float, bars: _Bars | None = None) -> process.Done:
        if self._touch:
            entry.touch_1200(port)
        command = [*process.find("avrdude", _HOW), "-c", self._programmer, "-p", self._part]
        command += ["-b", str(self._baud), "-P", port, *what]
        return process.run(command, timeout_s, bars or len, port=port, silence_s=_SILENCE_S)


class _Bars:
    """Counts the hashes of avrdude's progress bars (the first is that of the signature)."""

    def __init__(self, bars: int, progress: Progress) -> None:
        self._all, self._progress, self._seen = bars * _MARKS, progress, -_MARKS

    def __call__(self, text: str) -> None:
        self._seen += text.count("#")
        self._progress(min(max(self._seen / self._all, 0.0), 0.99))


def _plain(line: str) -> str:
    """What avrdude's words mean to somebody who stands in front of the board."""
    if "not in sync" in line or "programmer is not responding" in line or "stk500" in line:
        return "no bootloader answers: is it the right port, is the board's reset wired to DTR? Press reset and try again"
    return line.removeprefix("avrdude:").removeprefix(" error:").strip() or "avrdude said nothing"
