"""Boards that we know by the name their firmware says in HELLO: flasher and its options, so that nobody types them.

A board that is not here is packed with --flasher and --set; the package carries both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Board:
    """`options` are those of its flasher; `limit` is where the application area ends (the bootloader stands there)."""

    flasher: str
    options: Mapping[str, str | int] = field(default_factory=dict)


BOARDS: Mapping[str, Board] = {
    # ATmega328P, data sheet 32.2: 32 KB; Optiboot takes the last 512 bytes.
    "uno": Board("avrdude", {"part": "m328p", "baud": 115_200, "limit": 0x7E00}),
    # ATmega2560 with the 8 KB STK500v2 bootloader of the Arduino Mega.
    "mega2560": Board(
        "avrdude", {"part": "m2560", "programmer": "wiring", "baud": 115_200, "limit": 0x3E000}
    ),
    # ATmega32U4: its bootloader is entered by a 1200 baud touch and comes back as another USB device.
    "leonardo": Board(
        "avrdude", {"part": "m32u4", "programmer": "avr109", "baud": 57_600, "touch": 1, "limit": 0x7000}
    ),
    # Our own A/B bootloader on an nRF51 (firmware_bridge/c/examples).
    "microbit": Board("edgeboot", {}),
    "bluepill": Board("stm32loader", {"family": "F1", "chip": 0x410, "size": 0x1_0000, "baud": 115_200}),
    "esp32": Board("esptool", {"chip": "esp32", "baud": 460_800}),
    "esp32c3": Board("esptool", {"chip": "esp32c3", "baud": 460_800}),
    "esp32s3": Board("esptool", {"chip": "esp32s3", "baud": 460_800}),
}
