"""What goes wrong while packing and flashing; each error speaks to the technician who reads it."""

from __future__ import annotations


class FlashError(Exception):
    """The world failed: port, board, tool or cable (exit code 1)."""

    exit_code = 1


class PackageError(FlashError):
    """What was handed in is wrong: file, package, signature, image for another board (exit code 2)."""

    exit_code = 2


class PortBusyError(FlashError):
    """Somebody else holds the port."""


class StoppedError(FlashError):
    """The person at the terminal has had enough."""


class NoAnswerError(FlashError):
    """A node does not answer a request, or answers that it does not know it."""
