"""The addresses of the page and what each answers; who may ask is the guard's matter."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from queue import Empty
from threading import BoundedSemaphore
from typing import Any

import bottle
import msgspec

from edgeinfer.commands.table import Asker, Command, Explain, name_of
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.ports import Stop
from edgeinfer.runtime.history import recent
from edgeinfer.web.facts import Facts
from edgeinfer.web.live import BOUNDARY, Pictures
from edgeinfer.web.view import View
from edgeinfer.wire.json import envelope

DOOR = "web"
_STATIC = {
    "": ("index.html", "text/html; charset=utf-8"),
    "draw": ("draw.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "plots.js": ("plots.js", "text/javascript; charset=utf-8"),
    "draw.js": ("draw.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_MOST_ENTRIES = 1_000
_EVERY_S = 1.0  # health and readings on the event stream
_LIVE, _EVENTS = 6, 8  # streams at once


@dataclass
class Pages:
    """`app()` is the WSGI application."""

    facts: Facts
    view: View
    pictures: Pictures
    stop: Stop
    _live: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_LIVE))
    _events: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_EVENTS))

    def app(self) -> bottle.Bottle:
        app = bottle.Bottle(catchall=True)
        for name, (file, kind) in _STATIC.items():
            app.get(f"/{name}", callback=_static(file, kind))
        app.get("/api/about", callback=lambda: _json(self.facts.about(self.view.sources)))
        app.get("/api/health", callback=lambda: _json(self.facts.health()))
        app.get("/api/readings", callback=lambda: _json(self.view.traces()))
        app.get("/api/decisions", callback=self._decisions)
        app.get("/api/explain/<decision:re:[a-z0-9]{16}>", callback=self._explain)
        app.get("/live/<source:re:[a-z0-9_-]+>", callback=self._stream)
        app.get("/picture/<source:re:[a-z0-9_-]+>", callback=self._picture)
        app.get("/events", callback=self._event_stream)
        app.post("/api/command", callback=self._command)
        app.default_error_handler = _error
        return app

    # --- what was decided --------------------------------------------------------------------------------

    def _decisions(self) -> bytes:
        limit = _number("limit", 100, _MOST_ENTRIES)
        try:
            entries = recent(self.facts.inside.outbox, limit)
        except EdgeinferError as error:  # the disk cannot be read now
            return _problem(503, str(error))
        hours = _number("hours", 0, 24 * 365)
        if hours:
            since_ns = self.facts.inside.clock.now().unix_ns - hours * 3_600_000_000_000
            entries = [entry for entry in entries if entry.decision.at.unix_ns >= since_ns]
        return _json([envelope(entry) for entry in entries])

    def _explain(self, decision: str) -> bytes:
        return self._execute(Explain(decision))

    def _command(self) -> bytes:
        try:
            command = self.facts.inside.commands.parse(bottle.request.body.read(), frozenset({"operate"}))
        except InputError as error:
            return _problem(400, str(error))
        allowed = self.facts.blueprint().web.allow
        if name_of(command) not in allowed:
            return _problem(403, f"[web] allow does not name {name_of(command)!r}: the page only shows it")
        return self._execute(command)

    def _execute(self, command: Command) -> bytes:
        inside, asker = self.facts.inside, Asker(DOOR, str(bottle.request.environ.get("REMOTE_ADDR", "")))
        try:
            return _json({"ok": True, "result": inside.ask(lambda: inside.commands.execute(command, asker))})
        except InputError as error:
            return _problem(400, str(error))
        except EdgeinferError as error:
            return _problem(404 if isinstance(command, Explain) else 409, str(error))
        except Empty:
            return _problem(503, "the daemon is busy or stops; ask again")

    # --- streams -----------------------------------------------------------------------------------------

    def _picture(self, source: str) -> bytes:
        found = self.pictures.jpeg(source, plain=True)
        if found is None:
            return _problem(404, f"no picture of a source {source!r} so far")
        bottle.response.content_type = "image/jpeg"
        return found[1]

    def _stream(self, source: str) -> Iterator[bytes] | bytes:
        if self.view.shown(source) is None:
            return _problem(404, f"no picture of a source {source!r} so far")
        fps = self.facts.blueprint().web.fps
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return _limited(self._live, kind, lambda: self.pictures.stream(source, fps, self.stop))

    def _event_stream(self) -> Iterator[bytes] | bytes:
        return _limited(self._events, "text/event-stream", self._tell)

    def _tell(self) -> Generator[bytes, None, None]:
        """Server-sent events: `now` each second, `decision` as they come."""
        since_ms = 0.0
        with self.view.listening() as listener:
            while not self.stop.is_set():
                traces = self.view.traces(since_ms)
                times = [
                    point[0] for trace in traces.values() for points in trace.values() for point in points
                ]
                since_ms = max(times, default=since_ms)
                yield _event("now", {"health": self.facts.health(), "readings": traces})
                end_ns = self.facts.mono_ns() + round(_EVERY_S * 1e9)
                while not self.stop.is_set() and (left_s := (end_ns - self.facts.mono_ns()) / 1e9) > 0:
                    try:
                        yield _event("decision", envelope(listener.get(timeout=left_s)))
                    except Empty:
                        break


class _Once:
    """A stream that holds a place until it is closed."""

    def __init__(self, places: BoundedSemaphore, pieces: Generator[bytes, None, None]) -> None:
        self._places, self._pieces, self._open = places, pieces, True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """WSGI calls it however the answer ended."""
        if self._open:
            self._open = False
            self._pieces.close()
            self._places.release()


def _limited(
    places: BoundedSemaphore, kind: str, begin: Callable[[], Generator[bytes, None, None]]
) -> Iterator[bytes] | bytes:
    if not places.acquire(blocking=False):
        return _problem(503, "too many watch already; close another page")
    bottle.response.content_type = kind
    return _Once(places, begin())


def _event(name: str, body: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"


def _static(file: str, kind: str) -> Any:
    content = (files(__package__) / "static" / file).read_bytes()

    def answer() -> bytes:
        bottle.response.content_type = kind
        return content

    return answer


def _json(body: object) -> bytes:
    bottle.response.content_type = "application/json"
    return msgspec.json.encode(body)


def _problem(status: int, text: str) -> bytes:
    bottle.response.status = status
    return _json({"ok": False, "error": text})


def _error(error: Any) -> str:
    """For what has no address, and for what should not happen; the log has the rest."""
    bottle.response.content_type = "application/json"
    text = "there is no such page" if error.status_code == 404 else str(error.status_line)
    return json.dumps({"ok": False, "error": text})


def _number(key: str, default: int, most: int) -> int:
    """Of the query; what makes no sense is the default."""
    text = bottle.request.query.get(key, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else default
