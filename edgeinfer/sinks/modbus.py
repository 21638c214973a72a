"""Writes the states of rules, and a heartbeat, to coils and registers of a PLC; tells no events and keeps no history."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Annotated, Literal, NoReturn

from msgspec import Meta

from edgeinfer.backoff import Backoff
from edgeinfer.config.values import check_seconds
from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Outcome, Refused, Sent, State
from edgeinfer.modbus import bus
from edgeinfer.modbus.bus import Bus, BusError, BusOptions, refusal
from edgeinfer.ports import SinkPlace, StateKind
from edgeinfer.sinks.modbus_map import Place, Shown, To, Unknown, Write, check_apart, place, shown, state_of

_ACKED, _SENT = Acked(), Sent()
_LATER = frozenset({5, 6, 10, 11})  # busy, or a gateway without a way to it (Application Protocol 1.1b3, 7)
_CODES = {
    1: "does not know this request",
    2: "has no such address",
    3: "does not take this value",
    4: "failed at it",
}
_RANGE = "{}: {}; it is shown as unknown: another type or scale in the map would hold it"


class Modbus:
    """A decision is acknowledged once the PLC has its rule's state; of several that wait the newest is written.

    Meters: `written` (requests).
    """

    class Options(BusOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write in a `[sink.NAME]` of kind "modbus"; see docs/plc.md."""

        map: dict[str, str | To]
        unit_id: Annotated[int, Meta(ge=0, le=247)] = 1
        unknown: Unknown = None
        heartbeat: str = ""
        heartbeat_s: float = 1.0
        refresh_s: float = 10.0
        encoding: Literal["plain"] = "plain"

    @staticmethod
    def topic_root(options: Options, device: str) -> str:  # noqa: ARG004  every sink answers this
        """Messages have topics, a PLC has none: any root will do."""
        return f"edgeinfer/{device}"

    @staticmethod
    def takes(options: Options) -> Mapping[str, tuple[StateKind, ...]]:
        """Rule → which kinds of state its place can show; what `check` compares with the rules."""
        found = shown(options.map, options.unknown)
        return {
            rule: ("binary",) if s.at.table == "coil" else ("binary", "number") for rule, s in found.items()
        }

    def __init__(self, options: Options, place_: SinkPlace) -> None:
        """Connects only at the first `wait_ready`.

        Raises:
            InputError: an option is wrong, or pymodbus is not installed.
        """
        bus.check(options)
        check_seconds("heartbeat_s", options.heartbeat_s, least_s=1.0)
        check_seconds("refresh_s", options.refresh_s, least_s=1.0)
        self._options, self._report, self._count = options, place_.report, place_.meters.count
        self._map = shown(options.map, options.unknown)
        self._beat = place("heartbeat", options.heartbeat) if options.heartbeat else None
        check_apart(_places(self._map, self._beat))
        self._prefix = f"{self.topic_root(options, place_.device)}/state/"
        self._bus = Bus(options)
        self.seat = self._bus.seat
        self.session = 0
        self._backoff, self._closed = Backoff(), Event()
        self._open = self._told = (
            False  # told: the states of this connection stand there, the heartbeat may follow
        )
        self._again_s = self._beat_s = self._refresh_s = 0.0
        self._beats = 0
        self._states: dict[str, State] = {}
        self._written: dict[tuple[str, int], tuple[int, ...]] = {}  # what stands there, or was refused
        self._why: dict[tuple[str, int], str] = {}  # of the latter

    # --- for the courier ---------------------------------------------------------------------------------

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether the PLC is there; the heartbeat and the refresh are written from here, so that a dead courier has none."""
        try:
            if self._open:
                self._upkeep(time.monotonic())
            else:
                self._connect(timeout_s)
        except DeliveryError:
            return False
        return self._open

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        if not self._open:
            raise DeliveryError(f"{self._bus.where} is not connected")
        for message in batch:
            if (rule := message.topic.removeprefix(self._prefix)) in self._map:
                self._states[rule] = state_of(message.payload.decode())
        self._write_states()
        self._told = True
        return [self._outcome(message) for message in batch]

    def close(self) -> None:
        """Safe from any thread, and twice."""
        self._closed.set()
        self._open = False
        self._bus.close()

    # --- the connection ----------------------------------------------------------------------------------

    def _connect(self, timeout_s: float) -> None:
        pause_s = self._again_s - time.monotonic()
        if pause_s > 0:
            self._closed.wait(min(pause_s, timeout_s))
        if self._closed.is_set() or time.monotonic() < self._again_s:
            return
        try:
            self._bus.open()
        except BusError as error:
            self._lose(error)
        self._states, self._written, self._why = {}, {}, {}
        self._refresh_s = time.monotonic() + self._options.refresh_s
        self.session += 1
        self._open, self._told = True, False

    def _lose(self, why: Exception) -> NoReturn:
        """Raises DeliveryError."""
        self._open = False
        self._bus.close()
        self._again_s = time.monotonic() + self._backoff.next_s()
        self._report("plc", f"{why}; the states are written anew when it is back")
        raise DeliveryError(str(why)) from None

    def _upkeep(self, now_s: float) -> None:
        if now_s >= self._refresh_s:
            self._refresh_s = now_s + self._options.refresh_s
            self._written, self._why = {}, {}
            self._write_states()
        if self._beat is not None and self._told and now_s >= self._beat_s:
            self._beats = (self._beats + 1) & 0xFFFF
            value = self._beats if self._beat.table == "holding" else self._beats & 1
            why = self._request(Write(self._beat.table, self._beat.address, (value,)))
            self._report("heartbeat", why)
            self._beat_s = now_s + (self._options.refresh_s if why else self._options.heartbeat_s)

    # --- writing -----------------------------------------------------------------------------------------

    def _write_states(self) -> None:
        """What is not there yet. Raises DeliveryError."""
        beyond = [text for rule, state in self._states.items() if (text := self._show(rule, state))]
        self._report("range", "; ".join(beyond) or None)
        self._report("refused", "; ".join(sorted(set(self._why.values()))) or None)
        self._report("plc", None)
        self._backoff.reset()

    def _show(self, rule: str, state: State) -> str:
        """What is wrong with the number, if anything is."""
        text = ""
        try:
            writes = self._map[rule].writes(state)
        except OverflowError as error:
            text, writes = _RANGE.format(rule, error), self._map[rule].writes("unknown")
        for write in writes:
            cell = (write.table, write.address)
            if self._written.get(cell) != write.values:
                why = self._request(write)
                self._written[cell] = write.values
                self._why.pop(cell, None)
                if why is not None:
                    self._why[cell] = why
            if cell in self._why:
                break  # nothing behind it may say that it is valid
        return text

    def _request(self, write: Write) -> str | None:
        """Why the PLC refuses it, if it does. Raises DeliveryError when it does not answer, or cannot now."""
        unit_id = self._options.unit_id
        try:
            if write.table == "coil":
                answer = self._bus.call("write_coil", unit_id, write.address, bool(write.values[0]))
            else:
                answer = self._bus.call("write_registers", unit_id, write.address, list(write.values))
        except BusError as error:
            self._lose(error)
        self._count("written")
        code = refusal(answer)
        if code is None:
            return None
        where = f"{self._bus.where}: unit {unit_id}"
        if code in _LATER:
            self._lose(BusError(f"{where} is busy or out of reach (exception {code})"))
        return f"{where} {_CODES.get(code, 'refuses')} (exception {code}): {write.table} {write.address}"

    def _outcome(self, message: Message) -> Outcome:
        shown_ = self._map.get(message.topic.removeprefix(self._prefix))
        if shown_ is not None:
            cells = [(p.table, p.address) for p in (shown_.at, shown_.valid) if p is not None]
            if why := next((self._why[cell] for cell in cells if cell in self._why), ""):
                return Refused(why)
        return _SENT if message.seq is None else _ACKED


def _places(map_: Mapping[str, Shown], beat: Place | None) -> dict[str, Place]:
    found = {f"map.{rule}": s.at for rule, s in map_.items()}
    found |= {f"map.{rule}.valid": s.valid for rule, s in map_.items() if s.valid is not None}
    return found | ({"heartbeat": beat} if beat is not None else {})
