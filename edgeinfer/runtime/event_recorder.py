"""Keeps pictures from before and after a decision: a ring in memory, on disk only once something was decided.

The tap returns at once; compressing and writing is done in a thread of its own, and what is too much for it is dropped
and counted. The disk is written when a decision comes, never before: a quiet line wears no card out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

from edgeinfer.events import Decision, Entry, Frame, Inference, Instant
from edgeinfer.recording import Bounds, Writer, compressed
from edgeinfer.recording.accounts import Why
from edgeinfer.runtime.aside import Aside
from edgeinfer.runtime.event_shelf import EventShelf
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.loop import Fatal, Loop
from edgeinfer.runtime.preroll import Kept, Preroll
from edgeinfer.runtime.thumbnail import thumbnail
from edgeinfer.taps import Account, Seen, Taps

POST = "events"
_MAX_PIXELS = 64_000_000  # bytes of pictures that wait to be compressed
_LONGEST_S = 60.0  # decisions that follow one another make one event, up to here


@dataclass(frozen=True)
class Keep:
    """What one pipeline keeps; `rules` empty: of all of them. `fps` 0: every picture."""

    pipeline: str
    sources: Sequence[str]
    rules: frozenset[str]
    before_s: float
    after_s: float
    fps: float = 0.0
    quality: int = 85
    thumbnail: bool = False


class _Event:
    """One that is being written."""

    def __init__(self, path: Path, writer: Writer, at: Instant) -> None:
        self.path, self.writer, self.began, self.until = path, writer, at, at
        self.last_id = ""

    def extend(self, at: Instant, after_s: float) -> None:
        end_ns = min(at.mono_ns + round(after_s * 1e9), self.began.mono_ns + round(_LONGEST_S * 1e9))
        self.until = at.later(max(end_ns - at.mono_ns, 0))

    def over(self, now: Instant) -> bool:
        return now.boot != self.until.boot or now.mono_ns > self.until.mono_ns


class EventRecorder:
    """A post. Meters: `kept` (events), `dropped` (old events that made room), `missed` (pictures); gauges `events` and
    `bytes` of what lies on the disk.

    Args:
        keeps: what to keep.
        shelf: where.
        why: what is written of a decision.
        aside: takes thumbnails.
        device: for the head of each recording.
    """

    def __init__(
        self,
        keeps: Sequence[Keep],
        shelf: EventShelf,
        why: Callable[[Entry, Account], Why],
        aside: Aside,
        device: str,
        taps: Taps,
        health: Health,
        fatal: Fatal,
    ) -> None:
        self._keeps = {f"pipeline.{keep.pipeline}": keep for keep in keeps}
        self._wanted = {f"source.{source}": _pace(keeps, source) for keep in keeps for source in keep.sources}
        self._shelf, self._why, self._aside, self._device = shelf, why, aside, device
        self._taps, self._report = taps, health.reporter(POST)
        self._meters = health.post(POST).meters
        self._rings = {post: Preroll(keep.before_s) for post, keep in self._keeps.items()}
        self._running: dict[str, _Event] = {}
        self._due: dict[str, int] = {}
        self._wake = Condition()
        self._waiting: deque[tuple[str, Seen]] = deque()
        self._pixels = 0
        self._loop = Loop(POST, self._run, health, fatal)
        self._gauge()

    # --- the post ----------------------------------------------------------------------------------------

    def start(self) -> None:
        self._taps.add(self._tap)
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        self._taps.remove(self._tap)
        self._loop.stop.set()
        with self._wake:
            self._wake.notify()
        return self._loop.join(timeout_s)

    def watch(self, now_ns: int) -> None:
        """Nothing to do: a disk that hangs holds up nobody."""

    # --- in the loops of others --------------------------------------------------------------------------

    def _tap(self, post: str, seen: Seen) -> None:
        if post not in self._keeps and post not in self._wanted:
            return
        with self._wake:
            if isinstance(seen, Frame) and not self._takes(post, seen):
                return
            self._waiting.append((post, seen))
            self._wake.notify()

    def _takes(self, post: str, frame: Frame) -> bool:
        period_ns, now_ns = self._wanted.get(post, 0), frame.at.mono_ns
        if period_ns and 0 < self._due.get(post, 0) - now_ns <= period_ns:
            return False
        if self._pixels + frame.pixels.nbytes > _MAX_PIXELS:
            self._meters.count("missed")
            return False
        self._due[post] = now_ns + period_ns
        self._pixels += frame.pixels.nbytes
        return True

    # --- the thread --------------------------------------------------------------------------------------

    def _run(self, loop: Loop) -> None:
        loop.well()
        while (taken := self._next(loop)) is not None:
            loop.beat()
            try:
                self._take(*taken)
            except Exception as error:  # pictures are no reason to stop a line
                self._report(
                    "recorder", f"a picture or decision could not be kept, please report this: {error!r}"
                )
        for post in list(self._running):
            self._close(post)

    def _next(self, loop: Loop) -> tuple[str, Seen] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or loop.stop.is_set())
            if not self._waiting:
                return None
            post, seen = self._waiting.popleft()
            self._pixels -= seen.pixels.nbytes if isinstance(seen, Frame) else 0
            return post, seen

    def _take(self, post: str, seen: Seen) -> None:
        if isinstance(seen, Account):
            self._account(post, seen)
            return
        source = seen.key[0]
        owners = [p for p, keep in self._keeps.items() if source in keep.sources]
        if isinstance(seen, Inference | Decision):
            owners = [post]
        kept: Kept = seen
        if isinstance(seen, Frame):
            quality = max(self._keeps[p].quality for p in owners)
            kept = compressed(seen, "jpg", quality)
        for owner in owners:
            self._keep(owner, kept)

    def _keep(self, post: str, kept: Kept) -> None:
        event = self._running.get(post)
        if event is not None and event.over(kept.at):
            self._close(post)
            event = None
        if event is not None:
            event.writer.write(kept)
        self._rings[post].add(kept)

    def _account(self, post: str, account: Account) -> None:
        keep = self._keeps[post]
        for entry in account.entries:
            wanted = not keep.rules or entry.decision.rule in keep.rules
            if wanted and entry.decision.state != "unknown":
                why = self._why(entry, account)
                if keep.thumbnail:
                    self._show(post, entry, why)
                self._write(post, keep, entry, why)

    def _show(self, post: str, entry: Entry, why: Why) -> None:
        picture = self._rings[post].picture(entry.decision.key)
        if picture is not None:
            self._aside.put(entry.decision.rule, entry.id, thumbnail(picture, why.found()))

    def _write(self, post: str, keep: Keep, entry: Entry, why: Why) -> None:
        at = entry.decision.at
        event = self._running.get(post)
        try:
            if event is None or event.over(at):
                event = self._open(post, entry)
            event.extend(at, keep.after_s)
            self._shelf.put(event.path, why)
        except Exception as error:  # full, read-only, failing: the line goes on
            self._complain(str(error))

    def _open(self, post: str, entry: Entry) -> _Event:
        self._close(post)
        at = entry.decision.at
        path = self._shelf.place(at, entry.id)
        writer = Writer(path, self._device, at, pictures="jpg", bounds=Bounds(segment_s=2 * _LONGEST_S))
        event = self._running[post] = _Event(path, writer, at)
        for kept in self._rings[post]:
            writer.write(kept)
        return event

    def _close(self, post: str) -> None:
        event = self._running.pop(post, None)
        if event is None:
            return
        event.writer.close()
        if event.writer.failed:
            self._complain(event.writer.stopped)
        else:
            self._report("disk", None)
        self._meters.count("kept")
        self._meters.count("dropped", self._shelf.done(event.path))
        self._gauge()

    def _complain(self, why: str) -> None:
        self._report(
            "disk",
            f"pictures of decisions are not kept in {self._shelf.folder}: {why}; "
            "free space there, or look after the disk",
        )

    def _gauge(self) -> None:
        self._meters.gauges |= {"events": self._shelf.count, "bytes": self._shelf.bytes}


def _pace(keeps: Sequence[Keep], source: str) -> int:
    """The period of a source's pictures in ns: the shortest that anybody wants, 0 for all of them."""
    rates = [keep.fps for keep in keeps if source in keep.sources]
    return 0 if not all(rates) else round(1e9 / max(rates))
