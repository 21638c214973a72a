"""What a flash job is asked for, what it needs from outside, and how it answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from firmware_bridge.flash.running import Hello, Proof

Result = Literal["flashed", "already", "would flash", "refused", "rolled back", "failed"]
"""`refused`: nothing was written. `rolled back`: the node runs again what it ran before. `failed`: see runs_now."""

Tell = Callable[[str, float | None], None]
"""`tell(text, share)`: what a job does now, and how much of it is done (None where that is not known)."""

Stop = Callable[[], int]
"""How often the person asked to stop: 1 gives up and rolls back, 2 leaves the board as it is."""

Lend = Callable[[str], AbstractContextManager[str]]
"""`with lend(port) as from_whom:` nobody else uses `port` inside; `from_whom` is "" where nobody had it."""


@dataclass(frozen=True)
class Order:
    """Flash `package` onto what hangs on `port`.

    `folder` holds log, locks and backups. With a `key` (PEM, Ed25519 public) only what it signed is flashed.
    """

    package: Path
    port: str
    folder: Path
    key: Path | None = None
    dry_run: bool = False
    force: bool = False  # also when the node runs this very image already
    backup: bool = True
    hello_s: float = 4.0  # Optiboot waits 1 s after a reset, so at least 3 s
    prove_s: float = 15.0  # a boot, a watchdog's bite, and the bootloader's return
    back_s: float = 15.0  # how long a rollback waits for a cable to be put in again


@dataclass(frozen=True)
class World:
    """How a job reaches nodes, borrows ports and shows what it does."""

    hello: Hello
    lend: Lend = lambda _port: nullcontext("")
    tell: Tell = lambda _text, _share: None
    stop: Stop = lambda: 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The last line of a job."""

    port: str
    result: Result
    what: str
    proof: Proof = "none"
    runs_now: str = ""
    why: str = ""
    exit_code: int = 0

    @property
    def sentence(self) -> str:
        """For the technician: what happened, and what the node runs now."""
        said = f"{self.port}: {self.result}: {self.what}"
        said += (
            " (weaker proof: by build digest, the node cannot hash its flash)"
            if self.proof == "build"
            else ""
        )
        said += f"; {self.why}" if self.why else ""
        return f"{said}; now: {self.runs_now}" if self.runs_now else said
