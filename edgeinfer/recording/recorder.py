"""A recorder: takes what loops show it at once, and compresses and writes in a thread of its own; no file is known here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

from edgeinfer.events import Frame
from edgeinfer.recording.writing import Writer
from edgeinfer.taps import Account, Event, Seen

_MAX_PIXELS = 128_000_000  # bytes of pictures that wait: 20 of full HD
_MAX_WAITING = 20_000  # events of any kind
_SYNC_NS = 5_000_000_000  # of the samples' time: what a power cut may take


class Recorder:
    """The tap in front of a `Writer`: never holds up who shows it something.

    What comes faster than it can be compressed and written is dropped: pictures first (`dropped` counts them, and
    the recording says where), and other events only where 20,000 wait. `seen` is called after each event, in the
    recorder's thread.
    """

    def __init__(
        self,
        writer: Writer,
        seen: Callable[[Event], None] = lambda _: None,
        max_waiting_bytes: int = _MAX_PIXELS,
    ) -> None:
        self._writer, self._seen, self._max_bytes = writer, seen, max_waiting_bytes
        self._wake = Condition()
        self._waiting: deque[Event] = deque()
        self._bytes = 0
        self._ended = False
        self._missed: list[Frame] = []
        self._synced_ns: int | None = None
        self.dropped = 0
        self._thread = Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def __call__(self, post: str, seen: Seen) -> None:
        """The tap."""
        del post
        if isinstance(seen, Account):
            return
        size = seen.pixels.nbytes if isinstance(seen, Frame) else 0
        with self._wake:
            if len(self._waiting) >= _MAX_WAITING or self._bytes + size > self._max_bytes > size > 0:
                self._drop(seen)
                return
            self._bytes += size
            self._waiting.append(seen)
            self._wake.notify()

    def _drop(self, seen: Event) -> None:
        self.dropped += 1
        if isinstance(seen, Frame):
            self._missed.append(Frame(seen.key, seen.at, seen.pixels[:0]))  # its place, without its pixels

    def close(self) -> None:
        """Writes what waits, and closes the writer."""
        with self._wake:
            self._ended = True
            self._wake.notify()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        while (seen := self._next()) is not None:
            self._tell_missed()
            self._writer.write(seen)
            self._sync(seen.at.mono_ns)
            self._seen(seen)
        self._tell_missed()

    def _next(self) -> Event | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._ended)
            if not self._waiting:
                return None
            seen = self._waiting.popleft()
            self._bytes -= seen.pixels.nbytes if isinstance(seen, Frame) else 0
            return seen

    def _tell_missed(self) -> None:
        with self._wake:
            missed, self._missed = self._missed, []
        for source in {frame.key[0]: frame for frame in reversed(missed)}.values():
            self._writer.note_dropped(source, sum(f.key[0] == source.key[0] for f in missed))

    def _sync(self, now_ns: int) -> None:
        if self._synced_ns is None or not 0 <= now_ns - self._synced_ns < _SYNC_NS:
            self._synced_ns = now_ns
            self._writer.sync()
