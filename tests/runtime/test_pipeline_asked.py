"""A pipeline that is asked by triggers, as the loop that it is: real mailboxes, a real outbox, the machine's clock."""

from __future__ import annotations

from dataclasses import replace

from edgeinfer.clock import SourceStamp, SystemClock
from edgeinfer.errors import InferenceLost
from edgeinfer.events import Lost, Trigger
from edgeinfer.ports import RulePlace
from edgeinfer.rules.threshold import Threshold
from edgeinfer.runtime.edges import Edge
from edgeinfer.runtime.judging import Brief
from edgeinfer.runtime.triggers import Asking as AskedBy
from edgeinfer.runtime.triggers import TriggeredJudge
from tests.samples import frame
from tests.waiting import wait_for


class Asking:
    """A pipeline that a trigger of the source `line` asks, on a machine's real clock."""

    def __init__(self, house, deadline_s, rules, script=None):
        self.house, self.clock = house, SystemClock()
        self.cam, self.line = SourceStamp("cam", self.clock), SourceStamp("line", self.clock)
        brief = Brief("line", lambda _: rules(), ("cam", "line"))
        meters = house.health.post("pipeline.line").meters
        if script:
            house.scripts.append(script)
        judge = TriggeredJudge(brief, AskedBy(Edge("line"), round(deadline_s * 1e9)), meters)
        self.post = house.pipeline({"cam": "newest", "line": "queue"}, judge=lambda: judge)

    def trigger(self):
        self.house.hub.offer("line", Trigger(*self.line()))

    def picture(self):
        self.house.hub.offer("cam", replace(frame(0), at=self.clock.now()))

    def answers(self):
        return [entry.decision for entry in self.house.kept()]


def bright():
    return {"echo": Threshold(Threshold.Options(value="bright", on_above=0.4), RulePlace("line", "echo"))}


def test_a_trigger_is_answered_by_the_next_picture(house):
    asking = Asking(house, 30.0, bright)
    asking.trigger()
    asking.picture()
    wait_for(asking.answers)
    assert [d.state for d in asking.answers()] == ["on"]


def test_a_trigger_without_a_picture_is_answered_when_its_time_is_over(house):
    asking = Asking(house, 0.05, bright)
    asking.trigger()
    wait_for(asking.answers)
    assert [d.state for d in asking.answers()] == ["unknown"]
    assert asking.answers()[0].details["reason"] == "no picture within 50 ms"


def test_a_model_that_fails_is_an_answer_and_the_next_trigger_is_judged_by_a_fresh_one(house):
    asking = Asking(house, 30.0, bright, [InferenceLost("the device is unplugged")])
    asking.trigger()
    asking.picture()
    wait_for(asking.answers)
    assert [(d.state, d.details["reason"]) for d in asking.answers()] == [
        ("unknown", "the device is unplugged")
    ]
    wait_for(lambda: len(house.models) == 2)
    asking.trigger()
    asking.picture()
    wait_for(lambda: len(asking.answers()) == 2)
    assert asking.answers()[-1].state == "on"


def test_a_camera_that_is_lost_after_the_trigger_is_an_answer(house):
    asking = Asking(house, 30.0, bright)
    asking.trigger()
    house.hub.offer("cam", Lost(*asking.cam(), "unplugged"))
    wait_for(asking.answers)
    assert asking.answers()[0].details["reason"] == "cam is lost: unplugged"


def test_pictures_that_nobody_asks_about_cost_no_inference(house):
    asking = Asking(house, 30.0, bright)
    for _ in range(5):
        asking.picture()
    asking.trigger()
    asking.picture()
    wait_for(asking.answers)
    assert [m.frames for m in house.models] == [1]


def test_whoever_waits_when_the_pipeline_stops_is_told(house):
    asking = Asking(house, 30.0, bright)
    asking.trigger()
    wait_for(lambda: house.health.post("pipeline.line").meters.counters.get("triggers"))
    asking.post.stop(3)
    assert [(d.state, d.details["reason"]) for d in asking.answers()] == [("unknown", "stopped")]
