"""A storm: faults at random, one after the other, for as long as asked; then calm, and the verdict."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos.faults import WEIGHTS, Fault
from tests.chaos.judge import Judge, Verdict
from tests.chaos.rig import ROOTS, RULES, SINKS, Rig
from tests.chaos.witness import of_file
from tests.fixtures.brokers import Subscriber
from tests.waiting import wait_for

_DRAIN_S = 300.0
_TELL_S = 60.0


@dataclass(frozen=True)
class Plan:
    """`faults` are spread over `minutes`; the same seed gives the same faults in the same order."""

    minutes: float
    rate: float
    faults: int
    seed: int


class Storm:
    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder, self._dice = plan, folder, Random(plan.seed)
        self._rig = Rig(folder, plan.rate)
        self._done: Counter[str] = Counter()
        self._fell: list[str] = []
        self._rss_mb = 0.0

    def run(self) -> Verdict:
        try:
            self._rage()
            return self._verdict()
        finally:
            self._rig.close()

    def _rage(self) -> None:
        plan, began_s, told_s = self._plan, time.monotonic(), 0.0
        pause_s = plan.minutes * 60 / plan.faults
        for n in range(plan.faults):
            due_s = began_s + pause_s * (n + self._dice.uniform(0.1, 0.9))
            while (left_s := due_s - time.monotonic()) > 0:
                time.sleep(min(left_s, 0.5))
                self._look_after()
            self._strike(self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0], began_s)
            if time.monotonic() - told_s > _TELL_S:
                told_s = time.monotonic()
                self._tell(f"{n + 1} faults, {self._rig.witness.streams['plant'].highest} decisions")

    def _strike(self, fault: Fault, began_s: float) -> None:
        self._look_after()
        self._note(f"{time.monotonic() - began_s:9.3f} {fault.__name__}")
        self._done[fault.__name__] += 1
        fault(self._rig, self._dice)

    def _look_after(self) -> None:
        self._rig.do_what_is_due()
        if self._rig.fell_over():
            text = f"the daemon ended by itself, exit code {self._rig.daemon.process.returncode}"
            self._fell.append(text)
            self._note(text)
            self._rig.die("ended by itself")
            self._rig.live()
        self._rss_mb = max(self._rss_mb, self._rig.rss_mb())

    def _note(self, text: str) -> None:
        with (self._folder / "faults.log").open("a") as log:
            log.write(text + "\n")

    def _tell(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    # --- calm

    def _verdict(self) -> Verdict:
        rig = self._rig
        self._calm()
        calm = rig.witness.streams["plant"].highest
        states = {name: self._retained(root) for name, root in ROOTS.items()}
        stopped = rig.daemon.stop(20)
        rig.ledger.look(rig.state, rig.folder)
        wait_for(self._all_seen, 60, "the last decision at every subscriber")
        streams = {**rig.witness.streams, "file": of_file(rig.file)}
        taps = {name: network.acknowledged for name, network in rig.networks.items()}
        judge = Judge(rig.ledger, streams, taps, calm)
        verdict = judge()
        for side, rules in RULES.items():
            judge.said(side, rig.sensors[side].said)
            for name, found in states.items():
                judge.states(name, found, rules)
        for rule in RULES["steady"]:
            judge.undisturbed(rule, rig.sensors["steady"].said)
        judge.commanded(sum(n for name, n in self._done.items() if name.startswith("reload")))
        self._also(verdict, stopped)
        return verdict

    def _calm(self) -> None:
        """Everything works again, nothing new comes, and everything was delivered."""
        rig = self._rig
        rig.heal()
        if rig.fell_over():
            self._look_after()
        for sensor in rig.sensors.values():
            sensor.stop()
        rig.await_daemon()
        wait_for(lambda: not any(rig.depths().values()), _DRAIN_S, "an empty outbox")
        rig.daemon.wait_post("sink.plant", "ok", 60)

    def _retained(self, root: str) -> dict[str, bytes]:
        wanted = sum(map(len, RULES.values()))
        fresh = Subscriber(self._rig.broker, f"{root}/state/+", client_id="fresh")
        try:
            seen = fresh.wait_for(lambda m: len({one.topic for one in m}) >= wanted, 30)
        finally:
            fresh.close()
        return {one.topic.rpartition("/")[2]: one.payload for one in seen}

    def _all_seen(self) -> bool:
        newest, streams = self._rig.ledger.newest, self._rig.witness.streams
        return all(stream.highest >= newest for stream in streams.values())

    def _also(self, verdict: Verdict, stopped: int) -> None:
        rig, plan = self._rig, self._plan
        for text in self._fell:
            verdict.complain(text)
        if stopped != 0:
            verdict.complain(f"the ordered stop gave exit code {stopped}")
        for name, status in rig.witness.status.items():
            if status != b"offline":
                verdict.complain(f"{name}: status is {status!r} after the ordered stop")
        verdict.figures = {
            "storm": f"{plan.minutes:g} minutes, {plan.rate:g} decisions/s, seed {plan.seed}",
            "decisions committed": rig.ledger.newest,
            "faults": sum(self._done.values()),
            "by kind": dict(self._done),
            "sinks": ", ".join(SINKS),
            **verdict.figures,
            "largest RSS, MB": round(self._rss_mb, 1),
        }
