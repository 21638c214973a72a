"""Ways into a bootloader that need the port itself: the 1200 baud touch, and waiting for a port to come back."""

from __future__ import annotations

import time
from pathlib import Path

from firmware_bridge.flash.errors import FlashError

_LOOK_S = 0.05


def touch_1200(port: str, timeout_s: float = 10.0) -> None:
    """Opens `port` at 1200 baud and closes it: boards with native USB then restart as their bootloader.

    Such a board leaves USB and comes back; a port that stays is taken as it is.

    Raises:
        FlashError: the port cannot be opened, or does not come back.
    """
    import serial

    try:
        serial.Serial(port, 1200).close()
    except OSError as error:
        raise FlashError(f"{port}: the 1200 baud touch failed: {error}") from error
    wait_gone(port, 1.0)
    wait_back(port, timeout_s)


def wait_gone(port: str, timeout_s: float) -> bool:
    """Whether `port` vanished in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if not Path(port).exists():
            return True
        time.sleep(_LOOK_S)
    return False


def wait_back(port: str, timeout_s: float) -> None:
    """Waits until `port` is there (again); raises FlashError when it is not in time."""
    end = time.monotonic() + timeout_s
    while not Path(port).exists():
        if time.monotonic() > end:
            raise FlashError(
                f"{port} did not come back within {timeout_s:.0f} s: is the cable in, does the board have power?"
            )
        time.sleep(_LOOK_S)
