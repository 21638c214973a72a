"""The log of all flashing on this machine: one JSON line a step, on the medium before the next step begins.

It answers who flashed what when with which result, and tells the next run where a broken one stopped.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from firmware_bridge.flash.errors import FlashError

FILE = "journal.jsonl"


@dataclass(frozen=True)
class Journal:
    """`folder` holds the log, the packages in work and the backups; several processes may append at once."""

    folder: Path

    def write(self, job: str, port: str, step: str, result: str, **facts: object) -> None:
        """One line, durable when this returns.

        Raises:
            FlashError: the folder cannot be written; then nothing is flashed either.
        """
        record = {"at": _now(), "job": job, "port": port, "step": step, "result": result, **facts}
        line = json.dumps(record, ensure_ascii=False, separators=(", ", ": ")) + "\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.folder / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                os.write(
                    fd, _after_torn(fd) + line.encode()
                )  # one write: lines of several flashers do not mix
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise FlashError(
                f"the flash log in {self.folder} cannot be written: {error.strerror}; "
                "without it a broken run could not be resumed: make it writable, or give another --state"
            ) from error

    def records(self) -> Iterator[dict[str, Any]]:
        """All lines, oldest first; one that a power cut tore is left out."""
        try:
            lines = (self.folder / FILE).read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record

    def jobs(self) -> list[Run]:
        """Every run, oldest first."""
        runs: dict[str, Run] = {}
        for record in self.records():
            job = str(record.get("job"))
            runs.setdefault(job, Run(job)).records.append(record)
        return list(runs.values())

    def broken(self, port: str) -> Run | None:
        """The last run that wrote to the board on `port`, if it was cut off or failed: what lies there is not known."""
        device = os.path.realpath(port)
        runs = [run for run in self.jobs() if run.touched and os.path.realpath(run.port) == device]
        return runs[-1] if runs and runs[-1].verdict in {"", "failed"} else None


@dataclass(frozen=True)
class Run:
    """One job as its lines tell it."""

    job: str
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def _fact(self, key: str) -> str:
        return next((str(r[key]) for r in self.records if r.get(key)), "")

    @property
    def port(self) -> str:
        return self._fact("port")

    @property
    def verdict(self) -> str:
        """How it ended; empty while it runs, and for ever when it was killed."""
        return next((str(r["result"]) for r in reversed(self.records) if r["step"] == "verdict"), "")

    @property
    def wrote(self) -> bool:
        return any(r["step"] in {"write", "revert"} for r in self.records)

    @property
    def touched(self) -> bool:
        """Whether the board holds since this run something else, or was proven to hold what it should."""
        return self.wrote or self.verdict == "already"

    @property
    def package(self) -> Path | None:
        """The copy of the package that this run flashed."""
        return Path(self._fact("package")) if self._fact("package") else None

    @property
    def backup(self) -> Path | None:
        """What the board ran before, where it could be read."""
        return Path(self._fact("backup")) if self._fact("backup") else None

    @property
    def summary(self) -> dict[str, str]:
        """For people and programs: when, who, port, what, result, why."""
        last = self.records[-1]
        return {
            "at": self._fact("at"),
            "job": self.job,
            "who": self._fact("who"),
            "port": self.port,
            "what": self._fact("what"),
            "result": self.verdict or f"broken off at {last['step']}",
            "runs_now": str(last.get("runs_now", "")),
        }


def _after_torn(fd: int) -> bytes:
    """A line that a power cut tore must not swallow the next one."""
    end = os.fstat(fd).st_size
    return b"\n" if end and os.pread(fd, 1, end - 1) != b"\n" else b""


def who() -> str:
    """The person, also behind sudo, and the machine: "anna@line3"."""
    try:
        name = os.getlogin()  # who logged in at this terminal, whoever they are now
    except OSError:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
