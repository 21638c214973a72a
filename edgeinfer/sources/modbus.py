"""The source `modbus`: registers of a PLC, drive or meter, read in a steady beat over TCP or RTU."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import numpy as np

from edgeinfer.config.values import check_seconds
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.events import Readings
from edgeinfer.modbus import bus
from edgeinfer.modbus.bus import Bus, BusError, BusOptions, refusal
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.sources.modbus_register import Register, Stretch, decoded, stretches


class Modbus:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself, or pymodbus is not installed.
    """

    class Options(BusOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`registers` as the device's manual lists them."""

        registers: list[Register]
        period_s: float = 1.0
        block_s: float = 0.0

    flow: Flow = "queue"

    def __init__(self, options: Options, place: SourcePlace) -> None:
        _check(options)
        self._options, self._place = options, place
        self._stretches = stretches(options.registers)
        least_s = options.period_s + options.timeout_s * (len(self._stretches) + 1)
        self.block_s = max(options.block_s, least_s)
        self._bus = Bus(options)
        self.seat = self._bus.seat
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
        with self._connected():
            due_ns = time.monotonic_ns()
            while not stop.is_set():
                key, at = self._place.stamp()
                values = self._row()
                yield Readings(key, at, names, np.array([values], np.float64), period_ns, gap)
                due_ns += period_ns
                behind_ns = time.monotonic_ns() - due_ns
                gap = behind_ns > 0
                due_ns += max(0, behind_ns)  # what was missed is not made up for
                stop.wait(max(0, -behind_ns) / 1e9)

    def _row(self) -> list[float]:
        values: dict[str, float] = {}
        wrong: list[str] = []
        for stretch in self._stretches:
            words = self._ask(stretch, wrong)
            values.update(decoded(stretch, words))
        for name, value in values.items():
            self._lost[name] += value != value  # noqa: PLR0124  NaN
        lost = ", ".join(f"{name} {count}" for name, count in self._lost.items() if count)
        self._place.report("registers", f"{'; '.join(wrong)} (lost so far: {lost})" if wrong else None)
        return [values[r.name] for r in self._options.registers]

    def _ask(self, stretch: Stretch, wrong: list[str]) -> list[int] | None:
        """The words of one stretch; None when the device refuses them."""
        try:
            answer = self._bus.call(
                f"read_{stretch.table}_registers", stretch.unit_id, stretch.address, count=stretch.count
            )
        except BusError as error:
            raise SourceLost(str(error)) from None
        if (code := refusal(answer)) is not None:
            wrong.append(
                f"unit {stretch.unit_id} refuses {stretch.table} registers {stretch.address} to "
                f"{stretch.address + stretch.count - 1}: exception {code}"
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

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            self._bus.open()
        except BusError as error:
            raise SourceLost(str(error)) from error
        try:
            yield
        finally:
            self._bus.close()


def _check(options: Modbus.Options) -> None:
    bus.check(options)
    if not options.registers:
        raise InputError("registers: expected at least one, found none")
    names = [r.name for r in options.registers]
    if len(set(names)) < len(names):
        raise InputError(f"registers: expected names that differ, found {', '.join(names)}")
    check_seconds("period_s", options.period_s, least_s=0.005)
    check_seconds("block_s", options.block_s, least_s=0.0)
