"""One flash job: a state machine that writes each step to the log and proves at its end what the node runs.

Borrowing, asking and writing are done by the parts that it is given; it opens no port itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from secrets import token_hex
from typing import Any, Final

from firmware_bridge.flash import backup, lock
from firmware_bridge.flash import package as packages
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Flasher, hello_by, kind
from firmware_bridge.flash.journal import Journal, who
from firmware_bridge.flash.order import Order, Result, Verdict, World
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Proof, Running, proof_of, same_image

STEPS: Final[Mapping[str, tuple[str, str]]] = {  # step: (after success, after failure)
    "check": ("lock", "verdict"),  # the package: hashes, signature, fit
    "lock": ("borrow", "verdict"),
    "borrow": ("identify", "verdict"),
    "identify": ("keep", "verdict"),
    "keep": ("write", "verdict"),
    "write": ("prove", "revert"),
    "prove": ("accept", "revert"),
    "accept": ("verdict", "revert"),
    "revert": ("verdict", "verdict"),
}
_ANNOUNCED = {"write", "revert"}  # logged before they begin: whoever finds no result knows what broke off
_FREE_S = 3.0  # a daemon that has just lent a port may still be closing it


class _Enough(Exception):  # noqa: N818  not an error: the job has come to its end early
    """There is nothing (more) to do."""

    def __init__(self, result: Result, proof: Proof = "none") -> None:
        super().__init__(result)
        self.result, self.proof = result, proof


class Job:
    """`run` once; give every board a job and a thread of its own."""

    def __init__(self, order: Order, world: World) -> None:
        self.order, self.world = order, world
        self.id = token_hex(4)
        self.journal = Journal(order.folder)
        self._exit = ExitStack()
        self._package: Package | None = None
        self._flasher: Flasher | None = None
        self._before: Running | None = None
        self._backup: Package | None = None
        self._proof: Proof = "none"
        self._wrote = False

    def run(self) -> Verdict:
        """To the verdict, whatever happens; only the log itself may stop it (FlashError)."""
        broken = self.journal.broken(self.order.port)
        self._log(
            "begin", "ok", who=who(), file=str(self.order.package), resumes=broken.job if broken else ""
        )
        with self._exit:
            verdict = self._walk()
        self._log("verdict", verdict.result, **_facts(verdict))
        return verdict

    def _walk(self) -> Verdict:
        step, error = "check", None
        while step != "verdict":
            after = STEPS[step]
            try:
                self._do(step)
                step = after[0]
            except _Enough as enough:
                return self._verdict(
                    enough.result, enough.proof, self._runs_now() if enough.proof != "none" else ""
                )
            except (FlashError, OSError) as failure:
                self._log(step, "failed", why=str(failure))
                error = _both(error, failure)
                step = after[1]
        return self._end(error)

    def _do(self, step: str) -> None:
        if step in _ANNOUNCED:
            self._log(step, "begun")
        begun = time.monotonic()
        work: Callable[[], Mapping[str, object]] = getattr(self, f"_{step}")
        facts = work()
        self._log(step, "ok", took_s=round(time.monotonic() - begun, 3), **facts)

    # --- steps; each returns what is worth a place in the log, or raises

    def _check(self) -> Mapping[str, object]:
        self.world.tell("checking the package", None)
        self._package = packages.load(self.order.package, self.order.key)
        manifest = self._package.manifest
        self._flasher = kind(manifest.flasher)(manifest.options)
        self._flasher.fit(self._package)
        self.world = replace(self.world, hello=hello_by(self._flasher, self.world.hello))
        signed = "verified" if self.order.key else "not asked for"
        return {"what": self._package.label, "digest": self._package.digest, "signature": signed}

    def _lock(self) -> Mapping[str, object]:
        self._exit.enter_context(lock.locked(self.order.port, self.order.folder))
        return {}

    def _borrow(self) -> Mapping[str, object]:
        self.world.tell("asking for the port", None)
        owner = self._exit.enter_context(self.world.lend(self.order.port))
        lock.wait_free(self.order.port, _FREE_S if owner else 0.0)
        return {"from": owner or "nobody"}

    def _identify(self) -> Mapping[str, object]:
        self.world.tell("asking the node who it is", None)
        package, flasher = self._parts()
        self._before = self.world.hello(self.order.port, self.order.hello_s)
        if self._before is None:
            return {"by": "bootloader", "says": self._ask_bootloader(package, flasher)}
        if self._before.board != package.manifest.board:
            raise PackageError(
                f"the image is for {package.manifest.board}, and {self.order.port} is {self._before.board} "
                f"running {self._before.name} {self._before.version}: wrong image or wrong port"
            )
        proof = proof_of(package, self._before)
        if proof != "none" and not self.order.force:
            raise _Enough("already", proof)
        return {"by": "hello", "says": str(self._before)}

    def _ask_bootloader(self, package: Package, flasher: Flasher) -> str:
        probe = flasher.probe(self.order.port)
        if probe.board == "wrong":
            raise PackageError(
                f"the image is for {package.manifest.board}, and on {self.order.port} {probe.text}: "
                "wrong image or wrong port"
            )
        if probe.board == "silent":
            raise FlashError(
                f"neither our firmware nor a bootloader answers on {self.order.port}: {probe.text}; "
                f"this board's bootloader is entered by: {flasher.traits.entry}"
            )
        return probe.text

    def _keep(self) -> Mapping[str, object]:
        package, flasher = self._parts()
        if self.order.dry_run:
            raise _Enough("would flash")
        copy = backup.keep_package(self.order.package, package, self.order.folder)
        if flasher.traits.keeps_old or not flasher.traits.reads_back or not self.order.backup:
            return {
                "package": str(copy),
                "kept": "the board keeps it itself" if flasher.traits.keeps_old else "no",
            }
        self.world.tell("keeping what runs now", 0.0)
        path = self._old_backup() or backup.take(
            self.order, self.id, package, flasher, self._before, self._shares()
        )
        self._backup = packages.load(path) if path else None
        return {
            "package": str(copy),
            "backup": str(path or ""),
            "kept": self._backup.label if self._backup else "no",
        }

    def _old_backup(self) -> Any:
        """A run that broke off half-way has left a half-written image: what it kept is what ran last."""
        broken = next(
            (r for r in reversed(self.journal.jobs()) if r.port == self.order.port and r.job != self.id), None
        )
        if broken is None or broken.verdict or not broken.wrote or not broken.backup:
            return None
        return broken.backup if broken.backup.exists() else None

    def _write(self) -> Mapping[str, object]:
        package, flasher = self._parts()
        self.world.tell("writing", 0.0)
        self._wrote = True
        flasher.write(self.order.port, package, self._shares())
        return {}

    def _prove(self) -> Mapping[str, object]:
        package, _ = self._parts()
        self.world.tell("waiting for the new image's HELLO", None)
        running = self._hello_until(lambda running: proof_of(package, running) != "none")
        self._proof = proof_of(package, running)
        if self._proof == "none":
            raise FlashError(
                f"expected length and CRC of the new image in HELLO, found {running or 'no answer'} "
                f"after {self.order.prove_s:.0f} s"
            )
        return {
            "proof": self._proof if self._proof == "image" else "build digest: weaker proof",
            "says": str(running),
        }

    def _accept(self) -> Mapping[str, object]:
        self._parts()[1].accept(self.order.port)
        return {}

    def _revert(self) -> Mapping[str, object]:
        _, flasher = self._parts()
        self.world.tell("rolling back", 0.0)
        if flasher.traits.keeps_old:
            flasher.revert(self.order.port)
        elif self._backup is None:
            raise FlashError("there is no copy of what ran before")
        else:
            flasher.write(self.order.port, self._backup, self._shares())
        running = self._hello_until(self._is_old)
        if not self._is_old(running):
            raise FlashError(f"after the rollback the node says: {running or 'nothing'}")
        return {"says": str(running or "")}

    # --- what the steps share

    def _parts(self) -> tuple[Package, Flasher]:
        if self._package is None or self._flasher is None:
            raise AssertionError("check comes first")
        return self._package, self._flasher

    def _shares(self) -> Callable[[float], None]:
        return lambda share: self.world.tell("", share)

    def _hello_until(self, good: Callable[[Running | None], bool]) -> Running | None:
        """The first HELLO that is `good`; right after a reset one of the run before may still come."""
        end = time.monotonic() + self.order.prove_s
        last: Running | None = None
        while (left := end - time.monotonic()) > 0:
            running = self.world.hello(self.order.port, min(left, self.order.hello_s))
            last = running or last
            if good(running):
                return running
        return last

    def _is_old(self, running: Running | None) -> bool:
        if self._before is not None and not self._before.bootloader:
            return same_image(self._before, running)
        return self._backup is not None and proof_of(self._backup, running) != "none"

    def _runs_now(self) -> str:
        """Plainly, after a failure: which image the node runs, or that only its bootloader is alive."""
        package, flasher = self._parts()
        try:
            running = self.world.hello(self.order.port, self.order.hello_s)
            if running is None:
                return _bootloader_only(flasher.probe(self.order.port).board)
        except (FlashError, OSError) as error:
            return f"unknown: {error}; put the cable in and flash again"
        if running.bootloader:
            return f"{running}; flash again"
        if proof_of(package, running) != "none":
            return f"the new image: {running}"
        if self._is_old(running):
            return f"what it ran before: {running}"
        return (
            f"an image that is neither the new nor the old one, probably incomplete: {running}; flash again"
        )

    # --- the end

    def _end(self, error: Exception | None) -> Verdict:
        if error is None:
            return self._verdict("flashed", self._proof, self._runs_now())
        if not self._wrote:
            code = error.exit_code if isinstance(error, FlashError) else 1
            return replace(
                self._verdict("refused", "none", ""), why=f"{error}; nothing was written", exit_code=code
            )
        now = self._runs_now()
        result: Result = "rolled back" if now.startswith("what it ran before") else "failed"
        return replace(self._verdict(result, "none", now), why=str(error), exit_code=1)

    def _verdict(self, result: Result, proof: Proof, runs_now: str) -> Verdict:
        what = self._package.label if self._package else self.order.package.name
        return Verdict(self.order.port, result, what, proof, runs_now)

    def _log(self, step: str, result: str, **facts: object) -> None:
        self.journal.write(self.id, self.order.port, step, result, **facts)


def _both(first: Exception | None, then: Exception) -> Exception:
    return then if first is None else FlashError(f"{first}; and rolling back: {then}")


def _bootloader_only(board: str) -> str:
    if board == "right":
        return "only its bootloader is alive; flash again"
    return "nothing answers, neither firmware nor bootloader; press reset, then flash again"


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        key: value for key, value in asdict(verdict).items() if key not in {"port", "result"} and value != ""
    }
