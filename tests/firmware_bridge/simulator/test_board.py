"""The simulated board: the conversations that the bootloader in QEMU passes, and power cuts at every change of its flash."""

from __future__ import annotations

import zlib

import pytest

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Frame
from firmware_bridge.simulator import Board, Line, Program
from firmware_bridge.simulator.nor import Nor
from firmware_bridge.simulator.slots import Layout
from tests.firmware_bridge.c import test_bootloader as real
from tests.firmware_bridge.c.test_bootloader import (  # noqa: F401  the same tests against this board
    test_a_blank_board_answers_as_a_bootloader_with_two_slots_and_nothing_to_start,
    test_a_blank_board_takes_its_first_image_and_it_hashes_itself,
    test_a_check_that_comes_again_changes_nothing,
    test_a_confirmed_image_stays_over_resets,
    test_a_reset_in_the_middle_of_a_transfer_keeps_the_old_image_and_the_next_flash_works,
    test_a_wrong_crc_is_refused_and_the_old_image_goes_on,
    test_an_erase_outside_of_the_slots_is_refused,
    test_an_erased_slot_is_empty,
    test_an_image_that_hangs_is_rolled_back_at_the_next_reset,
    test_an_image_that_nobody_confirms_is_rolled_back_at_the_next_reset,
    test_the_confirmed_image_that_would_start_cannot_be_erased,
)
from tests.firmware_bridge.c.wire import Talk

SMALL = Layout(flash=0x2000, page=256, base=0x400, size=0x600)
S = 1_000_000_000


class Button:
    """The reset button of a board on a line."""

    def __init__(self, line: Line, board: Board) -> None:
        self._line, self._board = line, board

    def reset(self) -> None:
        with self._line.held():
            self._board.reset()


class SimulatedBench(real.Bench):
    """The bench of the real bootloader, with our board on it."""

    def __init__(self, line: Line, board: Board) -> None:
        self.board, self.talk = Button(line, board), Talk(line.port)

    def image(self, slot: int, version: str, **more: str) -> bytes:
        return Program("vibration", version, Layout().start(slot), 5000, "hangs" if more else "runs").image()


@pytest.fixture
def bench():
    board = Board(watchdog_s=1000.0)
    with Line([board]) as line:
        bench = SimulatedBench(line, board)
        yield bench
        bench.talk.close()


class Host:
    """Flashes a board without a port: a request in, the answer out; None when the board has no power any more."""

    def __init__(self, board: Board) -> None:
        self.board, self._sequence, self.now_ns = board, 0, S

    def ask(self, message: m.Message) -> m.Message | None:
        self._sequence = self._sequence % 255 + 1
        self.now_ns += S // 1000
        self.board.receive(m.frame(message, self._sequence), self.now_ns)
        self.board.advance(self.now_ns)
        frames = [f for f in Deframer().feed(self.board.outgoing()) if isinstance(f, Frame)]
        return next((m.parse(f) for f in frames if f.sequence == self._sequence), None)

    def enter(self) -> None:
        self.ask(m.Command(1, m.Order.ENTER_BOOTLOADER, m.magic_arguments()))

    def flash(self, slot: int, image: bytes, page: int) -> bool:
        """Whether every step was done."""
        image += b"\xff" * (-len(image) % 4)
        steps = [boot.BootErase(slot, at, page) for at in range(0, len(image), page)]
        steps += [boot.BootWrite(slot, at, image[at : at + 64]) for at in range(0, len(image), 64)]
        steps += [boot.BootCheck(slot, len(image), zlib.crc32(image)), boot.BootRun(slot)]
        for step in steps:
            answer = self.ask(step)
            if answer is None or answer.result:
                return False
        return True

    def confirm(self) -> bool:
        answer = self.ask(m.Command(2, m.Order.CONFIRM_IMAGE))
        return answer is not None and answer.result == 0


def image(slot: int, version: str) -> bytes:
    return Program("motor", version, SMALL.start(slot), 600).image()


def upgraded(cut_after: int | None) -> tuple[Board, Host]:
    """A board that ran 1.0.0 and was to be upgraded to 2.0.0; the power went after so many changes of its flash."""
    board = Board(layout=SMALL)
    host = Host(board)
    assert host.flash(0, image(0, "1.0.0"), SMALL.page)
    assert host.confirm()
    board.flash.changes, board.flash.cut_after = 0, cut_after
    host.enter()
    if host.flash(1, image(1, "2.0.0"), SMALL.page):
        host.confirm()
    return board, host


def test_an_upgrade_without_a_cut_runs_and_stays():
    board, _ = upgraded(None)
    board.reset()
    assert board.runs == "2.0.0"


def test_after_a_power_cut_at_any_change_of_the_flash_a_whole_known_image_runs_and_the_next_flash_works():
    whole, _ = upgraded(None)
    for cut_after in range(whole.flash.changes):
        board, host = upgraded(cut_after)
        assert board.runs == "off", cut_after
        board.power_on()
        assert board.runs.split()[0] in {"1.0.0", "2.0.0"}, cut_after
        hello = host.ask(m.HelloRequest())
        expected = image(0, "1.0.0") if hello.version == "1.0.0" else image(1, "2.0.0")
        assert hello.image_crc32 == zlib.crc32(expected), cut_after
        host.enter()
        assert host.flash(1, image(1, "3.0.0"), SMALL.page), cut_after
        assert host.confirm()
        board.reset()
        assert board.runs == "3.0.0", cut_after


def test_a_program_that_hangs_is_reset_by_the_watchdog_and_rolled_back():
    board, host = upgraded(None)
    host.enter()
    hanging = Program("motor", "9.0.0", SMALL.start(0), 600, "hangs").image()
    host.flash(0, hanging, SMALL.page)
    assert board.runs == "hangs"
    board.advance(host.now_ns + S)
    assert board.runs == "hangs"
    board.advance(host.now_ns + 6 * S)
    assert board.runs == "2.0.0"


def test_a_program_that_refuses_to_be_confirmed_is_rolled_back_by_a_reset():
    board, host = upgraded(None)
    host.enter()
    host.flash(0, Program("motor", "9.0.0", SMALL.start(0), 600, "refuses").image(), SMALL.page)
    assert not host.confirm()
    assert board.runs == "9.0.0 on trial"
    board.reset()
    assert board.runs == "2.0.0"


def test_a_program_that_was_linked_for_the_other_slot_hangs():
    board = Board(layout=SMALL)
    Host(board).flash(1, image(0, "1.0.0"), SMALL.page)
    assert board.runs == "hangs"


def test_writing_only_clears_bits_and_erasing_a_page_sets_them():
    flash = Nor(512, 256)
    assert flash.program(0, b"\x0f\x0f\x0f\x0f")
    assert not flash.program(0, b"\xf0\xf0\xf0\xf0")
    assert flash.read(0, 8) == b"\0\0\0\0\xff\xff\xff\xff"
    flash.erase(0)
    assert flash.read(0, 4) == b"\xff" * 4
