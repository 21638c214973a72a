"""The sink `modbus` against pymodbus's own server."""

from __future__ import annotations

import struct

import msgspec
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.events import Acked, Decision, Message, Refused, Sent
from edgeinfer.meters import Meters
from edgeinfer.ports import EncoderPlace, SinkPlace, no_will
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.sinks.modbus import Modbus
from edgeinfer.sources.modbus import Modbus as Source
from edgeinfer.wire.plain import Plain
from tests.fixtures.brokers import free_port
from tests.runtime.decisions import Board
from tests.sources.conftest import make, take
from tests.waiting import wait_for

MAP = {"scratched": {"to": "coil:3", "valid": "coil:4"}, "count": "holding:2:float32"}


class Made:
    def __init__(self, tcp_port: int, **options) -> None:
        self.board, self.meters = Board(), Meters()
        written = {"host": "127.0.0.1", "tcp_port": tcp_port, "timeout_s": 0.5, "map": MAP}
        place = SinkPlace("plc", "press-07", "", no_will, self.board, meters=self.meters)
        self.sink = Modbus(msgspec.convert(written | options, Modbus.Options), place)

    def ready(self):
        wait_for(lambda: self.sink.wait_ready(0.1))
        return self.sink


@pytest.fixture
def modbus():
    made = []

    def make(tcp_port, **options):
        made.append(Made(tcp_port, **options))
        return made[-1]

    yield make
    for one in made:
        one.sink.close()


@pytest.fixture
def plc(plcs):
    return plcs([0] * 8)


def said(rule, word, seq=1):
    return Message(f"edgeinfer/press-07/state/{rule}", str(word).encode(), seq=seq)


def number(plc, address=2):
    return struct.unpack(">f", struct.pack(">2H", *plc.holding(address, 2)))[0]


# --- without a PLC -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": ""}, "host: expected either host"),
        ({"map": {"a": "coil:1", "b": "coil:1"}, "unknown": "off"}, r"map\.b: coil 1 belongs to map\.a"),
        ({"map": {"a": "coil:1"}, "unknown": "off", "heartbeat": "coil:1"}, "heartbeat: coil 1 belongs to"),
        ({"heartbeat": "beat"}, "heartbeat: expected"),
        ({"heartbeat_s": 0.1}, "heartbeat_s: expected seconds"),
        ({"refresh_s": 0.0}, "refresh_s: expected seconds"),
    ],
)
def test_what_is_wrong_in_itself_is_refused(modbus, options, words):
    with pytest.raises(InputError, match=words):
        modbus(502, **options)


def test_a_plc_that_is_not_there_is_told_and_nobody_waits_long(modbus):
    made = modbus(free_port())
    assert not made.sink.wait_ready(0.05)
    assert "cannot be reached" in made.board.now["plc"]
    with pytest.raises(DeliveryError, match="not connected"):
        made.sink.send([said("count", 1)])


# --- with one ------------------------------------------------------------------------------------------------


def test_states_and_numbers_stand_there_once_they_are_acknowledged(modbus, plc):
    made = modbus(plc.port)
    outcomes = made.ready().send([said("scratched", "on"), said("count", 21.5), said("other", "on")])
    assert outcomes == [Acked()] * 3
    assert plc.coils(3, 2) == [1, 1]
    assert number(plc) == 21.5


def test_an_unknown_state_is_not_valid(modbus, plc):
    sink = modbus(plc.port).ready()
    sink.send([said("scratched", "on")])
    sink.send([said("scratched", "unknown")])
    assert plc.coils(3, 2) == [0, 0]


def test_of_several_states_of_a_rule_the_newest_is_written(modbus, plc):
    made = modbus(plc.port)
    made.ready().send([said("count", n, n) for n in range(1, 100)])
    assert number(plc) == 99.0
    assert made.meters.counters == {"written": 1}


def test_only_a_change_is_written(modbus, plc):
    made = modbus(plc.port)
    for _ in range(5):
        made.ready().send([said("scratched", "on")])
    assert made.meters.counters == {"written": 2}  # the coil and its validity


def test_what_has_no_number_of_its_own_is_sent(modbus, plc):
    message = Message("edgeinfer/press-07/health", b"{}")
    assert modbus(plc.port).ready().send([message]) == [Sent()]


def test_what_the_plc_refuses_is_refused_and_told_and_not_asked_again(modbus, plc):
    made = modbus(plc.port, map={"far": "holding:900", "count": "holding:2:float32"}, unknown=0)
    sink = made.ready()
    for n in range(3):
        far, near = sink.send([said("far", 7, n), said("count", n, n)])
        assert isinstance(far, Refused)
        assert near == Acked()
    assert "has no such address (exception 2): holding 900" in made.board.now["refused"]
    assert made.meters.counters == {"written": 4}


