"""The simulated node against the specification and against our own link; no port, a time of its own."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Frame, wrap
from firmware_bridge.link import MS, Answered, Block, Described, Greeted, Link, OtherVersion, Said
from firmware_bridge.simulator import Firmware, Node, Noise
from firmware_bridge.simulator.node import rows_in
from tests.firmware_bridge.simulator.nodes import counting_node

S = 1000 * MS


class Bench:
    """A link and nodes on one wire, in steps of a millisecond."""

    def __init__(self, *nodes: Node, address: int = 0, spoil=bytes) -> None:
        self.nodes, self.link, self.spoil, self.now_ns, self.events = nodes, Link(address), spoil, 5 * S, []

    def run(self, s: float, step_ms: int = 1) -> list:
        fresh = len(self.events)
        for _ in range(round(s * 1000 / step_ms)):
            self.now_ns += step_ms * MS
            self.events += self.link.tick(self.now_ns)
            said = self.link.outgoing()
            for node in self.nodes:
                if said:
                    node.receive(said, self.now_ns)
                node.advance(self.now_ns)
                self.events += self.link.receive(self.spoil(node.outgoing()), self.now_ns)
        return self.events[fresh:]

    def of(self, kind) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def rows(self) -> np.ndarray:
        return np.concatenate(
            [np.frombuffer(b.raw, "<i2").astype(int).reshape(-1, 2) for b in self.of(Block)]
        )


def ask(
    node: Node, message: m.Message, sequence: int = 9, now_ns: int = S, address: int = 0
) -> list[m.Message]:
    node.receive(m.frame(message, sequence, address), now_ns)
    frames = [f for f in Deframer().feed(node.outgoing()) if isinstance(f, Frame)]
    return [m.parse(f) for f in frames if f.sequence == sequence]


def test_it_says_who_it_is_with_length_and_crc_of_its_image():
    [hello] = ask(Node(Firmware("motor", "2.1.0", "uno", "9f2c", b"\x01" * 777)), m.HelloRequest())
    assert (hello.name, hello.version, hello.board, hello.build) == ("motor", "2.1.0", "uno", "9f2c")
    assert (hello.image_length, hello.image_crc32) == (777, zlib.crc32(b"\x01" * 777))


def test_it_says_hello_once_when_it_starts_and_a_node_with_an_address_never_does():
    plain, polled = counting_node(), counting_node(address=3)
    for node in (plain, polled):
        node.advance(S)
    [frame] = Deframer().feed(plain.outgoing())
    assert (frame.type, frame.sequence) == (m.Hello.type, 0)
    assert polled.outgoing() == b""


def test_a_link_greets_describes_and_gets_every_row_in_order_at_its_time():
    bench = Bench(counting_node())
    bench.run(6)
    assert [c.name for c in bench.of(Described)[0].channels] == ["up", "down"]
    rows = bench.rows()[:, 0]
    assert len(rows) > 5000
    assert (np.diff(rows) == 1).all()
    steps = np.diff([b.at_ns for b in bench.of(Block)][20:])
    assert abs(np.median(steps) - 50 * MS) < 0.1 * MS


def test_a_quartz_that_is_off_and_a_counter_that_wraps_do_not_bend_time():
    node = counting_node(ppm=150, first_us=2**32 - 3_000_000)
    bench = Bench(node)
    bench.run(30)
    blocks = bench.of(Block)[100:]
    steps = np.diff([b.at_ns for b in blocks])
    assert np.abs(steps - 50 * MS / 1.00015).max() < 2 * MS
    assert len(bench.of(Greeted)) == 1


def test_a_command_that_comes_again_is_done_once():
    node = counting_node()
    stop = m.Command(7, m.Order.STOP)
    ask(node, m.Command(6, m.Order.START))
    first, again = ask(node, stop), ask(node, stop)
    assert first == again == [m.Ack(7, m.Order.STOP, m.Result.DONE)]
    assert ask(node, m.StatusRequest())[0].repeats == 1
    ask(node, m.HelloRequest())
    ask(node, stop)
    assert ask(node, m.StatusRequest())[0].repeats == 1


@pytest.mark.parametrize(
    ("order", "arguments", "result"),
    [
        (m.Order.ENTER_BOOTLOADER, b"", m.Result.BAD_ARGUMENT),
        (m.Order.ENTER_BOOTLOADER, m.magic_arguments(), m.Result.UNKNOWN),
        (200, b"", m.Result.UNKNOWN),
        (m.Order.CONFIRM_IMAGE, b"", m.Result.DONE),
    ],
)
def test_what_it_says_to_commands(order, arguments, result):
    assert ask(counting_node(), m.Command(1, order, arguments)) == [m.Ack(1, order, result)]


def test_the_bootloader_is_entered_only_with_the_magic():
    node = counting_node(has_bootloader=True)
    ask(node, m.Command(1, m.Order.ENTER_BOOTLOADER, b"abcd"))
    assert not node.wish
    ask(node, m.Command(2, m.Order.ENTER_BOOTLOADER, m.magic_arguments()))
    assert node.wish == "bootloader"


def test_a_reboot_is_seen_by_the_link_as_another_node():
    bench = Bench(counting_node())
    bench.run(3)
    bench.link.command(m.Order.REBOOT)
    bench.run(3)
    assert [type(e).__name__ for e in bench.events if isinstance(e, Greeted | Answered)].count("Greeted") == 2
    assert bench.of(Greeted)[1].hello.boot_id != bench.of(Greeted)[0].hello.boot_id


def test_a_node_with_an_address_speaks_only_when_it_is_asked_and_never_for_another():
    node = counting_node(address=3)
    ask(node, m.Command(1, m.Order.START), address=3)
    node.advance(2 * S)
    assert node.outgoing() == b""
    assert ask(node, m.Poll(), address=4) == ask(node, m.Poll()) == []
    assert isinstance(ask(node, m.Poll(), address=3)[0], m.Readings)


def test_a_polled_node_that_is_not_asked_keeps_the_newest_and_counts_the_rest():
    node = counting_node(address=3)
    ask(node, m.Command(1, m.Order.START), address=3, now_ns=0)
    node.advance(10 * S)
    assert ask(node, m.Poll(), address=3)[0].number == 200 - 64
    assert ask(node, m.StatusRequest(), address=3)[0].tx_dropped == 200 - 64


def test_a_poll_that_comes_again_gets_the_same_block_and_the_next_one_the_next():
    node = counting_node(address=3)
    ask(node, m.Command(1, m.Order.START), address=3, now_ns=0)
    node.advance(S)
    numbers = [ask(node, m.Poll(), sequence, address=3)[0].number for sequence in (4, 4, 5)]
    ask(node, m.TimeRequest(1), 5, address=3)
    assert [*numbers, ask(node, m.Poll(), 5, address=3)[0].number] == [0, 0, 1, 2]


def test_two_nodes_share_a_pair_and_neither_hears_the_other():
    one, two = counting_node("one", address=1), counting_node("two", address=2, rate_hz=200)
    first, second = Bench(one, two, address=1), Bench(one, two, address=2)
    for _ in range(4000):
        for bench in (first, second):
            bench.run(0.002, step_ms=2)
    assert [e.hello.name for e in first.of(Greeted)] == ["one"]
    assert [e.hello.name for e in second.of(Greeted)] == ["two"]
    assert all((np.diff(b.rows()[:, 0]) == 1).all() for b in (first, second))


def test_a_log_arrives_as_it_was_said():
    bench = Bench(node := counting_node())
    bench.run(1)
    node.log(3, "the sensor is hot")
    bench.run(0.1)
    assert m.Log(3, "the sensor is hot") in [e.message for e in bench.of(Said)]


def test_a_firmware_of_another_version_is_told_as_such():
    bench = Bench(counting_node(versions=(2, 3)))
    bench.run(1)
    assert [str(e).partition(":")[0] for e in bench.of(OtherVersion)] == [
        "the node speaks version 2 to 3 of the protocol, this program version 1"
    ]


def test_other_versions_malformed_and_unknown_requests_get_their_nak():
    node = counting_node()
    for frame, reason in (
        (Frame(7, 0, 0x04, 1, b""), m.Reason.VERSION),
        (Frame(1, 0, 0x02, 1, b""), m.Reason.MALFORMED),
        (Frame(1, 0, 0x55, 1, b""), m.Reason.UNKNOWN_TYPE),
        (Frame(1, 0, 0x02, 1, b"\x09"), m.Reason.MALFORMED),
    ):
        node.receive(wrap(frame), S)
        replies = [m.parse(f) for f in Deframer().feed(node.outgoing()) if f.sequence == 1]
        assert replies == [m.Nak(frame.type, reason)]


def test_a_bad_cable_costs_frames_and_never_a_wrong_row():
    bench = Bench(counting_node(rate_hz=5000), spoil=Noise(flip=2e-4, drop=2e-4, insert=2e-4, seed=3))
    bench.run(20)
    rows = bench.rows()
    assert (rows[:, 1] == -(rows[:, 0] % 2**15)).all()
    lost = sum(b.lost for b in bench.of(Block))
    assert 0 < lost < 0.4 * len(bench.of(Block))
    assert bench.link.counts[1] + bench.link.counts[2] > 0


def test_noise_is_the_same_for_the_same_seed():
    data = bytes(range(256)) * 20
    assert Noise(0.1, 0.1, 0.1, seed=4)(data) == Noise(0.1, 0.1, 0.1, seed=4)(data) != data


def test_rows_fill_a_frame_and_no_more():
    rows = rows_in(512, 6)
    assert len(wrap(Frame(1, 0, 0x83, 0, bytes(11 + 6 * rows)))) <= 512 + 4
    assert rows == (512 - 8 - 11) // 6
