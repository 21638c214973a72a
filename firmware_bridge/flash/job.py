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

from firmware_bridge.flash import backup, entry, finding, lock
from firmware_bridge.flash import package as packages
from firmware_bridge.flash.before import Before
from firmware_bridge.flash.errors import FlashError, StoppedError
from firmware_bridge.flash.flasher import Flasher, hello_by, kind
from firmware_bridge.flash.journal import Journal, who
from firmware_bridge.flash.order import Order, Result, Verdict, World
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Proof, Running, proof_of

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
_PATIENCE: Final[Mapping[str, int]] = {
    "accept": 2,
    "revert": 2,
}  # how often stop is asked before such a step stops
_DYING_S = 0.5  # the tool of a flasher that was just killed
_FREE_S = 3.0  # a daemon that has just lent a port may still be closing it


class _Enough(Exception):  # noqa: N818  not an error: the job has come to its end early
    """There is nothing (more) to do."""

    def __init__(self, result: Result, proof: Proof = "none", runs_now: str = "") -> None:
        super().__init__(result)
        self.result, self.proof, self.runs_now = result, proof, runs_now


class Job:
    """`run` once; give every board a job and a thread of its own."""

    def __init__(self, order: Order, world: World) -> None:
        self.order, self.world = order, world
        self.id = token_hex(4)
        self.journal = Journal(order.folder)
        self._exit = ExitStack()
        self._step = "check"
        self._package: Package | None = None
        self._flasher: Flasher | None = None
        self._broken = self.journal.broken(order.port)
        self._before = Before()
        self._proof: Proof = "none"
        self._says = ""
        self._wrote = self._restored = False

    def run(self) -> Verdict:
        """To the verdict, whatever happens; only the log itself may stop it (FlashError)."""
        resumes = self._broken.job if self._broken else ""
        self._log("begin", "ok", who=who(), file=str(self.order.package), resumes=resumes)
        with self._exit:
            verdict = self._walk()
        self._log("verdict", verdict.result, **_facts(verdict))
        return verdict

    def _walk(self) -> Verdict:
        error: Exception | None = None
        while self._step != "verdict":
            step, (good, bad) = self._step, STEPS[self._step]
            try:
                self._do(step)
                self._step = good
            except _Enough as enough:
                return self._verdict(enough.result, enough.proof, enough.runs_now)
            except (FlashError, OSError) as failure:
                self._log(step, "failed", why=str(failure))
                error = _both(error, failure)
                self._step = bad
        return self._end(error)

    def _do(self, step: str) -> None:
        self._go_on()
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
        lock.wait_free(self.order.port, _FREE_S if owner else _DYING_S)
        return {"from": owner or "nobody"}

    def _identify(self) -> Mapping[str, object]:
        self.world.tell("asking the node who it is", None)
        package, flasher = self._parts()
        running, says = finding.identify(self.order, self.world, package, flasher)
        self._before = Before(running, kept_by_board=flasher.traits.keeps_old)
        self._says = says
        proof = proof_of(package, running)
        if proof == "none" or self.order.force:
            return {"by": "hello" if running else "bootloader", "says": says}
        trial = flasher.traits.keeps_old and running is not None and not running.confirmed
        if (
            trial and not self.order.dry_run
        ):  # a run that broke off behind the write: without this, a reset undoes it
            flasher.accept(self.order.port)
        raise _Enough("already", proof, f"the new image: {says}")

    def _keep(self) -> Mapping[str, object]:
        package, flasher = self._parts()
        if self.order.dry_run:
            raise _Enough("would flash", runs_now=self._says)
        copy = backup.keep_package(self.order.package, package, self.order.folder)
        if flasher.traits.keeps_old or not flasher.traits.reads_back or not self.order.backup:
            kept = "the board keeps it itself" if flasher.traits.keeps_old else "no"
            return {"package": str(copy), "kept": kept}
        self.world.tell("keeping what runs now", 0.0)
        self._before, path = backup.keep(
            self.order, self.id, package, flasher, self._before.running, self._broken, self._shares()
        )
        half = "half of a broken run's image; " if self._before.half_written else ""
        kept = self._before.copy.label if self._before.copy else "no"
        return {
            "package": str(copy),
            "backup": str(path or ""),
            "kept": kept,
            "found": f"{half}{self._before.running or 'no HELLO'}",
        }

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
        self._says = f"the new image: {running}"
        weaker = self._proof != "image"
        return {"proof": "build digest: weaker proof" if weaker else "image", "says": str(running)}

    def _accept(self) -> Mapping[str, object]:
        self._parts()[1].accept(self.order.port)
        return {}

    def _revert(self) -> Mapping[str, object]:
        _, flasher = self._parts()
        self.world.tell("rolling back", 0.0)
        entry.wait_back(self.order.port, self.order.back_s)
        if flasher.traits.keeps_old:
            flasher.revert(self.order.port)
        elif self._before.copy is None:
            raise FlashError("there is no copy of what ran before")
        else:
            flasher.write(self.order.port, self._before.copy, self._shares())
            if self._before.speechless:
                self._restored = finding.lies_there(self.order.port, flasher, self._before.copy)
        if self._restored:
            return {"says": "read back and compared"}
        running = self._hello_until(self._before.is_again)
        if not self._before.is_again(running):
            raise FlashError(f"after the rollback the node says: {running or 'nothing'}")
        return {"says": str(running)}

    # --- what the steps share

    def _parts(self) -> tuple[Package, Flasher]:
        if self._package is None or self._flasher is None:
            raise AssertionError("check comes first")
        return self._package, self._flasher

    def _go_on(self) -> None:
        if self.world.stop() >= _PATIENCE.get(self._step, 1):
            raise StoppedError("stopped from the keyboard")

    def _shares(self) -> Callable[[float], None]:
        def progress(share: float) -> None:
            self._go_on()
            self.world.tell("", share)

        return progress

    def _hello_until(self, good: Callable[[Running | None], bool]) -> Running | None:
        """The first HELLO that is `good`; right after a reset one of the run before may still come."""
        end = time.monotonic() + self.order.prove_s
        last: Running | None = None
        while (left := end - time.monotonic()) > 0:
            self._go_on()
            running = finding.hello_if_there(self.order.port, self.world, min(left, self.order.hello_s))
            last = running or last
            if good(running):
                return running
        return last

    # --- the end

    def _end(self, error: Exception | None) -> Verdict:
        if error is not None and not self._wrote:
            code = error.exit_code if isinstance(error, FlashError) else 1
            why = str(error).removesuffix(", nothing was written")
            return replace(self._verdict("refused"), why=f"{why}; nothing was written", exit_code=code)
        if error is None:
            return self._verdict("flashed", self._proof, self._says)
        now = finding.runs_now(self.order, self.world, *self._parts(), self._before, restored=self._restored)
        result: Result = "rolled back" if now.startswith(finding.AGAIN) else "failed"
        return replace(self._verdict(result, "none", now), why=str(error), exit_code=1)

    def _verdict(self, result: Result, proof: Proof = "none", runs_now: str = "") -> Verdict:
        what = self._package.label if self._package else self.order.package.name
        return Verdict(self.order.port, result, what, proof, runs_now)

    def _log(self, step: str, result: str, **facts: object) -> None:
        self.journal.write(self.id, self.order.port, step, result, **facts)


def _both(first: Exception | None, then: Exception) -> Exception:
    return then if first is None else FlashError(f"{first}; and rolling back: {then}")


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        key: value for key, value in asdict(verdict).items() if key not in {"port", "result"} and value != ""
    }
