"""A board with two slots and our A/B bootloader: power, reset, watchdog, and the program that lies in its flash.

Bytes and host times in, bytes out, as Node; a `Line` puts it behind a port.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from firmware_bridge import messages as m
from firmware_bridge.boot_messages import NO_SLOT, SlotState
from firmware_bridge.framing import VERSION
from firmware_bridge.simulator import program as programs
from firmware_bridge.simulator.bootloader import Bootloader, BootRequests, choose
from firmware_bridge.simulator.node import Firmware, Node
from firmware_bridge.simulator.nor import Nor, PowerCutError
from firmware_bridge.simulator.slots import Layout, Slots
from firmware_bridge.simulator.stream import Stream

_NEVER = 1 << 62
_BOOTLOADER_IMAGE = b"\xb0" * 2048


@dataclass(slots=True)
class _App(Node):
    """A program from a slot; `confirm` marks its slot."""

    confirm: Callable[[], m.Result] = lambda: m.Result.UNKNOWN

    def _do(self, asked: m.Command) -> m.Result:
        if asked.order != m.Order.CONFIRM_IMAGE:
            return Node._do(self, asked)  # noqa: SLF001  our own base class; super() does not work with slots
        result = self.confirm()
        self.confirmed = self.confirmed or result == m.Result.DONE
        return result


@dataclass(slots=True)
class Board:
    """A board with power; `streams` are what any program on it measures.

    `watchdog_s`: a program that hangs so long is reset. `patience_s`: a bootloader that gets no BOOT_* request for so
    long starts the slot that it has. `wrote` is called with the bytes that came by BOOT_WRITE
    so far, before they are written: the place for a test to kill, unplug or cut.
    """

    name: str = "microbit"
    streams: Sequence[Stream] = ()
    layout: Layout = field(default_factory=Layout)
    versions: tuple[int, int] = (VERSION, VERSION)  # of the protocol; of the programs, not of the bootloader
    watchdog_s: float = 5.0  # as in the example, board_microbit.c
    patience_s: float = 60.0  # as in the example, boot.c
    wrote: Callable[[int], None] = lambda _count: None
    flash: Nor = field(init=False)
    slots: Slots = field(init=False)
    resets: int = 0
    _bytes: int = 0
    _stay: bool = False  # a note in RAM that outlives a reset, not a power cut
    _run: bool = False
    _node: Node | None = None
    _begun_ns: int = -1  # of what runs; in the bootloader since the last request
    _now_ns: int = -1

    def __post_init__(self) -> None:
        self.flash = Nor(self.layout.flash, self.layout.page)
        self.slots = Slots(self.flash, self.layout)
        self.power_on()

    @property
    def runs(self) -> str:
        """For people and tests: "off", "bootloader", or the program's version and whether it is confirmed."""
        if self._node is None:
            return "off"
        if isinstance(self._node, Bootloader):
            return "bootloader"
        trial = "" if self._node.confirmed else " on trial"
        return "hangs" if self._node.silent else f"{self._node.firmware.version}{trial}"

    # --- what a technician's hand does -------------------------------------------------------------------

    def power_off(self) -> None:
        self._node, self._stay = None, False

    def power_on(self) -> None:
        """Does nothing to a board that has power."""
        self.flash.cut_after = None
        if self._node is None:
            self.reset()

    def reset(self) -> None:
        """The button; also what watchdog and reboot do."""
        self.resets, self._begun_ns, self._bytes = self.resets + 1, -1, 0
        stay, self._stay, self._run = self._stay, False, False
        try:
            slot = choose(self.slots)
            self._node = self._bootloader() if stay or slot == NO_SLOT else self._start(slot)
        except PowerCutError:
            self.power_off()

    # --- what a Line calls -------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> None:
        self._now_ns = now_ns
        if self._node is not None and not self._node.silent:
            try:
                self._node.receive(data, now_ns)
            except PowerCutError:
                self.power_off()

    def advance(self, now_ns: int) -> None:
        if self._begun_ns < 0:
            self._begun_ns = now_ns
        if self._node is None:
            return
        if now_ns >= self._until_ns() and (self._node.silent or self.slots.active() != NO_SLOT):
            self.reset()
            self._begun_ns = now_ns
        if self._node is not None:
            self._node.advance(now_ns)

    def due_ns(self) -> int:
        return self._until_ns() if self._node is None else min(self._until_ns(), self._node.due_ns())

    def outgoing(self) -> bytes:
        if self._node is None:
            return b""
        out = self._node.outgoing()
        if self._node.wish or self._run:  # the answer has left
            self._stay = self._node.wish == "bootloader"
            self.reset()
        return out

    # --- what runs ---------------------------------------------------------------------------------------

    def _bootloader(self) -> Node:
        firmware = Firmware("bootloader-ab", "1.0.0", self.name, image=_BOOTLOADER_IMAGE)
        requests = BootRequests(self.slots, self._asked, self._wants_run, self._count)
        return Bootloader(firmware, boot_id=self.resets, has_bootloader=True, requests=requests)

    def _start(self, slot: int) -> Node:
        record, state = self.slots.recorded(slot), self.slots.state(slot)
        if state == SlotState.UNCONFIRMED:
            self.slots.mark(slot, "started")
        image = self.slots.image(slot, record.length if record else 0)
        program = programs.at(image)
        fits = program is not None and program.base == self.layout.start(slot)
        hangs = program is None or not fits or program.behaviour == "hangs"
        name, version = (program.name, program.version) if program else ("", "")
        return _App(
            Firmware(name, version, self.name, image=image),
            self.streams,
            boot_id=self.resets,
            versions=self.versions,
            has_bootloader=True,
            confirmed=state == SlotState.CONFIRMED,
            silent=hangs,
            confirm=lambda: self._confirm(slot, program),
        )

    def _confirm(self, slot: int, program: programs.Program | None) -> m.Result:
        if program is None or program.behaviour == "refuses":
            return m.Result.FAILED
        return m.Result.DONE if self.slots.mark(slot, "confirmed") else m.Result.FAILED

    def _wants_run(self) -> None:
        self._run = True

    def _until_ns(self) -> int:
        """When whatever runs now has had its time; never, where it is a program that lives."""
        if isinstance(self._node, Bootloader):
            return self._begun_ns + round(self.patience_s * 1e9)
        hangs = self._node is not None and self._node.silent
        return self._begun_ns + round(self.watchdog_s * 1e9) if hangs else _NEVER

    def _asked(self) -> None:
        self._begun_ns = self._now_ns

    def _count(self, length: int) -> None:
        self._bytes += length
        self.wrote(self._bytes)
