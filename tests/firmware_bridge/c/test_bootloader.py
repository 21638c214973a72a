"""The A/B bootloader on a microbit whose flash controller QEMU emulates: after whatever happens, a whole known image runs."""

from __future__ import annotations

import struct
import zlib

import pytest

from tests.firmware_bridge.c.wire import (
    BOOT_CHECK,
    BOOT_ERASE,
    BOOT_INFO,
    BOOT_RUN,
    BOOT_WRITE,
    COMMAND,
    NAK,
    STATUS,
    Hello,
    Talk,
)
from tests.waiting import wait_for

pytestmark = pytest.mark.slow  # needs compilers and emulators
EMPTY, CONFIRMED, TRIAL, DAMAGED, ROLLED_BACK = range(5)


class Bench:
    """A microbit with the bootloader, and a host that flashes it as the specification says."""

    def __init__(self, qemu, firmware) -> None:
        self._firmware = firmware
        self.board = qemu("microbit", firmware("bootloader-ab") / "boot.elf")
        self.talk = Talk(self.board.port)

    def image(self, slot: int, version: str, **more: str) -> bytes:
        return (
            self._firmware("node-cortexm", BOARD="microbit", SLOT=slot, VERSION=version, **more) / "node.bin"
        ).read_bytes()

    def info(self, slot: int) -> tuple[int, ...]:
        """active, state, base, size, page, write_max, length, crc32"""
        return struct.unpack_from("<BBIIIHII", self.talk.ask(BOOT_INFO, bytes((slot,)), again_s=2.5).body, 3)

    def states(self) -> list[int]:
        return [self.info(slot)[1] for slot in (0, 1)]

    def enter(self) -> Hello:
        if not self.talk.hello().flags & 1:
            assert self.talk.command(5, struct.pack("<I", 0xB007106D)) == 0
        return self.until(lambda hello: hello.flags & 1)

    def until(self, condition) -> Hello:
        wait_for(lambda: condition(self.talk.hello()), 10.0, "the HELLO that was expected")
        return self.talk.hello()

    def transfer(self, slot: int, image: bytes, *, part: float = 1.0) -> None:
        image += b"\xff" * (-len(image) % 4)
        for offset in range(0, -(-len(image) // 1024) * 1024, 1024):
            assert (
                self.talk.ask(BOOT_ERASE, struct.pack("<BII", slot, offset, 1024), again_s=2.5).body[0] == 0
            )
        for offset in range(0, int(len(image) * part), 248):
            piece = image[offset : offset + 248]
            assert self.talk.ask(BOOT_WRITE, struct.pack("<BI", slot, offset) + piece).body[0] == 0

    def check(self, slot: int, image: bytes, crc32: int | None = None) -> int:
        body = struct.pack("<BII", slot, len(image), zlib.crc32(image) if crc32 is None else crc32)
        return self.talk.ask(BOOT_CHECK, body, again_s=2.5).body[0]

    def flash(self, slot: int, image: bytes) -> None:
        self.enter()
        self.transfer(slot, image)
        assert self.check(slot, image) == 0
        assert self.talk.ask(BOOT_RUN, bytes((slot,))).body[0] == 0

    def reset(self) -> Hello:
        before = self.talk.hello()
        self.board.reset()
        return self.until(lambda hello: hello.boot_id != before.boot_id)

    def runs(self, version: str) -> Hello:
        return self.until(lambda hello: not hello.flags & 1 and hello.version == version)

    def confirmed(self, slot: int, version: str) -> None:
        self.flash(slot, self.image(slot, version))
        self.runs(version)
        assert self.talk.command(6) == 0


@pytest.fixture
def bench(qemu, firmware):
    bench = Bench(qemu, firmware)
    yield bench
    bench.talk.close()


def test_a_blank_board_answers_as_a_bootloader_with_two_slots_and_nothing_to_start(bench):
    hello = bench.talk.hello()
    assert (hello.flags, hello.board, hello.name) == (1, "microbit", "bootloader-ab")
    active, _, *layout = bench.info(
        0
    )  # the state is that of QEMU's fresh flash: zeros, which no real chip has
    assert (active, layout) == (255, [0x4000, 0x18000, 1024, 496, 0, 0])
    assert bench.talk.ask(STATUS).kind == NAK


def test_an_erased_slot_is_empty(bench):
    bench.talk.hello()
    for offset in range(0, 0x18000, 0x2000):
        assert bench.talk.ask(BOOT_ERASE, struct.pack("<BII", 0, offset, 0x2000), again_s=2.5).body[0] == 0
    assert bench.states()[0] == EMPTY


def test_a_blank_board_takes_its_first_image_and_it_hashes_itself(bench):
    image = bench.image(0, "1.0.0")
    bench.flash(0, image)
    hello = bench.runs("1.0.0")
    assert (hello.length, hello.crc32, hello.flags) == (len(image), zlib.crc32(image), 0)


def test_a_confirmed_image_stays_over_resets(bench):
    bench.confirmed(0, "1.0.0")
    bench.confirmed(1, "2.0.0")
    for _ in range(3):
        hello = bench.reset()
        assert (hello.version, hello.flags) == ("2.0.0", 2)


@pytest.mark.parametrize(
    "arguments", [b"", b"\x6d\x10\x07", b"\xb0\x07\x10\x6d", bytes(4)], ids=lambda a: a.hex() or "none"
)
def test_without_the_magic_a_running_image_does_not_enter_the_bootloader(bench, arguments):
    bench.flash(0, bench.image(0, "1.0.0"))
    before = bench.runs("1.0.0")
    assert bench.talk.command(5, arguments) == 2
    hello = bench.talk.hello()
    assert (hello.boot_id, hello.flags & 1) == (before.boot_id, 0)


def test_enter_bootloader_that_comes_again_is_done_once(bench):
    """The ACK was lost: the repeat meets either the image, which does nothing, or the bootloader, which knows no such command."""
    bench.confirmed(0, "1.0.0")
    order = struct.pack("<HBI", 4000, 5, 0xB007106D)
    assert bench.talk.ask(COMMAND, order).body[3] == 0
    boot = bench.until(lambda hello: hello.flags & 1)
    assert bench.talk.ask(COMMAND, order).body[3] == 1
    assert bench.talk.hello().boot_id == boot.boot_id


def test_an_image_that_nobody_confirms_is_rolled_back_at_the_next_reset(bench):
    bench.confirmed(0, "1.0.0")
    bench.flash(1, bench.image(1, "3.0.0"))
    bench.runs("3.0.0")
    assert bench.reset().version == "1.0.0"
    bench.enter()
    assert bench.states() == [CONFIRMED, ROLLED_BACK]


def test_an_image_that_hangs_is_rolled_back_at_the_next_reset(bench):
    bench.confirmed(0, "1.0.0")
    bench.flash(1, bench.image(1, "9.0.0", MORE="-DHANG"))
    with pytest.raises(AssertionError, match="no answer"):
        bench.talk.hello(timeout_s=2.0)
    bench.board.reset()
    bench.runs("1.0.0")


def test_a_wrong_crc_is_refused_and_the_old_image_goes_on(bench):
    bench.confirmed(0, "1.0.0")
    bench.enter()
    image = bench.image(1, "2.0.0")
    bench.transfer(1, image)
    assert bench.check(1, image, crc32=1) == 5
    assert bench.talk.ask(BOOT_RUN, b"\1").body[0] == 3
    assert bench.reset().version == "1.0.0"


def test_a_reset_in_the_middle_of_a_transfer_keeps_the_old_image_and_the_next_flash_works(bench):
    bench.confirmed(0, "1.0.0")
    bench.enter()
    bench.transfer(1, bench.image(1, "2.0.0"), part=0.5)
    assert bench.reset().version == "1.0.0"
    bench.enter()
    assert bench.states() == [CONFIRMED, DAMAGED]
    bench.confirmed(1, "2.0.0")
    assert bench.reset().version == "2.0.0"


def test_the_confirmed_image_that_would_start_cannot_be_erased(bench):
    bench.confirmed(0, "1.0.0")
    bench.enter()
    assert bench.talk.ask(BOOT_ERASE, struct.pack("<BII", 0, 0, 1024), again_s=2.5).body[0] == 3
    assert bench.states()[0] == CONFIRMED


def test_a_check_that_comes_again_changes_nothing(bench):
    image = bench.image(0, "1.0.0")
    bench.enter()
    bench.transfer(0, image)
    assert [bench.check(0, image) for _ in range(3)] == [0, 0, 0]
    assert bench.info(0)[:2] == (0, TRIAL)


@pytest.mark.parametrize(
    ("slot", "offset", "length"), [(2, 0, 1024), (0, 4, 1024), (0, 0x18000, 1024), (0, 0, 0xFFFFFC00)]
)
def test_an_erase_outside_of_the_slots_is_refused(bench, slot, offset, length):
    bench.talk.hello()
    assert bench.talk.ask(BOOT_ERASE, struct.pack("<BII", slot, offset, length), again_s=2.5).body[0] == 2