def test_what_is_refused_is_never_called_valid(modbus, plc):
    made = modbus(plc.port, map={"far": {"to": "coil:900", "valid": "coil:1"}})
    (outcome,) = made.ready().send([said("far", "on")])
    assert isinstance(outcome, Refused)
    assert plc.coils(1) == [0]


def test_a_number_that_does_not_fit_is_shown_as_unknown_and_told(modbus, plc):
    made = modbus(plc.port, map={"n": {"to": "holding:1", "valid": "coil:1"}})
    sink = made.ready()
    sink.send([said("n", 7)])
    assert (plc.holding(1), plc.coils(1)) == ([7], [1])
    assert sink.send([said("n", 70_000)]) == [Acked()]
    assert (plc.holding(1), plc.coils(1)) == ([0], [0])
    assert "70000.0 does not fit uint16" in made.board.now["range"]
    sink.send([said("n", 8)])
    assert "range" not in made.board.now


def test_the_heartbeat_counts_once_the_states_stand_there(modbus, plc):
    made = modbus(plc.port, heartbeat="holding:0", heartbeat_s=1.0)
    sink = made.ready()
    assert sink.wait_ready(0)
    assert plc.holding(0) == [0]
    sink.send([said("scratched", "off")])
    wait_for(lambda: sink.wait_ready(0) and plc.holding(0) == [2])


@pytest.mark.slow
def test_a_coil_as_heartbeat_goes_on_and_off(modbus, plc):
    sink = modbus(plc.port, heartbeat="coil:0").ready()
    sink.send([said("scratched", "off")])
    for bit in ([1], [0], [1]):
        wait_for(lambda bit=bit: sink.wait_ready(0) and plc.coils(0) == bit)


def test_what_somebody_else_wrote_is_set_right_again(modbus, plc):
    sink = modbus(plc.port, refresh_s=1.0).ready()
    sink.send([said("scratched", "on")])
    plc.set_coil(3, False)
    wait_for(lambda: sink.wait_ready(0) and plc.coils(3) == [1])


def test_a_plc_that_goes_is_told_and_all_is_written_anew_when_it_is_back(modbus, plc):
    made = modbus(plc.port)
    made.ready().send([said("scratched", "on")])
    plc.off()
    with pytest.raises(DeliveryError, match="does not answer"):
        made.sink.send([said("scratched", "off")])
    assert "written anew" in made.board.now["plc"]
    plc.on()  # it has forgotten all
    made.ready().send([said("scratched", "on")])
    assert made.sink.session == 2
    assert plc.coils(3, 2) == [1, 1]
    assert "plc" not in made.board.now


def test_after_an_outage_the_newest_state_is_written_and_none_before_it(plc, tmp_path):
    """With courier, outbox and encoder as in a daemon: what waited in the outbox is settled, not played back."""
    clock = SystemClock()
    outbox = Outbox(tmp_path / "outbox.db", "press-07", clock, report=Board())
    outbox.retire(["sink.plc"])
    states = States(outbox, {"count": "p"})
    for n in range(1, 1001):
        at = clock.now()
        states.update(outbox.append([Decision("p", "count", "s", float(n), at, ("s", n))]))
    made = Made(plc.port)
    encoder = Plain(Plain.Options(), EncoderPlace("press-07", "edgeinfer/press-07", "plc"))
    errors = []
    courier = Courier(
        "sink.plc", outbox, states, encoder, made.sink, Health(clock), lambda _p, e: errors.append(e)
    )
    courier.start()
    wait_for(lambda: outbox.depth("sink.plc") == 0)
    assert number(plc) == 1000.0
    assert made.meters.counters == {"written": 1}
    assert courier.stop(5)
    assert struct.pack(">2H", *plc.holding(2, 2)) == struct.pack(">f", float("nan"))
    outbox.close()
    assert errors == []


def test_a_drive_on_a_serial_line_is_written_too(modbus, drive):
    setup = {"host": "", "port": drive, "parity": "none", "unit_id": 7, "map": {"count": "holding:2:float32"}}
    made = modbus(0, **setup)
    assert made.ready().send([said("count", 3.25)]) == [Acked()]
    made.sink.close()
    registers = [{"name": "count", "address": 2, "type": "float32", "unit_id": 7}]
    (row,) = take(make(Source, port=drive, parity="none", registers=registers), 1)
    assert row.values.tolist() == [[3.25]]
