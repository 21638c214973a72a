"""Keeps decisions until every sink has them, or until a stated bound; knows no topics and no network.

Appends are committed to a file before they return: a `kill -9` loses nothing, a power cut at most `sync_s`. While
the disk does not take them (full, read-only, failing) they are held in memory, are delivered from there, and are
written as soon as it takes them again. What a bound drops leaves a hole in the dense `seq`; `read` tells it as a Gap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Condition, RLock, Thread

from edgeinfer.events import Decision, Entry, Gap
from edgeinfer.ports import Clock, Report, Stop
from edgeinfer.runtime.outbox_disk import OutboxDisk
from edgeinfer.runtime.outbox_file import Row
from edgeinfer.runtime.outbox_notes import Notes
from edgeinfer.runtime.outbox_rows import enveloped, pack, unpack
from edgeinfer.runtime.outbox_tail import Tail, with_gaps

_RECENT = 512  # entries kept in memory although they are on disk, so that couriers rarely read the file
_BOUND_CHECK = 64  # entries between two looks at the bounds
_TRIM_BATCH = 1000  # acknowledged rows that are deleted together
_DROP_SHARE = 20  # when full, the oldest 1/20 goes as well, so that it does not go on at every append
_MAX_REPEATS = 500  # a cursor that moved so far is written at once: what a kill makes a sink send again
_RETRY_NS = 1_000_000_000


def _unheeded(_entries: Sequence[Entry]) -> None:
    """Where nobody keeps account."""


class Outbox:
    """One file, one durable cursor per sink; safe from any thread.

    Args:
        path: the file; its folder is made if need be.
        max_bytes: bound of what waits on disk.
        max_entries: bound of their number.
        max_held: bound of what waits in memory while the disk does not take it.
        history: so many entries stay although every sink has them; the first to go when it is full.
        sync_s: what a power cut may lose; 0 waits for the medium at each append.
        heed: hears of all entries in the order of their seq, under the lock: it must return at once.

    Raises:
        StateError: the folder cannot be used, or another daemon has the file.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        clock: Clock,
        *,
        report: Report,
        max_bytes: int = 64_000_000,
        max_entries: int = 200_000,
        max_held: int = 5_000,
        history: int = 0,
        sync_s: float = 1.0,
        heed: Callable[[Sequence[Entry]], None] = _unheeded,
    ) -> None:
        self.device, self.clock = device, clock
        self._report, self._sync_s, self._history, self._heed = report, sync_s, history, heed
        self._max_bytes, self._max_entries, self._max_held = max_bytes, max_entries, max_held
        self._disk = OutboxDisk(path, clock, report, always_sync=sync_s == 0)
        lock = RLock()
        self._wake, self._work = Condition(lock), Condition(lock)  # for couriers, for the keeper
        self._notes = Notes(self._disk.note)
        self._stored = self._disk.newest  # up to here the disk has it, or it was dropped
        self._next = max(self._stored, *self._notes.cursors.values(), 0) + 1
        self._tail = Tail()  # holds all that is not on disk, and what is recent
        self._dropped_to = self._held_dropped = self._since_check = 0
        self._unsynced = self._closed = False
        self._retry_ns = self._due_ns = 0
        self._keeper = Thread(target=self._keep, name="outbox", daemon=True)
        self._keeper.start()

    # --- writing -----------------------------------------------------------------------------------------

    def append(self, decisions: Sequence[Decision], model: str = "", config: str = "") -> list[Entry]:
        """Numbers and stores what one step decided, in one commit; never raises for what the disk does.

        Raises:
            TypeError: `details` hold what JSON cannot.
        """
        if not decisions:
            return []
        now = self.clock.now()
        with self._wake:
            entries = enveloped(decisions, self.device, now, self._next, model, config)
            rows = [(e.seq, pack(e)) for e in entries]
            self._next += len(entries)
            self._tail.extend(entries)
            self._heed(entries)
            if now.mono_ns >= self._retry_ns:
                self._store(rows)
            self._forget_tail()
            self._hold_bounds(len(entries))
            self._touched()
            self._wake.notify_all()
        return entries

    def _store(self, rows: Sequence[Row], *, with_notes: bool = False) -> None:
        """Writes all that is only in memory; `rows` are the newest of it, packed already."""
        held = self.newest - self._stored
        if len(rows) != held:
            rows = [(e.seq, pack(e)) for e in self._tail.after(self._stored, held)]
        notes = self._notes.encoded() if with_notes and self._notes.dirty else {}
        if not rows and not notes:
            return
        if not self._disk.write(rows, notes):
            self._retry_ns = self.clock.now().mono_ns + _RETRY_NS
            self._disk.tell(held, self._max_held, self._held_dropped)
            return
        self._retry_ns, self._stored = 0, self.newest
        if notes:
            self._notes.written()

    def _touched(self) -> None:
        if not self._unsynced:
            self._unsynced = True
            self._due_ns = time.monotonic_ns() + round((self._sync_s or 1.0) * 1e9)
            self._work.notify()

    def _forget_tail(self) -> None:
        """Keeps what is recent or not on disk; beyond `max_held` the oldest of the latter is lost."""
        while len(self._tail) > min(_RECENT, self._max_held):
            if self._tail.first > self._stored:
                if len(self._tail) <= self._max_held:
                    return
                self._held_dropped += 1
                self._stored = self._tail.first  # it will never be written
            self._tail.drop()

    def _hold_bounds(self, appended: int) -> None:
        self._since_check += appended
        if self._since_check < min(_BOUND_CHECK, self._max_entries):
            return
        self._since_check = 0
        if not self._disk.oldest:
            return
        count, used_bytes = self._stored - self._disk.oldest + 1, self._disk.used_bytes()
        too_many = max(
            count - self._max_entries, count * (used_bytes - self._max_bytes) // max(used_bytes, 1)
        )
        if too_many > 0:
            self._drop(self._disk.oldest + too_many + count // _DROP_SHARE)

    def _drop(self, below_seq: int) -> None:
        waiting = [sink for sink, seq in self._notes.cursors.items() if seq < below_seq - 1]
        if not self._disk.trim(below_seq - 1):
            return
        while self._tail.first < min(below_seq, self._stored):
            self._tail.drop()
        if waiting:
            self._dropped_to = below_seq - 1
            names = ", ".join(sorted(waiting))
            self._report(
                "outbox",
                f"the outbox is full: the oldest decisions are dropped before {names} had them; "
                "bring the sink back, or give it more room with state.outbox_max",
            )

    # --- reading -----------------------------------------------------------------------------------------

    def read(self, after_seq: int, limit: int) -> list[Entry | Gap]:
        """The next entries behind `after_seq`, at most `limit`; a Gap stands where some were dropped.

        Raises:
            DeviceError: the disk cannot be read now.
        """
        with self._wake:
            entries: list[Entry] = []
            if after_seq + 1 < self._tail.first:
                rows = self._disk.select(after_seq, limit)
                entries = [unpack(seq, body) for seq, body in rows]
            last = entries[-1].seq if entries else after_seq
            entries += self._tail.after(last, limit - len(entries))
        return list(with_gaps(after_seq, entries))

    def rows_with(self, text: str) -> list[Row]:
        """The rows on disk with `text` in them, the newest first. Raises as `read` does."""
        with self._wake:
            return self._disk.find(text)

    def wait(self, after_seq: int, timeout_s: float, stop: Stop | None = None) -> bool:
        """Whether there is more behind `after_seq`, after waiting at most so long; `stop` ends it after `wake`."""
        with self._wake:
            stopped = stop.is_set if stop is not None else bool
            self._wake.wait_for(lambda: self.newest > after_seq or stopped(), timeout_s)
            return self.newest > after_seq

    def wake(self) -> None:
        """Lets everyone who waits look again."""
        with self._wake:
            self._wake.notify_all()

    @property
    def newest(self) -> int:
        """The last seq that was given; 0 before the first."""
        return self._next - 1

    # --- sinks -------------------------------------------------------------------------------------------

    def retire(self, sinks: Iterable[str]) -> None:
        """These are all the sinks: others no longer hold back trimming, new ones start behind what is here."""
        with self._wake:
            self._notes.retire(sinks, self.newest)
            self._save_notes()

    def cursor(self, sink: str) -> int:
        """The last seq that is settled for `sink`; a sink that is not known yet starts behind what is here."""
        with self._wake:
            if sink not in self._notes.cursors:
                self._notes.cursors[sink] = self.newest
                self._save_notes()
            return self._notes.cursors[sink]

    def advance(self, sink: str, seq: int) -> None:
        """`sink` has everything up to `seq`; on disk within `sync_s`, or when it moved far."""
        with self._wake:
            if not self._notes.advance(sink, seq):
                return
            self._touched()
            if self._notes.moved >= _MAX_REPEATS:
                self._save_notes()

    def depth(self, sink: str) -> int:
        """How many entries wait for `sink`."""
        with self._wake:
            return self.newest - self._notes.cursors.get(sink, self.newest)

    def refuse(self, sink: str, entry: Entry, reason: str) -> None:
        """Puts an entry that the other side will never take into the dead letters (the newest 1,000)."""
        with self._wake:
            self._disk.refuse(sink, entry.seq, reason, pack(entry))

    def refused(self, sink: str) -> list[tuple[Entry, str]]:
        """The dead letters of `sink`, with the reasons."""
        with self._wake:
            return [(unpack(seq, body), reason) for seq, reason, body in self._disk.refused(sink)]

    def retained(self, sink: str) -> frozenset[str]:
        """The rules whose state was published to stay at the other side of `sink`."""
        with self._wake:
            return frozenset(self._notes.retained.get(sink, ()))

    def retain(self, sink: str, rules: Iterable[str]) -> None:
        """From now on exactly `rules` have a state that stays; on disk when this returns."""
        with self._wake:
            wanted = set(rules)
            if self._notes.retained.get(sink, set()) != wanted:
                self._notes.retained[sink] = wanted
                self._save_notes()

    def count_connect(self, sink: str) -> int:
        """How many connections of `sink` there were before this one; counted on disk when this returns."""
        with self._wake:
            before = self._notes.count_connect(sink)
            self._save_notes()
            return before

    # --- upkeep ------------------------------------------------------------------------------------------

    def maintain(self) -> None:
        """What the keeper does every `sync_s` while there is something to do; never raises for the disk."""
        with self._wake:
            self._unsynced = False
            self._store((), with_notes=True)
            if self._notes.dirty or self.newest > self._stored:
                self._touched()  # again, until the disk takes it
            self._trim()
        self._disk.sync()  # beside the lock: pipelines do not wait for the medium
        with self._wake:
            self._disk.checkpoint()

    def _trim(self) -> None:
        settled = self._notes.lowest(self.newest)
        if settled >= self._dropped_to > 0:
            self._dropped_to = 0
            self._report("outbox", None)
        settled = min(settled, self._stored, self.newest - self._history)
        if self._disk.oldest and settled - self._disk.oldest >= _TRIM_BATCH:
            self._disk.trim(settled)

    def _save_notes(self) -> None:
        self._notes.dirty, self._notes.moved = True, 0
        self._store((), with_notes=True)
        self._touched()

    def _keep(self) -> None:
        while True:
            with self._work:
                self._work.wait_for(lambda: self._closed or self._unsynced)
                left_s = (self._due_ns - time.monotonic_ns()) / 1e9  # however long the medium took before
                self._work.wait_for(lambda: self._closed, max(left_s, 0.0))
                if self._closed:
                    return
            try:
                self.maintain()
            except Exception as error:
                self._report("outbox", f"upkeep of the outbox failed, please report this: {error!r}")

    def close(self) -> None:
        """Writes what is not on disk yet, as far as the disk takes it."""
        with self._wake:
            self._closed = True
            self._work.notify_all()
        self._keeper.join()
        self.maintain()
        self._disk.close()
