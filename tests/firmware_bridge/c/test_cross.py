"""The C library and the Python side against each other, field by field, both ways, over every message; seeded."""

from __future__ import annotations

import json
import random
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.framing import POINT_TO_POINT, Deframer, Frame, wrap
from tests.firmware_bridge import vectors

pytestmark = pytest.mark.slow  # needs compilers
COUNT = 400  # of each kind


@dataclass(frozen=True)
class Case:
    """`records` for the C side, what it must say it understood, and what it must send, in the last of them."""

    records: tuple[bytes, ...]
    understood: tuple[str, ...] = ()
    sent: m.Message | None = None
    sequence: int = 0
    node: int = POINT_TO_POINT


def record(op: str, payload: bytes = b"") -> bytes:
    return struct.pack("<cH", op.encode(), len(payload)) + payload


def run(binary: Path, cases: list[Case]) -> None:
    """Runs them all in one process, and compares."""
    sent = b"".join(part for case in cases for part in case.records)
    done = subprocess.run([binary], input=sent, check=False, capture_output=True, timeout=100)
    assert not done.returncode, done.stderr.decode(errors="replace")
    chunks = iter(done.stdout.decode().split("end\n"))
    for case in cases:
        said = [line for _ in case.records for line in next(chunks).splitlines()]
        wires = [line.removeprefix("wire ") for line in said if line.startswith("wire ")]
        assert [line.strip() for line in said if not line.startswith("wire ")] == list(case.understood)
        frames = Deframer().feed(b"".join(map(bytes.fromhex, wires)))
        assert all(isinstance(frame, Frame) for frame in frames)
        if case.sent is not None:
            *_, last = frames
            assert (last.node, last.sequence) == (case.node, case.sequence)
            assert m.parse(last) == case.sent


def text(draw: random.Random, most: int) -> str:
    return "".join(draw.choice("abz 0°é€😀-_") for _ in range(draw.randrange(most)))


def u32(draw: random.Random) -> int:
    return draw.choice((0, 1, 0xFF, 0x100, 0xFFFFFFFF, 0x80000000, draw.getrandbits(32)))


def f32(draw: random.Random) -> float:
    value: float = struct.unpack("<f", struct.pack("<f", draw.choice((0.0, -1.5, draw.uniform(-1e9, 1e9)))))[
        0
    ]
    return value


def ask(draw: random.Random, message: m.Message) -> tuple[bytes, int]:
    sequence = draw.randrange(256)
    return record("F", m.frame(message, sequence)), sequence


def strings(*said: str) -> bytes:
    return b"".join(one.encode() + b"\0" for one in said)


FORGET = record("F", m.frame(m.HelloRequest(), 1))  # a HELLO, so that no command id counts as the last one
START = record("F", m.frame(m.Command(0xFFFF, m.Order.START), 2))


