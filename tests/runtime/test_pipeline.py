from __future__ import annotations

import os
import threading
from dataclasses import replace

from edgeinfer.clock import SystemClock
from edgeinfer.errors import InferenceLost
from edgeinfer.events import Detection, Inference, Lost, Tick
from edgeinfer.geometry import Box
from edgeinfer.runtime.intake import Limits
from edgeinfer.testing.engine import FakePredictor
from edgeinfer.tracking.identities import Identities
from edgeinfer.tracking.tracker import TrackOptions
from tests.runtime.house import Echo, seen
from tests.samples import frame, lost, readings
from tests.waiting import wait_for

S = 1_000_000_000


class Watcher:
    """A rule that notes whom it saw."""

    def __init__(self):
        self.tracks = []

    def observe(self, seen):
        if isinstance(seen, Inference):
            self.tracks += [f.track for f in seen.findings]
        return ()


class Keeper:
    """A rule that keeps all that it sees and says nothing."""

    def __init__(self):
        self.seen = []

    def observe(self, seen):
        self.seen.append(seen)
        return ()


def test_a_picture_becomes_a_decision_with_its_envelope(house):
    house.pipeline({"cam": "newest"})
    house.hub.offer("cam", frame(255))
    wait_for(house.kept)
    [entry] = house.kept()
    assert (entry.seq, entry.decision.state, entry.decision.key) == (1, 0.5, ("cam", 255))
    assert (entry.model, entry.config, entry.device) == ("toy@sha256:0", "sha256:c", "dev")
    assert house.states.all()[0].decision.state == 0.5
    assert house.health.snapshot()["posts"]["pipeline.line"]["runtime"] == "fake"


def test_rules_see_findings_never_pixels(house):
    house.pipeline({"cam": "newest"})
    house.hub.offer("cam", frame(1))
    house.hub.offer("cam", lost(2))
    wait_for(lambda: len(house.kept()) == 2)
    assert [type(s) for s in house.rule.seen] == [Inference, Lost]


def test_a_model_forgets_a_source_that_is_lost(house):
    house.pipeline({"cam": "newest"})
    house.hub.offer("cam", frame(1))
    house.hub.offer("cam", lost(2))
    wait_for(lambda: len(house.kept()) == 2)
    assert house.models[0].forgotten == ["cam"]


def test_findings_get_their_track_before_the_rules_and_a_lost_source_ends_it(house):
    part = [Detection("part", 0.9, Box(0.4, 0.4, 0.6, 0.6))]
    house.scripts, rule = [[part]], Watcher()
    house.pipeline({"cam": "queue"}, rule=rule, identify=lambda: Identities(TrackOptions(hits=1)))
    for sample in (frame(1), frame(2), lost(3), frame(4)):
        house.hub.offer("cam", sample)
    wait_for(lambda: len(rule.tracks) == 3)
    assert rule.tracks == [1, 1, 2]
    assert house.health.snapshot()["posts"]["pipeline.line"]["latency_ms"]["track"]["n"] == 3


