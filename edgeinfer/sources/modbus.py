"""The source `modbus`: registers of a PLC, drive or meter, read in a steady beat over TCP or RTU."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np

from edgeinfer.commons import Seat
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.events import Readings
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.sources.modbus_register import Register, Stretch, decoded, stretches
from edgeinfer.sources.options import check_seconds


class Modbus:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself, or pymodbus is not installed.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Either `host` (TCP) or `port` (RTU); `registers` as the device's manual lists them."""

        registers: list[Register]
        host: str = ""
        tcp_port: int = 502
        port: str = ""
        baud: int = 19_200
        parity: Literal["none", "even", "odd"] = "even"
        stop_bits: Literal[1, 2] = 1
        period_s: float = 1.0
        timeout_s: float = 1.0
        block_s: float = 0.0

    flow: Flow = "queue"

    def __init__(self, options: Options, place: SourcePlace) -> None:
        _check(options)
        self._options, self._place = options, place
        self._stretches = stretches(options.registers)
        least_s = options.period_s + options.timeout_s * (len(self._stretches) + 1)
        self.block_s = max(options.block_s, least_s)
        self.seat = Seat(options.port) if options.port else None
        self._again = False
        self._lost = dict.fromkeys((r.name for r in options.registers), 0)

    def samples(self, stop: Stop) -> Iterator[Readings]:
        """One row each `period_s`; a register that the device refuses is NaN and is reported.

        Raises:
            SourceLost: no connection, or no answer.
        """
        names = tuple(r.name for r in self._options.registers)
        period_ns = round(self._options.period_s * 1e9)
        gap, self._again = self._again, True
        with self._connected() as client:
            due_ns = time.monotonic_ns()
            while not stop.is_set():
                key, at = self._place.stamp()
                values = self._row(client)
                yield Readings(key, at, names, np.array([values], np.float64), period_ns, gap)
                due_ns += period_ns
                behind_ns = time.monotonic_ns() - due_ns
                gap = behind_ns > 0
                due_ns += max(0, behind_ns)  # what was missed is not made up for
                stop.wait(max(0, -behind_ns) / 1e9)

    def _row(self, client: Any) -> list[float]:
        values: dict[str, float] = {}
        wrong: list[str] = []
        for stretch in self._stretches:
            words = self._ask(client, stretch, wrong)
            values.update(decoded(stretch, words))
        for name, value in values.items():
            self._lost[name] += value != value  # noqa: PLR0124  NaN
        lost = ", ".join(f"{name} {count}" for name, count in self._lost.items() if count)
        self._place.report("registers", f"{'; '.join(wrong)} (lost so far: {lost})" if wrong else None)
        return [values[r.name] for r in self._options.registers]

    def _ask(self, client: Any, stretch: Stretch, wrong: list[str]) -> list[int] | None:
        """The words of one stretch; None when the device refuses them."""
        from pymodbus.exceptions import ModbusException

        ask = client.read_input_registers if stretch.table == "input" else client.read_holding_registers
        try:
            answer = ask(stretch.address, count=stretch.count, **{self._unit_word(ask): stretch.unit_id})
        except (ModbusException, OSError) as error:
            raise SourceLost(f"{self._where()}: unit {stretch.unit_id} does not answer: {error}") from None
        if answer.isError():
            wrong.append(
                f"unit {stretch.unit_id} refuses {stretch.table} registers {stretch.address} to "
                f"{stretch.address + stretch.count - 1}: exception {getattr(answer, 'exception_code', '?')}"
            )
            return None
        words: list[int] = answer.registers
        if len(words) == stretch.count:
            return words
        wrong.append(
            f"unit {stretch.unit_id} gives {len(words)} {stretch.table} registers from {stretch.address} on, "
            f"and was asked for {stretch.count}"
        )
        return None

    @staticmethod
    def _unit_word(ask: Any) -> str:
        """What this pymodbus calls the unit id: `slave` up to 3.9, `device_id` since 3.10."""
        import inspect

        return "device_id" if "device_id" in inspect.signature(ask).parameters else "slave"

    def _where(self) -> str:
        options = self._options
        return f"{options.host}:{options.tcp_port}" if options.host else options.port

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        from pymodbus.client import ModbusSerialClient, ModbusTcpClient

        options = self._options
        client: Any
        if options.host:
            client = ModbusTcpClient(
                options.host, port=options.tcp_port, timeout=options.timeout_s, retries=1
            )
        else:
            _check_port(options.port)
            client = ModbusSerialClient(
                options.port,
                baudrate=options.baud,
                parity=options.parity[0].upper(),
                stopbits=options.stop_bits,
                timeout=options.timeout_s,
                retries=1,
            )
        try:
            if not client.connect():
                raise SourceLost(f"{self._where()} cannot be reached: is it on, and is this its address?")
            yield client
        finally:
            client.close()


def _check_port(name: str) -> None:
    """Pymodbus only says that it could not connect."""
    from firmware_bridge.errors import PortError
    from firmware_bridge.port import check

    try:
        check(name)
    except PortError as error:
        raise SourceLost(str(error)) from error


def _check(options: Modbus.Options) -> None:
    if bool(options.host) == bool(options.port):
        raise InputError(
            'host: expected either host = "10.0.0.9" (TCP) or port = "/dev/serial/by-id/…" (RTU)'
        )
    if not options.registers:
        raise InputError("registers: expected at least one, found none")
    names = [r.name for r in options.registers]
    if len(set(names)) < len(names):
        raise InputError(f"registers: expected names that differ, found {', '.join(names)}")
    check_seconds("period_s", options.period_s, least_s=0.005)
    check_seconds("timeout_s", options.timeout_s, least_s=0.05)
    check_seconds("block_s", options.block_s, least_s=0.0)
    try:
        import pymodbus  # noqa: F401  told at once, not at the first connection
    except ImportError:
        raise InputError("modbus needs pymodbus: pip install 'edgeinfer[modbus]'") from None
