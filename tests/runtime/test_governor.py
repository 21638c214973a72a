from __future__ import annotations

import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.runtime.governor import Governor
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.intake import Limits
from edgeinfer.runtime.mailbox import Hub, Inbox
from tests.samples import frame
from tests.waiting import wait_for


class House:
    def __init__(self):
        self.reason, self.hub, self.health, self.errors = None, Hub(), Health(SystemClock()), []
        self.inboxes = {
            name: Inbox({name: flow}, Limits(priority=priority))
            for name, flow, priority in (("low", "queue", 2), ("high", "queue", 7), ("file", "lockstep", 2))
        }
        for inbox in self.inboxes.values():
            self.hub.subscribe(inbox)
        self.governor = Governor(
            lambda: self.reason, self.hub, self.health, lambda *e: self.errors.append(e), look_s=0.01
        )

    def look(self, reason, times=1):
        self.reason = reason
        for _ in range(times):
            self.governor.look()

    def passes(self, name):
        inbox = self.inboxes[name]
        for n in range(8):
            inbox.offer(name, frame(n))
            if name == "file":
                assert inbox.take(0.0) is not None
        taken = 0
        while inbox.take(0.0) is not None:
            taken += 1
        return 8 if name == "file" else taken


@pytest.fixture
def house():
    return House()


def test_the_least_urgent_gives_way_first_by_halves_then_the_next(house):
    seen = []
    for _ in range(7):
        house.look("82 °C")
        seen.append((house.passes("low"), house.passes("high")))
    assert seen == [(4, 8), (2, 8), (1, 8), (1, 4), (1, 2), (1, 1), (1, 1)]


def test_nothing_of_a_file_is_thinned_out(house):
    house.look("82 °C", times=3)
    assert house.passes("file") == 8


def test_it_is_said_and_taken_back(house):
    house.look("82 °C")
    assert house.health.degraded() == {"board": "the board throttles (82 °C): 1 picture of 2 at priority 2"}
    house.look(None, times=5)
    assert "a moment ago" in house.health.degraded()["board"]
    house.look(None)
    assert house.health.degraded() == {}
    assert house.passes("low") == 8


def test_one_step_back_for_half_a_minute_of_calm_and_no_flapping(house):
    house.look("82 °C", times=2)
    house.look(None, times=5)
    house.look("82 °C")
    assert house.passes("low") == 1


def test_a_pipeline_that_comes_later_gives_way_too(house):
    house.look("82 °C", times=2)
    late = Inbox({"late": "queue"}, Limits(priority=2))
    house.hub.subscribe(late)
    house.inboxes["late"] = late
    house.look("82 °C")
    assert house.passes("late") == 1


def test_it_looks_by_itself(house):
    house.reason = "82 °C"
    house.governor.start()
    wait_for(house.health.degraded)
    assert house.governor.stop(2)
    assert not house.errors
