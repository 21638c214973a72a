"""What was on a board when a job came to it, and how it is recognised again; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_bridge.flash.image import ERASED
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Running, proof_of, same_image


@dataclass(frozen=True)
class Before:
    """`running` is its HELLO (None: none came), `copy` what a rollback writes, where the board does not keep it itself.

    `kept_by_board`: it has two slots, and its bootloader starts only what is whole.
    `half_written`: flash held a mixture that a broken run had left; then `copy` is what ran before that run.
    """

    running: Running | None = None
    copy: Package | None = None
    half_written: bool = False
    kept_by_board: bool = False

    @property
    def speechless(self) -> bool:
        """Somebody else's firmware ran, or one that does not start: only reading back can tell that it is there again."""
        return not self.half_written and (self.running is None or self.running.bootloader)

    def is_again(self, running: Running | None) -> bool:
        """Whether HELLO says that the node runs again what it ran."""
        if not self.half_written and not self.speechless:
            return same_image(self.running, running)
        if (
            self.kept_by_board
        ):  # it stood in its bootloader: what it kept is what it starts, and was accepted once
            return running is not None and not running.bootloader and running.confirmed
        return self.copy is not None and proof_of(self.copy, running) != "none"


def whole(running: Running | None, known: Sequence[Package]) -> bool:
    """Whether the node's own CRC says that it runs one of `known` to the last byte."""
    return any(proof_of(package, running) == "image" for package in known)


def mixture(flash: bytes, known: Sequence[bytes]) -> bool:
    """Whether `flash` is pieced together from `known` images and erased bytes, as a broken transfer leaves it.

    Anything else is another program, whoever put it there.
    """
    rows = [image.ljust(len(flash), bytes([ERASED])) for image in known]
    return all(byte == ERASED or any(row[n] == byte for row in rows) for n, byte in enumerate(flash))
