"""Writes vectors.json: a whole frame of every message in hexadecimal; run it again when the protocol grows.

python -m tests.firmware_bridge.vectors
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m

FILE = Path(__file__).with_name("vectors.json")

MESSAGES: tuple[m.Message, ...] = (
    m.HelloRequest(),
    m.Hello(1, 1, 64, 0xCAFE0001, 1500, 2112, 0xDEADBEEF, 6, "uno", "thermo", "1.4.0", "0a1b2c3d"),
    m.DescribeRequest(2),
    m.Channel(2, 3, 1, 3, 0.125, -1.5, 12_800_000, "z", "m/s²"),
    m.Poll(),
    m.Readings(1, 0xFFFFFFFF, 4_000_000_000, 3, bytes.fromhex("0000ff7f0080010000000200")),
    m.Readings(0, 7, 0, 250, bytes(range(250)) * 2),
    m.StatusRequest(),
    m.Status(1, 2, 3, 4, 5, 0xFFFFFFFF),
    m.Command(0x1234, m.Order.START),
    m.Command(2, m.Order.SET_RATE, m.rate_arguments(1, 500)),
    m.Command(3, m.Order.ENTER_BOOTLOADER, m.magic_arguments()),
    m.Ack(0x1234, m.Order.START, m.Result.DONE),
    m.Log(3, "Lüfter steht"),
    m.TimeRequest(0x01020304),
    m.Time(0x01020304, 4_294_967_295, 12),
    m.Nak(0x42, m.Reason.UNKNOWN_TYPE),
    boot.BootInfoRequest(1),
    boot.BootInfo(0, 1, 2, 0, 2, 0x1C000, 0x18000, 1024, 48, 6000, 0x11223344),
    boot.BootErase(1, 1024, 1024),
    boot.BootErased(0, 1, 1024, 1024),
    boot.BootWrite(1, 48, bytes(8) + b"\xff" * 8),
    boot.BootWritten(0, 1, 48, 16),
    boot.BootCheck(1, 6000, 0x11223344),
    boot.BootChecked(5, 1, 6000, 0x99887766),
    boot.BootRun(1),
    boot.BootRuns(0, 1),
)


def plain(message: m.Message) -> dict[str, object]:
    """Its fields; bytes as hexadecimal."""
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in asdict(message).items()}  # type: ignore[call-overload]


def vectors() -> list[dict[str, object]]:
    return [
        {
            "name": type(message).__name__,
            "type": message.type,
            "node": n % 3,
            "sequence": (n * 37) & 0xFF,
            "fields": plain(message),
            "body": message.body().hex(),
            "wire": m.frame(message, n * 37, n % 3).hex(),
        }
        for n, message in enumerate(MESSAGES)
    ]


def text() -> str:
    return "[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors()) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
