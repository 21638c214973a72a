"""A pipeline takes samples from its inbox, thinks, and commits what its rules decide to the outbox."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from edgeinfer.errors import InferenceLost
from edgeinfer.events import Decision, Frame, Inference, Instant, Lost, Observation, Readings, Tick
from edgeinfer.measures import Measures
from edgeinfer.ports import Identifier, Predictor, ReadingsPredictor, Rule
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.judging import Brief, Judge
from edgeinfer.runtime.loop import Fatal, Loop
from edgeinfer.runtime.mailbox import Hub, Inbox, Item
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.taps import Account, Taps

_STEP_BOUND_S = 10.0  # a step that takes longer is stuck: systemd is no longer told that all is well
_PAST_S = 0.0005  # a little later than a deadline, so that it is over then
_OPEN_BOUND_S = 60.0  # loading a model from a slow card


@dataclass(frozen=True)
class Line:
    """What a pipeline is made of: `open` loads the model (None without one), `rules` makes them anew.

    `identify` makes what numbers the model's findings before the rules see them (None: nothing does). `gives` are the
    names of the rules: who takes their decisions as input learns with each step how far this pipeline has come. `judge`
    is needed where a trigger, a context or recipes have a say; it asks for rules itself. `measure` is asked about
    each sample that the model looks at, where a rule wants to know.
    """

    name: str
    inbox: Inbox
    open: Callable[[], Predictor | ReadingsPredictor] | None
    rules: Callable[[], Sequence[Rule]]
    config: str  # identity of this pipeline's part of the config and of all it depends on
    identify: Callable[[], Identifier] | None = None
    gives: Sequence[str] = ()
    why_stopped: Callable[[], str] = lambda: "stopped"
    judge: Callable[[], Judge] | None = None
    measure: Callable[[Frame | Readings], Measures] | None = None

    def make_judge(self) -> Judge:
        """Who asks the rules, and when."""
        if self.judge is not None:
            return self.judge()
        return Judge(Brief(self.name, lambda _: {str(n): rule for n, rule in enumerate(self.rules())}))


@dataclass(frozen=True)
class Commit:
    """Where decisions go: to the outbox, and to the last states."""

    outbox: Outbox
    states: States

    def __call__(
        self, decisions: Sequence[Decision], model: str, config: str, seen: Sequence[Observation]
    ) -> Account:
        before = {entry.decision.rule: entry.decision.state for entry in self.states.all()}
        entries = self.outbox.append(decisions, model, config)
        self.states.update(entries)
        return Account(entries, seen, before)


class Pipeline:
    """The post of one line."""

    def __init__(
        self, line: Line, commit: Commit, hub: Hub, taps: Taps, health: Health, fatal: Fatal
    ) -> None:
        self.post = f"pipeline.{line.name}"
        self._line, self._commit, self._hub, self._taps = line, commit, hub, taps
        self._health = health
        self._meters = health.post(self.post).meters
        self._opening = False
        self._told = ("", "")
        self._loop = Loop(self.post, self._run, health, fatal)
        self._judge = line.make_judge()
        self._predictor: Predictor | None = None
        self._reader: ReadingsPredictor | None = None
        self._identifier: Identifier | None = None
        self._last: tuple[str, Instant] | None = None
        hub.subscribe(line.inbox)

    def start(self) -> None:
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        self._loop.stop.set()
        self._line.inbox.close()
        done = self._loop.join(timeout_s)
        self._hub.leave(self._line.inbox)
        return done

    def watch(self, now_ns: int) -> None:
        """Nothing to do: a pipeline that is stuck is systemd's matter (see `steps`)."""

    def steps(self, now_ns: int) -> bool:
        """Whether this pipeline makes steps; it wakes each second even when nothing comes."""
        return self._loop.age_s(now_ns) < (_OPEN_BOUND_S if self._opening else _STEP_BOUND_S)

    @property
    def ended(self) -> bool:
        return self._loop.done.is_set()

    def _run(self, loop: Loop) -> None:
        self._opening = True
        _give_way(self._line.inbox.limits.nice)
        self._judge.begin()
        self._identifier = self._line.identify() if self._line.identify else None
        model = self._line.open() if self._line.open else None
        self._reader = model if isinstance(model, ReadingsPredictor) else None
        self._predictor = None if isinstance(model, ReadingsPredictor) else model
        loop.beat()
        self._opening = False
        if model:
            self._health.post(self.post).facts["model"] = model.identity
            self._tell(model)
        if self._reader is None:  # of readings nobody knows yet whether they are the model's
            loop.well()
        try:
            self._take_all(loop, model)
        except InferenceLost as error:
            self._forget(str(error))
            raise
        finally:
            if model:
                model.close()
        if loop.stop.is_set():
            self._forget(self._line.why_stopped())
        else:
            self._decide(self._judge.end())
            self._health.mark(self.post, "ended", "end of input")
            for rule in self._line.gives:
                self._hub.end(f"rule:{rule}")

    def _tell(self, model: Predictor | ReadingsPredictor) -> None:
        """An accelerator may go and come while we run: health says at each step what runs the model now."""
        runtime, warning = self._told = model.runtime, model.warning
        self._health.post(self.post).facts["runtime"] = runtime
        self._health.reporter(self.post)("model", warning or None)

    def _take_all(self, loop: Loop, model: Predictor | ReadingsPredictor | None) -> None:
        inbox = self._line.inbox
        while not loop.stop.is_set():
            item = inbox.take(self._patience_s())
            loop.beat()
            if model and (model.runtime, model.warning) != self._told:
                self._tell(model)
            if item is not None:
                self._step(item, loop)
                self._meters.counters["dropped"] = inbox.dropped
                self._meters.counters.update(inbox.skipped)
            elif inbox.ended:
                return
            elif (now_ns := self._now_ns()) is not None:
                self._decide(self._judge.overdue(now_ns))

    def _patience_s(self) -> float:
        """Until somebody waits for an answer no longer, at most a second."""
        due_ns, now_ns = self._judge.due_ns(), self._now_ns()
        if due_ns is None or now_ns is None:
            return 1.0
        return min(max((due_ns - now_ns) / 1e9, 0.0) + _PAST_S, 1.0)

    def _now_ns(self) -> int | None:
        """None where time is that of what is replayed."""
        return time.monotonic_ns() if self._line.inbox.live else None

    def _step(self, item: Item, loop: Loop) -> None:
        source = item.key[0] if not isinstance(item, Decision) else f"rule:{item.rule}"
        self._last = (source, item.at)
        admitted = self._judge.admit(item, self._now_ns())
        self._decide(admitted.decisions)
        if admitted.anew:
            self._look_anew()
        if admitted.look is not None and (seen := self._see(admitted.look)):
            self._conclude(seen, loop)
        self._pass_on(Tick(item.key, item.at))

    def _look_anew(self) -> None:
        """A model that looks several times (see ports) begins with the next picture."""
        if self._predictor is not None and hasattr(self._predictor, "undecided"):
            for source in self._line.inbox.boxes:
                self._predictor.forget(source)

    def _conclude(self, seen: Sequence[Observation], loop: Loop) -> None:
        if self._reader is not None and isinstance(seen[0], Inference):
            loop.well()
        started = time.perf_counter_ns()
        unsure = getattr(self._predictor, "undecided", False)
        decisions = self._judge.of(seen, self._now_ns(), unsure=unsure)
        self._meters.record("rules", time.perf_counter_ns() - started)
        self._decide(decisions, seen)
        if self._line.inbox.live:
            self._keep_account(seen)

    def _pass_on(self, tick: Tick) -> None:
        """Whoever waits for decisions of ours learns that there are no more up to this moment."""
        for rule in self._line.gives:
            self._hub.offer(f"rule:{rule}", tick, self._loop.stop)

    def _keep_account(self, seen: Sequence[Observation]) -> None:
        """From capture to what the rules said of it, and whether that was within `deadline_ms`."""
        now_ns, deadline_ms = time.monotonic_ns(), self._line.inbox.limits.deadline_ms
        for one in seen:
            if not isinstance(one, Inference):
                continue
            age_ns = now_ns - one.at.mono_ns
            self._meters.record("total", age_ns)
            if deadline_ms:
                self._meters.count("in_time" if age_ns <= deadline_ms * 1e6 else "late")
        counters = self._meters.counters
        if judged := counters.get("in_time", 0) + counters.get("late", 0):
            self._meters.gauges["in_time_share"] = round(counters.get("in_time", 0) / judged, 4)

    def _see(self, item: Item) -> Sequence[Observation]:
        """What the model takes becomes what it saw; the rest goes to the rules as it is."""
        if isinstance(item, Frame):
            if self._predictor is None:
                return (Tick(item.key, item.at),)  # nobody looks at it: time goes by
            self._meters.count("frames")
            self._meters.record("wait", self._line.inbox.waited_ns)
            return self._seen(self._measured(item, (self._predictor.predict(item),)))
        if self._reader is not None and isinstance(item, Readings):
            self._meters.count("rows", len(item.values))
            self._meters.record("wait", self._line.inbox.waited_ns)
            return self._seen(self._measured(item, self._reader.read(item)))
        model = self._predictor or self._reader
        if model is not None and isinstance(item, Lost):
            model.forget(item.key[0])
        if self._identifier is not None and isinstance(item, Lost):
            self._identifier.forget(item.key[0])
        return (item,)

    def _measured(self, item: Frame | Readings, inferences: Sequence[Inference]) -> Sequence[Inference]:
        """A block of readings is told with the first window that it completes."""
        if self._line.measure is None or not inferences:
            return inferences
        started = time.perf_counter_ns()
        first = replace(inferences[0], measures=self._line.measure(item))
        self._meters.record("measure", time.perf_counter_ns() - started)
        return (first, *inferences[1:])

    def _seen(self, inferences: Sequence[Inference]) -> Sequence[Inference]:
        inferences = self._named(inferences)
        for inference in inferences:
            for stage, ns in inference.timings.items():
                self._meters.record(stage, ns)
            self._taps(self.post, inference)
        return inferences

    def _named(self, inferences: Sequence[Inference]) -> Sequence[Inference]:
        if self._identifier is None:
            return inferences
        started = time.perf_counter_ns()
        named = [self._identifier.name(inference) for inference in inferences]
        self._meters.record("track", time.perf_counter_ns() - started)
        return named

    def _decide(self, decisions: Sequence[Decision], seen: Sequence[Observation] = ()) -> None:
        if not decisions:
            return
        started = time.perf_counter_ns()
        predictor = self._predictor or self._reader
        model = predictor.identity if predictor else ""
        account = self._commit(decisions, model, self._line.config, seen)
        self._meters.record("outbox", time.perf_counter_ns() - started)
        self._meters.count("decisions", len(decisions))
        for decision in decisions:
            self._taps(self.post, decision)
            self._hub.offer(f"rule:{decision.rule}", decision, self._loop.stop)
        self._taps(self.post, account)

    def _forget(self, reason: str) -> None:
        """What the rules know no longer holds: each says so, at the moment of the last sample."""
        if self._last is None:
            return
        source, at = self._last
        lost = Lost((source, -1), at, reason)
        self._decide(self._judge.lose(lost), (lost,))


def _give_way(nice: int) -> None:
    """This thread, and those that a runtime starts from it, become so much nicer than the daemon is."""
    if nice:
        own = os.getpriority(os.PRIO_PROCESS, 0)  # of this thread: Linux counts threads one by one
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + nice, 19))