def test_who_takes_its_decisions_learns_how_far_it_has_come_and_when_it_ends(house):
    behind = Keeper()
    post = house.pipeline({"rule:echo": "lockstep"}, open_=None, rule=behind, name="behind")
    house.pipeline({"cam": "lockstep"}, gives=("echo",))
    for sample in (frame(1), readings(2, "cam"), frame(3)):
        house.hub.offer("cam", sample)
    house.hub.end("cam")
    wait_for(lambda: post.ended)
    assert [(type(s).__name__, s.at.mono_ns // S) for s in behind.seen] == [
        ("Decision", 1),
        ("Tick", 1),
        ("Tick", 2),
        ("Decision", 3),
        ("Tick", 3),
    ]


def test_in_lockstep_two_that_decide_are_merged_by_time_however_fast_they_are(house):
    behind = Keeper()
    post = house.pipeline(
        {"rule:a": "lockstep", "rule:b": "lockstep"}, open_=None, rule=behind, name="behind"
    )
    house.pipeline({"one": "lockstep"}, rule=Echo("a"), name="first", gives=("a",))
    house.pipeline({"two": "lockstep"}, rule=Echo("b"), name="second", gives=("b",))
    for s in (1, 3, 5):
        house.hub.offer("one", frame(s, "one"))
    house.hub.end("one")
    for s in (2, 4):
        house.hub.offer("two", frame(s, "two"))
    house.hub.end("two")
    wait_for(lambda: post.ended)
    moments = [s.at.mono_ns // S for s in behind.seen]
    assert moments == sorted(moments) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_pipeline_may_feed_two_inputs_of_another_and_tell_more_of_one_than_of_the_other(house):
    behind = Keeper()
    post = house.pipeline(
        {"rule:quiet": "lockstep", "rule:a": "lockstep"}, open_=None, rule=behind, name="behind"
    )
    house.pipeline({"cam": "lockstep"}, rule=Echo("a"), gives=("quiet", "a"))
    for s in range(20):
        house.hub.offer("cam", frame(s))
    house.hub.end("cam")
    wait_for(lambda: post.ended)
    assert len(behind.seen) == 3 * 20  # a decision, and a tick for each of the two


def test_a_picture_is_a_tick_to_the_rules_of_a_pipeline_without_a_model(house):
    house.pipeline({"cam": "queue"}, open_=None)
    house.hub.offer("cam", frame(5))
    wait_for(lambda: house.rule.seen)
    assert house.rule.seen == [Tick(("cam", 5), frame(5).at)]


def test_readings_reach_the_rules_of_a_pipeline_without_a_model(house):
    house.pipeline({"motor": "queue"}, open_=None)
    sample = readings(1)
    house.hub.offer("motor", sample)
    wait_for(lambda: house.rule.seen)
    assert house.rule.seen[0] is sample


def test_a_lost_model_makes_the_rules_unknown_and_is_opened_again(house):
    house.scripts = [[seen(0.1), InferenceLost("the chip is gone")], [seen(0.2)]]
    house.pipeline({"cam": "queue"})
    for n in (5, 13, 6):
        house.hub.offer("cam", frame(n))
    wait_for(lambda: len(house.kept()) == 3)
    states = [entry.decision.state for entry in house.kept()]
    assert states == [0.1, "unknown", 0.2]
    assert house.kept()[1].decision.details["reason"] == "the chip is gone"
    assert [model.closed for model in house.models] == [True, False]


def test_stopping_makes_the_states_unknown_at_the_moment_of_the_last_sample(house):
    post = house.pipeline({"cam": "newest"})
    house.hub.offer("cam", frame(7))
    wait_for(house.kept)
    assert post.stop(3)
    last = house.kept()[-1].decision
    assert (last.state, last.details["reason"], last.at) == ("unknown", "stopped", frame(7).at)


def test_the_end_of_input_ends_it_and_leaves_the_states(house):
    post = house.pipeline({"cam": "lockstep"})
    house.hub.offer("cam", frame(7))
    house.hub.end("cam")
    wait_for(lambda: post.ended)
    assert [entry.decision.state for entry in house.kept()] == [0.5]


def test_decisions_of_a_rule_are_observations_of_another_pipeline(house):
    after = Echo("after")
    house.pipeline({"rule:echo": "queue"}, open_=None, rule=after, name="after")
    house.pipeline({"cam": "newest"})
    house.hub.offer("cam", frame(9))
    wait_for(lambda: len(house.kept()) == 2)
    assert [(e.decision.pipeline, e.decision.subject) for e in house.kept()] == [
        ("line", "cam"),
        ("after", "echo"),
    ]


def test_a_bug_in_a_rule_is_fatal_not_silent(house):
    class Broken:
        def observe(self, seen):
            raise ZeroDivisionError

    house.pipeline({"cam": "newest"}, rule=Broken())
    house.hub.offer("cam", frame(1))
    wait_for(lambda: house.errors)
    assert isinstance(house.errors[0], ZeroDivisionError)


def test_a_pipeline_makes_steps_until_one_takes_too_long(house):
    post = house.pipeline({"cam": "newest"})
    wait_for(lambda: house.health.post("pipeline.line").condition == "ok")
    assert post.steps(post._loop.beat_ns + 9 * S)
    assert not post.steps(post._loop.beat_ns + 11 * S)


def now(n: int, ago_s: float = 0.0):
    return replace(frame(n), at=SystemClock().now().later(round(-ago_s * 1e9)))


def test_health_tells_each_stage_and_how_often_the_deadline_was_kept(house):
    house.pipeline({"cam": "queue"}, limits=Limits(deadline_ms=60_000, max_age_ms=3_600_000))
    house.hub.offer("cam", now(0))
    house.hub.offer("cam", now(1, ago_s=100))
    wait_for(lambda: len(house.kept()) == 2)
    wait_for(lambda: "late" in house.health.post("pipeline.line").meters.counters)
    told = house.health.snapshot()["posts"]["pipeline.line"]
    assert (told["in_time"], told["late"], told["in_time_share"]) == (1, 1, 0.5)
    assert set(told["latency_ms"]) == {"wait", "prepare", "invoke", "decode", "rules", "outbox", "total"}
    assert told["latency_ms"]["total"]["max"] >= 100_000


def test_a_picture_that_has_missed_its_deadline_is_not_computed(house):
    house.pipeline({"cam": "queue"}, limits=Limits(deadline_ms=50_000))
    house.hub.offer("cam", now(0, ago_s=51))
    house.hub.offer("cam", now(1))
    wait_for(house.kept)
    wait_for(lambda: house.health.post("pipeline.line").meters.counters.get("too_old") == 1)
    assert house.models[0].frames == 1


def test_a_less_urgent_pipeline_gives_way_on_the_cpu_and_no_other_thread_does(house):
    nices, own = [], os.getpriority(os.PRIO_PROCESS, 0)

    def open_():
        nices.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return FakePredictor([seen(0.5)], "toy@sha256:0")

    house.pipeline({"cam": "newest"}, open_=open_, limits=Limits(priority=2))
    wait_for(lambda: nices)
    assert nices == [own + 6]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_one_pipeline_that_is_flooded_does_not_starve_another(house):
    other = Echo("calm")
    house.pipeline({"cam": "newest"})
    house.pipeline({"belt": "newest"}, rule=other, name="calm")
    for n in range(2000):
        house.hub.offer("cam", frame(n))
        if n % 100 == 0:
            house.hub.offer("belt", frame(n, "belt"))
            wait_for(lambda n=n: other.seen and other.seen[-1].key[1] == n)
    assert len(other.seen) == 20