def hello(draw: random.Random) -> Case:
    said = [text(draw, 25) for _ in range(4)]
    ids, flags, at = [u32(draw) for _ in range(3)], draw.choice((0, 2)), draw.randrange(2000, 2**32 - 100)
    request, sequence = ask(draw, m.HelloRequest())
    told = m.Hello(1, 1, 600, *ids[:1], (at + 14 - 1007) // 1000, *ids[1:], flags | 4, *said)
    records = (
        record("N", struct.pack("<IIIB", *ids, flags) + strings(*said)),
        record("T", struct.pack("<I", at)),
        request,
    )
    return Case(records, (), told, sequence)


def channel(draw: random.Random) -> Case:
    index = draw.randrange(200)
    total = draw.randrange(index + 1, 256)
    told = m.Channel(
        index,
        total,
        draw.randrange(256),
        draw.randrange(1, 8),
        f32(draw),
        f32(draw),
        u32(draw),
        text(draw, 40),
        text(draw, 20),
    )
    fixed = struct.pack(
        "<BBBBffI", index, total, told.block, told.kind, told.scale, told.offset, told.rate_mhz
    )
    request, sequence = ask(draw, m.DescribeRequest(index))
    return Case((record("C", fixed + strings(told.name, told.unit)), request), (), told, sequence)


def status(draw: random.Random) -> Case:
    counts = [u32(draw) for _ in range(6)]
    request, sequence = ask(draw, m.StatusRequest())
    return Case((record("S", struct.pack("<6I", *counts)), request), (), m.Status(*counts), sequence)


def time(draw: random.Random) -> Case:
    token, at = u32(draw), u32(draw)
    request, sequence = ask(draw, m.TimeRequest(token))
    told = m.Time(token, (at + 7) % 2**32, (at + 14) % 2**32)
    return Case((record("T", struct.pack("<I", at)), request), (), told, sequence)


def command(draw: random.Random) -> Case:
    order, arguments, ident = (
        draw.randrange(128, 256),
        draw.randbytes(draw.randrange(580)),
        draw.randrange(65536),
    )
    request, sequence = ask(draw, m.Command(ident, order, arguments))
    return Case(
        (FORGET, request),
        (f"command {order} {arguments.hex()}".strip(),),
        m.Ack(ident, order, order % 6),
        sequence,
    )


def rate(draw: random.Random) -> Case:
    block, rate_mhz, ident = draw.randrange(256), u32(draw), draw.randrange(65536)
    arguments = m.rate_arguments(block, rate_mhz)
    request, sequence = ask(draw, m.Command(ident, m.Order.SET_RATE, arguments))
    understood = (f"rate {block} {rate_mhz}", f"command 3 {arguments.hex()}")
    return Case((FORGET, request), understood, m.Ack(ident, 3, 3), sequence)


def enter(draw: random.Random) -> Case:
    ident, right = draw.randrange(65536), draw.random() < 0.5
    arguments = m.magic_arguments() if right else draw.randbytes(draw.randrange(8))
    request, sequence = ask(draw, m.Command(ident, m.Order.ENTER_BOOTLOADER, arguments))
    told = m.Ack(ident, 5, m.Result.DONE if right else m.Result.BAD_ARGUMENT)
    return Case((FORGET, request), ("restart 1",) if right else (), told, sequence)


def again(draw: random.Random) -> Case:
    """The same command three times: understood once, answered each time."""
    ident = draw.randrange(65536)
    request, sequence = ask(draw, m.Command(ident, 200, b"x"))
    return Case(
        (FORGET, request, request, request), ("command 200 78",), m.Ack(ident, 200, 200 % 6), sequence
    )


def refused(draw: random.Random) -> Case:
    kind = draw.choice((0x06, 0x08, *range(0x15, 0x80)))
    sequence = draw.randrange(256)
    request = Frame(1, 0, kind, sequence, draw.randbytes(draw.randrange(500)))
    return Case((record("F", wrap(request)),), (), m.Nak(kind, m.Reason.UNKNOWN_TYPE), sequence)


def info(draw: random.Random) -> Case:
    slot = draw.randrange(256)
    request, sequence = ask(draw, boot.BootInfoRequest(slot))
    told = boot.BootInfo(
        slot % 6,
        slot,
        2,
        255,
        slot % 5,
        slot * 0x1000001 % 2**32,
        2**32 - 1 - slot,
        1024,
        slot * 257,
        slot,
        2**32 - 1 - slot,
    )
    return Case((request,), (f"info {slot}",), told, sequence)


def erase(draw: random.Random) -> Case:
    slot, offset, length = draw.randrange(256), u32(draw), u32(draw)
    request, sequence = ask(draw, boot.BootErase(slot, offset, length))
    return Case(
        (request,),
        (f"erase {slot} {offset} {length}",),
        boot.BootErased(slot % 6, slot, offset, length),
        sequence,
    )


def write(draw: random.Random) -> Case:
    slot, offset, content = draw.randrange(256), u32(draw), draw.randbytes(draw.randrange(580))
    request, sequence = ask(draw, boot.BootWrite(slot, offset, content))
    told = boot.BootWritten(slot % 6, slot, offset, len(content))
    return Case((request,), (f"write {slot} {offset} {content.hex()}".strip(),), told, sequence)


def check(draw: random.Random) -> Case:
    slot, length, crc = draw.randrange(256), u32(draw), u32(draw)
    request, sequence = ask(draw, boot.BootCheck(slot, length, crc))
    return Case(
        (request,), (f"check {slot} {length} {crc}",), boot.BootChecked(slot % 6, slot, length, crc), sequence
    )


def boot_run(draw: random.Random) -> Case:
    slot = draw.randrange(256)
    request, sequence = ask(draw, boot.BootRun(slot))
    return Case((request,), (f"run {slot}",), boot.BootRuns(slot % 6, slot), sequence)


ANSWERED = (
    hello,
    channel,
    status,
    time,
    command,
    rate,
    enter,
    again,
    refused,
    info,
    erase,
    write,
    check,
    boot_run,
)


@pytest.mark.parametrize("kind", ANSWERED, ids=lambda kind: kind.__name__)
def test_requests_and_replies_mean_the_same_on_both_sides(cross_node, kind: Callable[[random.Random], Case]):
    draw = random.Random(kind.__name__)
    run(cross_node, [Case((START,)), *(kind(draw) for _ in range(COUNT))])


def test_all_kinds_mixed_mean_the_same_on_both_sides(cross_node):
    draw = random.Random(11)
    run(cross_node, [Case((START,)), *(draw.choice(ANSWERED)(draw) for _ in range(4 * COUNT))])


def test_readings_and_logs_that_nobody_asked_for_arrive_as_they_were_sent(cross_node):
    draw, cases = random.Random(12), [Case((START,))]
    for n in range(2 * COUNT):
        block, number, at = draw.randrange(256), u32(draw), u32(draw)
        values, rows = (
            draw.randbytes(draw.choice((0, 1, 254, 581, draw.randrange(582)))),
            draw.randrange(1, 65536),
        )
        told: m.Message = m.Readings(block, number, at, rows, values)
        payload = record("R", struct.pack("<BIIH", block, number, at, rows) + values)
        if n % 3 == 0:
            told = m.Log(draw.randrange(256), text(draw, 60))
            payload = record("L", bytes([told.level]) + strings(told.text))
        cases.append(Case((payload,), (), told, n % 256))
    run(cross_node, cases)


def test_poll_without_anything_to_say_is_refused_the_same(cross_node):
    request = record("F", m.frame(m.Poll(), 77))
    run(cross_node, [Case((request,), (), m.Nak(m.Poll.type, m.Reason.NOTHING_WAITING), 77)])


def test_the_committed_vectors_are_what_the_c_side_sends_for_the_same_fields(cross_node):
    """Byte for byte, but for the node's own counter of what nobody asked for; COBS and CRC included."""
    known = {v["name"]: v for v in json.loads(vectors.FILE.read_text(encoding="utf-8"))}
    asked, token = known["TimeRequest"], known["TimeRequest"]["fields"]["token"]
    records = (
        record("A", bytes([asked["node"]]))
        + record("T", struct.pack("<I", 100))
        + record("F", bytes.fromhex(asked["wire"]))
    )
    done = subprocess.run([cross_node], input=records, check=True, capture_output=True)
    wire = bytes.fromhex(done.stdout.decode().split("wire ")[1].split()[0])
    assert wire == m.frame(m.Time(token, 107, 114), asked["sequence"], asked["node"])
