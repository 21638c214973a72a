"""Models that killed the daemon's own process: found at the next start, and left out after the second time.

`crash.txt` is written by the dying process (faulthandler: a native signal, nothing else: neither kill -9 nor a power
cut), `running` says which model was at work (engine/marker.py), `deaths.json` counts.
"""

from __future__ import annotations

import faulthandler
import logging
import re
from pathlib import Path
from typing import IO

import msgspec

from edgeinfer.engine.marker import Marker, Run, read
from edgeinfer.errors import BundleError, InferenceLost
from edgeinfer.ports import Clock
from edgeinfer.store import Bundle, open_bundle
from edgeinfer.store.index import read_index

log = logging.getLogger(__name__)

DEATHS = 2
_WITHIN_NS = 24 * 3600 * 10**9  # older deaths are forgotten: one in a year is no reason to leave a model out


class Death(msgspec.Struct, frozen=True):
    """One native crash: of which bundle, when (unix), and what the process said as it died."""

    identity: str
    unix_ns: int
    what: str


class Crashes:
    """What the state folder knows of crashes; the marker of this run is `marker`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._crash, self._file = folder / "crash.txt", folder / "deaths.json"
        self._deaths = self._recent(clock.now().unix_ns)
        if text := _text(self._crash):
            self._note(text, read(folder / "running"), clock.now().unix_ns)
        self.marker = Marker(folder / "running")
        self._open: IO[str] | None = None

    def _recent(self, now_ns: int) -> list[Death]:
        try:
            known = msgspec.json.decode(self._file.read_bytes(), type=list[Death])
        except (OSError, msgspec.MsgspecError):
            return []
        return [d for d in known if abs(now_ns - d.unix_ns) < _WITHIN_NS]

    def _note(self, text: str, runs: list[Run], now_ns: int) -> None:
        what = text.splitlines()[0].removeprefix("Fatal Python error: ")
        blamed = suspects(text, runs)
        log.error("the last run died of a native crash (%s)%s:\n%s", what, _named(blamed), text)
        self._deaths += [Death(name.split()[0], now_ns, what) for name in blamed]
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(self._deaths))
            fresh.replace(self._file)
            self._crash.unlink()
        except OSError as error:  # it is told again at the next start
            log.warning("%s cannot be written: %s", self._file, error.strerror)

    def watch(self) -> None:
        """From now on a native crash of this process leaves its traces. Once, in the daemon's own process."""
        try:
            self._open = self._crash.open("w")
        except OSError as error:
            log.warning(
                "%s cannot be written (%s): a crash will leave no traces", self._crash, error.strerror
            )
            return
        faulthandler.enable(self._open, all_threads=True)

    def close(self) -> None:
        """An ordered end: nothing was left."""
        if self._open is not None:
            faulthandler.disable()
            self._open.close()
            self._crash.unlink(missing_ok=True)

    def allowed(self, bundle: Bundle) -> tuple[Bundle, str]:
        """The bundle to be opened, and what to say where it is not this one.

        Raises:
            InferenceLost: this one has killed the daemon twice, and no version of it was used before.
        """
        mine = [d for d in self._deaths if d.identity == bundle.identity]
        if len(mine) < DEATHS:
            return bundle, ""
        reason = (
            f"{bundle.identity} has crashed this process {len(mine)} times within a day ({mine[-1].what})"
        )
        older = previous(bundle)
        if older is None or self._deaths_of(older) >= DEATHS:
            raise InferenceLost(
                f"{reason}: it is left out. Run it in a child process (isolate = true), or use another version of it; "
                f"removing {self._file} makes the daemon try it again"
            )
        return older, f"{reason}: the version before it, {older.identity}, is used"

    def _deaths_of(self, bundle: Bundle) -> int:
        return sum(d.identity == bundle.identity for d in self._deaths)


def suspects(text: str, runs: list[Run]) -> list[str]:
    """Who is to blame for a crash: the model at work in the thread that crashed, or that ran there last.

    A crash in a thread that is not Python's (a runtime's own worker) is blamed on all that were at work.
    """
    found = re.search(r"^Current thread 0x([0-9a-f]+)", text, re.MULTILINE)
    if found is None:
        return [run.name for run in runs if run.at_work]
    own = [run for run in runs if run.thread == int(found[1], 16)]
    return [run.name for run in own if run.at_work] or [run.name for run in own]


def previous(bundle: Bundle) -> Bundle | None:
    """The version that was used before this one, where the bundle stands in a store with versions and it is whole."""
    try:
        used = read_index(bundle.folder.parent).used
    except BundleError:
        return None
    before = used[: used.index(bundle.folder.name)] if bundle.folder.name in used else ()
    for digest in reversed(before):
        try:
            return open_bundle(bundle.folder.parent / digest)
        except BundleError:
            continue
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _named(names: list[str]) -> str:
    return f", probably of {', '.join(names)}" if names else ""
