"""Writes vectors.json, a whole frame of every message in hexadecimal, and vectors_bad.json, what must be refused.

Run it again when the protocol grows:

python -m tests.firmware_bridge.vectors
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.framing import Frame, stuff, wrap

FILE = Path(__file__).with_name("vectors.json")
BAD_FILE = Path(__file__).with_name("vectors_bad.json")

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


GOOD = wrap(Frame(1, 0, 0x87, 5, bytes(range(1, 13))))
SHORT_TIME = wrap(Frame(1, 0, 0x87, 5, bytes(11)))
BEYOND = wrap(Frame(1, 0, 0x86, 5, b"\3\x09short"))
NO_UTF8 = wrap(Frame(1, 0, 0x86, 5, b"\3\2\xc3\x28"))
NO_ROW = wrap(Frame(1, 0, 0x83, 5, bytes(11)))
NO_TYPE = wrap(Frame(1, 0, 0x82, 5, b"\0\1\0\x08" + bytes(14)))


def bad() -> list[dict[str, object]]:
    """What a receiver must refuse. `fault`: where it is noticed, "cobs", "length", "crc", or "body" behind a right CRC."""
    cases: tuple[tuple[str, str, bytes], ...] = (
        ("a block ends beyond the delimiter", "cobs", b"\x05\x01\0"),
        ("seven bytes", "length", stuff(b"\1" * 7) + b"\0"),
        ("4097 bytes where 4096 are the most", "length", stuff(b"\1" * 4097) + b"\0"),
        ("one bit of the body", "crc", GOOD[:6] + bytes([GOOD[6] ^ 0x10]) + GOOD[7:]),
        ("one bit of the CRC", "crc", GOOD[:-2] + bytes([GOOD[-2] ^ 0x02]) + GOOD[-1:]),
        ("a TIME reply of 11 bytes", "body", SHORT_TIME),
        ("a text of 9 bytes of which 5 came", "body", BEYOND),
        ("a text that is no UTF-8", "body", NO_UTF8),
        ("READINGS without a row", "body", NO_ROW),
        ("a channel of type 8", "body", NO_TYPE),
    )
    return [{"why": why, "fault": fault, "wire": wire.hex()} for why, fault, wire in cases]


def text(rows: list[dict[str, object]]) -> str:
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(vectors()), encoding="utf-8")
    BAD_FILE.write_text(text(bad()), encoding="utf-8")
