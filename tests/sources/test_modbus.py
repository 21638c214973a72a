import math
import socket
import struct
import sys
from threading import Event, Thread

import pytest

from edgeinfer.errors import InputError, SourceLost
from edgeinfer.sources.modbus import Modbus
from edgeinfer.sources.modbus_register import Register, decoded, stretches
from edgeinfer.testing.sources import Reports
from tests.sources.conftest import make, take

FLOAT = struct.unpack(">2H", struct.pack(">f", 21.5))


@pytest.fixture
def plc(plcs):
    """Holding registers 0 to 5 and input registers 0 to 1 of unit 1."""
    return plcs([65_535, 250, *FLOAT, *reversed(FLOAT)], [7, 8]).port


def modbus(port, *registers, reports=None, **options):
    written = {"host": "127.0.0.1", "tcp_port": port, "period_s": 0.01, "timeout_s": 0.5}
    return make(Modbus, reports, **written | {"registers": list(registers)} | options)


def test_registers_of_each_type_and_word_order_are_read_in_units(plc):
    source = modbus(
        plc,
        {"name": "a", "address": 0, "type": "int16"},
        {"name": "b", "address": 1, "scale": 0.1, "unit": "A"},
        {"name": "c", "address": 2, "type": "float32"},
        {"name": "d", "address": 4, "type": "float32", "word_order": "little"},
        {"name": "e", "address": 1, "table": "input"},
    )
    (sample,) = take(source, 1)
    assert sample.channels == ("a", "b", "c", "d", "e")
    assert sample.values.tolist() == [[-1.0, 25.0, 21.5, 21.5, 8.0]]
    assert (sample.period_ns, sample.gap_before) == (10_000_000, False)


def test_a_register_that_the_device_refuses_is_nan_and_is_reported_and_the_others_go_on(plc):
    reports = Reports()
    source = modbus(plc, {"name": "a", "address": 0}, {"name": "z", "address": 900}, reports=reports)
    (sample,) = take(source, 1)
    assert sample.values[0, 0] == 65_535
    assert math.isnan(sample.values[0, 1])
    assert "refuses holding registers 900" in reports.now["registers"]
    assert "z 1" in reports.now["registers"]


def test_after_a_loss_the_first_row_tells_of_a_gap(plc):
    source = modbus(plc, {"name": "a", "address": 0})
    assert [take(source, 1)[0].gap_before for _ in range(2)] == [False, True]


def test_nobody_there_is_a_lost_source():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(SourceLost, match="cannot be reached"):
            take(modbus(probe.getsockname()[1], {"name": "a", "address": 0}), 1)


def test_fewer_registers_than_were_asked_for_are_none_and_are_reported():
    """Some devices (and the server of pymodbus 3.9) do that where there are none, instead of refusing."""
    reports = Reports()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            device, _ = listening.accept()
            with device:
                request = device.recv(64)
                device.sendall(request[:4] + b"\0\3" + request[6:8] + b"\0")  # a byte count of 0
                device.recv(64)

        thread = Thread(target=answer)
        thread.start()
        (sample,) = take(modbus(listening.getsockname()[1], {"name": "a", "address": 9}, reports=reports), 1)
        thread.join(5)
    assert math.isnan(sample.values[0, 0])
    assert "gives 0 holding registers from 9 on, and was asked for 1" in reports.now["registers"]


def test_a_stop_ends_it(plc):
    stop, source = Event(), modbus(plc, {"name": "a", "address": 0})
    for _ in source.samples(stop):
        stop.set()
    assert stop.is_set()


def test_a_missing_pymodbus_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymodbus", None)
    with pytest.raises(InputError, match=r"pip install 'edgeinfer\[modbus\]'"):
        modbus(502, {"name": "a", "address": 0})


def test_neighbours_are_asked_for_together_and_holes_are_not():
    registers = [Register(name=str(n), address=a) for n, a in enumerate((0, 1, 3))]
    assert [(s.address, s.count) for s in stretches(registers)] == [(0, 2), (3, 1)]


def test_a_whole_number_of_two_words_is_read_in_both_orders():
    for order, words in (("big", [1, 2]), ("little", [2, 1])):
        register = Register(name="n", address=5, type="uint32", word_order=order)
        assert decoded(stretches([register])[0], words) == {"n": 65_538.0}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": ""}, "host: expected either"),
        ({"port": "/dev/ttyUSB0"}, "host: expected either"),
        ({"registers": []}, "registers: expected at least one"),
        ({"period_s": 0}, "period_s: expected"),
    ],
)
def test_a_wrong_option_is_told(options, words):
    with pytest.raises(InputError, match=words):
        make(Modbus, **{"host": "plc", "registers": [{"name": "a", "address": 0}]} | options)
