"""The simulated board: the conversations that the bootloader in QEMU passes, and power cuts at every change of its flash."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Frame
from firmware_bridge.simulator import Board, Line, Program
from firmware_bridge.simulator.nor import Nor
from firmware_bridge.simulator.slots import Layout
from tests.firmware_bridge.c import test_bootloader as real
from tests.firmware_bridge.c.wire import Talk

# Every conversation that the bootloader in QEMU passes is held with this board as well, over the fixture `bench` below.
globals().update({name: test for name, test in vars(real).items() if name.startswith("test_")})

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


def test_a_bootloader_that_nobody_asks_any_more_starts_what_it_has():
    board, host = upgraded(None)
    host.enter()
    host.ask(boot.BootErase(0, 0, SMALL.page))
    last_ns = host.now_ns
    for second in range(59):
        host.now_ns = last_ns + second * S
        assert host.ask(m.HelloRequest()).bootloader, "HELLO does not count, and a minute is not over"
    board.advance(last_ns + 60 * S)
    assert board.runs == "2.0.0"


def test_a_bootloader_that_has_nothing_to_start_waits_for_ever():
    board = Board(layout=SMALL)
    for minute in range(5):
        board.advance(minute * 61 * S)
    assert board.runs == "bootloader"


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


BYTE, WORD = (
    st.integers(0, 255),
    st.sampled_from([0, 4, 255, 256, 0x500, 0x600, 0x5FC, 0xFFFFFF00, 0xFFFFFFFF]),
)
REQUESTS = st.one_of(
    st.builds(boot.BootInfoRequest, BYTE),
    st.builds(boot.BootErase, st.integers(0, 3), WORD, WORD),
    st.builds(boot.BootWrite, st.integers(0, 3), WORD, st.binary(max_size=64)),
    st.builds(boot.BootCheck, st.integers(0, 3), WORD, WORD),
    st.builds(m.Command, BYTE, st.integers(0, 10), st.binary(max_size=5)),
)


@given(st.lists(REQUESTS, max_size=20), st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_no_request_and_no_garbage_harms_the_image_that_was_accepted(requests, garbage):
    board, host = upgraded(None)
    host.enter()
    for request in requests:
        host.ask(request)
    board.receive(garbage + b"\0", host.now_ns)
    board.reset()
    assert board.runs == "2.0.0"
    assert host.ask(m.HelloRequest()).image_crc32 == zlib.crc32(image(1, "2.0.0"))
