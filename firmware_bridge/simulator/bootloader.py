"""The A/B bootloader of docs/firmware.md, the twin of c/examples/bootloader-ab/boot.c: which slot starts, and BOOT_*."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.boot_messages import NO_SLOT, SlotState
from firmware_bridge.messages import Result
from firmware_bridge.simulator.node import Node
from firmware_bridge.simulator.slots import SLOTS, Slots

WRITE_MAX = 496


def choose(slots: Slots) -> int:
    """The slot that starts now: one that had its one start and was not confirmed is out, the other one is next."""
    slot = slots.active()
    record = slots.recorded(slot) if slot != NO_SLOT else None
    if record is not None and slots.state(slot) == SlotState.UNCONFIRMED and not record.started:
        slots.mark(slot, "rolled_back")
        slot = slots.active()
    return slot


@dataclass(frozen=True, slots=True)
class BootRequests:
    """Answers BOOT_* on `slots`.

    `asked` is told of every such request, `run` when a slot is to be started, `wrote` how many bytes came by BOOT_WRITE.
    """

    slots: Slots
    asked: Callable[[], None]
    run: Callable[[], None]
    wrote: Callable[[int], None]

    def answer(self, asked: m.Message) -> m.Message | None:
        """None: no request of a bootloader."""
        self.asked()
        match asked:
            case boot.BootInfoRequest():
                return self._info(asked.slot)
            case boot.BootErase():
                return boot.BootErased(self._erase(asked), asked.slot, asked.offset, asked.length)
            case boot.BootWrite():
                self.wrote(len(asked.content))
                return boot.BootWritten(self._write(asked), asked.slot, asked.offset, len(asked.content))
            case boot.BootCheck():
                return self._check(asked)
            case boot.BootRun():
                return boot.BootRuns(self._run(asked.slot), asked.slot)
        return None

    def _info(self, slot: int) -> boot.BootInfo:
        layout, active = self.slots.layout, self.slots.active()
        if slot >= SLOTS:
            return boot.BootInfo(
                Result.BAD_ARGUMENT, slot, SLOTS, active, 0, 0, 0, layout.page, WRITE_MAX, 0, 0
            )
        record = self.slots.recorded(slot)
        return boot.BootInfo(
            Result.DONE,
            slot,
            SLOTS,
            active,
            self.slots.state(slot),
            layout.start(slot),
            layout.size,
            layout.page,
            WRITE_MAX,
            record.length if record else 0,
            record.crc32 if record else 0,
        )

    def _inside(self, slot: int, offset: int, length: int, step: int) -> bool:
        fits = slot < SLOTS and offset + length <= self.slots.layout.size
        return fits and not offset % step and not length % step

    def _erase(self, asked: boot.BootErase) -> Result:
        slots, page = self.slots, self.slots.layout.page
        if not self._inside(asked.slot, asked.offset, asked.length, page):
            return Result.BAD_ARGUMENT
        if slots.active() == asked.slot and slots.state(asked.slot) == SlotState.CONFIRMED:
            return Result.NOT_NOW
        slots.forget(asked.slot)
        start = slots.layout.start(asked.slot) + asked.offset
        for at in range(start, start + asked.length, page):
            slots.flash.erase(at)
        return Result.DONE

    def _write(self, asked: boot.BootWrite) -> Result:
        if not self._inside(asked.slot, asked.offset, len(asked.content), 4):
            return Result.BAD_ARGUMENT
        if self.slots.recorded(asked.slot) is not None:  # a checked image is erased first
            return Result.NOT_NOW
        held = self.slots.flash.program(self.slots.layout.start(asked.slot) + asked.offset, asked.content)
        return Result.DONE if held else Result.FAILED

    def _check(self, asked: boot.BootCheck) -> boot.BootChecked:
        if not self._inside(asked.slot, 0, asked.length, 1):
            return boot.BootChecked(Result.BAD_ARGUMENT, asked.slot, asked.length, 0)
        found = zlib.crc32(self.slots.image(asked.slot, asked.length))
        return boot.BootChecked(self._judge(asked, found), asked.slot, asked.length, found)

    def _judge(self, asked: boot.BootCheck, found: int) -> Result:
        """A repeat changes nothing; what was confirmed stays so; a second try is a new trial."""
        if found != asked.crc32 or not asked.length:
            return Result.MISMATCH
        record = self.slots.recorded(asked.slot)
        same = record is not None and (record.length, record.crc32) == (asked.length, found)
        if same and self.slots.active() == asked.slot:
            return Result.DONE
        confirmed = same and record is not None and not record.confirmed
        done = self.slots.remember(asked.slot, asked.length, found, confirmed=confirmed)
        return Result.DONE if done else Result.FAILED

    def _run(self, slot: int) -> Result:
        if slot >= SLOTS:
            return Result.BAD_ARGUMENT
        state, record = self.slots.state(slot), self.slots.recorded(slot)
        if record is None or state not in {SlotState.CONFIRMED, SlotState.UNCONFIRMED}:
            return Result.NOT_NOW
        if self.slots.active() != slot:
            confirmed = state == SlotState.CONFIRMED
            if not self.slots.remember(slot, record.length, record.crc32, confirmed=confirmed):
                return Result.FAILED
        self.run()
        return Result.DONE


@dataclass(slots=True)
class Bootloader(Node):
    """A node that answers HELLO, reboot and BOOT_*, and nothing else."""

    requests: BootRequests | None = None

    def _hello(self) -> m.Hello:
        hello = Node._hello(self)  # noqa: SLF001  our own base class; super() does not work with slots
        return replace(hello, flags=m.Flag.BOOTLOADER)

    def _reply(self, asked: m.Message, kind: int) -> m.Message:
        if isinstance(asked, m.Command):
            return self._command(asked)
        answer = self.requests.answer(asked) if self.requests else None
        if answer is None:
            return m.Nak(kind, m.Reason.UNKNOWN_TYPE)
        return answer

    def _do(self, asked: m.Command) -> m.Result:
        if asked.order != m.Order.REBOOT:
            return Result.UNKNOWN
        self.wish = "reboot"
        return Result.DONE
