"""All that is plugged in, in one look; what to make of it is for the commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.devices.accelerators import Accelerator, Library, accelerators, library
from edgeinfer.devices.board import BoardModel, board_model
from edgeinfer.devices.cameras import Camera, cameras
from edgeinfer.devices.serial import SerialPort, serial_ports
from edgeinfer.sources.v4l2_formats import sizes

ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Found:
    """`libedgetpu` is None where the library is not installed."""

    board: BoardModel
    cameras: tuple[Camera, ...]
    serial: tuple[SerialPort, ...]
    accelerators: tuple[Accelerator, ...]
    libedgetpu: Library | None


def look(root: Path = ROOT) -> Found:
    """Opens each camera for a moment to ask for its sizes; nothing else is opened, and no network is scanned."""
    return Found(
        board=board_model(root),
        cameras=cameras(root, sizes),
        serial=serial_ports(root),
        accelerators=accelerators(root),
        libedgetpu=library(root),
    )
