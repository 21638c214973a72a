"""The source `modbus` over a serial line, against pymodbus's own RTU server at the other end."""

from __future__ import annotations

import math

import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.sources.modbus import Modbus
from edgeinfer.testing.sources import Reports
from firmware_bridge.port import Port
from tests.sources.conftest import make, take
from tests.sources.reader import Reader
from tests.waiting import wait_for


def modbus(port, *registers, reports=None, **options):
    written = {"port": port, "parity": "none", "period_s": 0.02, "timeout_s": 0.5}
    return make(Modbus, reports, **written | {"registers": list(registers)} | options)


def test_registers_of_two_units_of_one_line_are_read_in_units(drive):
    source = modbus(
        drive,
        {"name": "a", "address": 0},
        {"name": "b", "address": 1, "scale": 0.1},
        {"name": "c", "address": 2, "type": "float32", "unit_id": 7},
        {"name": "d", "address": 0, "unit_id": 7},
    )
    samples = take(source, 3)
    assert [s.values.tolist() for s in samples] == [[[1.0, 25.0, 21.5, 7.0]]] * 3


def test_a_register_that_is_refused_is_nan_and_reported(drive):
    reports = Reports()
    (sample,) = take(
        modbus(drive, {"name": "a", "address": 0}, {"name": "z", "address": 900}, reports=reports), 1
    )
    assert sample.values[0, 0] == 1.0
    assert math.isnan(sample.values[0, 1])
    assert "refuses holding registers 900" in reports.now["registers"]


def test_a_unit_that_does_not_answer_is_a_lost_source(cable):
    with pytest.raises(SourceLost, match="unit 1 does not answer"):
        take(modbus(cable.ends[0], {"name": "a", "address": 0}, timeout_s=0.1), 1)


def test_a_port_that_is_not_there_or_busy_is_told_as_such(cable):
    with pytest.raises(SourceLost, match="there is no such port"):
        take(modbus("/dev/nowhere", {"name": "a", "address": 0}), 1)
    with Port(cable.ends[0]), pytest.raises(SourceLost, match="cannot be reached"):
        take(modbus(cable.ends[0], {"name": "a", "address": 0}), 1)


def test_an_unplugged_adapter_is_lost(drive, cable):
    reader = Reader(modbus(drive, {"name": "a", "address": 0}, timeout_s=0.2))
    wait_for(lambda: len(reader.found) > 2)
    cable.cut()
    wait_for(lambda: reader.error)
    reader.end()
