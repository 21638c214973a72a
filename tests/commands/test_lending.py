"""A running daemon's port: lent to a flasher, returned by it, or taken back when the lease runs out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edgeinfer.app.lending import Lending
from edgeinfer.commands.table import Lend, Return
from edgeinfer.errors import InputError
from edgeinfer.events import Lost
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.mailbox import Hub, Inbox
from edgeinfer.testing.clock import FakeClock


@dataclass
class Options:
    port: str
    node: str = ""


@dataclass
class Serial:
    options: Options


class House:
    def __init__(self, tmp_path):
        self.port = str(tmp_path / "port")
        self.clock, self.plans = FakeClock(), []
        self.health, self.hub = Health(self.clock), Hub()
        self.inbox = Inbox({"motor": "queue", "other": "queue"})
        self.hub.subscribe(self.inbox)
        self.sources = {"motor": Serial(Options(self.port)), "other": Serial(Options("elsewhere"))}
        self.found = {}
        self.lending = Lending(
            lambda: self.sources,
            lambda: self.plans.append(self.lending.resting()),
            lambda work: work(),
            self.clock,
            self.health,
            self.hub,
            self.found,
        )


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_the_source_on_the_port_rests_and_its_rules_hear_why(house):
    assert house.lending.lend(Lend(house.port, "a flasher"))["sources"] == ["motor"]
    assert house.plans == [{"motor"}]
    lost = house.inbox.take(1)
    assert isinstance(lost, Lost)
    assert "lent to a flasher" in lost.reason
    assert "lent" in house.health.degraded()["source.motor"]


def test_a_source_that_found_its_port_by_itself_rests_when_it_is_that_one(house, tmp_path):
    house.sources["press"] = Serial(Options("", "press-vibration"))
    house.found["press"] = str(tmp_path / "found")
    assert house.lending.lend(Lend(house.port, "a flasher"))["sources"] == ["motor"]
    assert house.lending.lend(Lend(house.found["press"], "a flasher"))["sources"] == ["press"]


def test_a_returned_port_starts_its_source_again(house):
    house.lending.lend(Lend(house.port, "a flasher"))
    house.lending.take_back(Return(house.port))
    assert house.plans[-1] == frozenset()
    assert not house.health.degraded()


def test_a_lease_that_runs_out_ends_the_loan_by_itself(house):
    house.lending.lend(Lend(house.port, "a flasher", lease_s=5))
    now_ns = house.clock.now().mono_ns
    house.lending.watch(now_ns + 4_000_000_000)
    assert house.lending.resting() == {"motor"}
    house.clock.advance(6.0)
    house.lending.watch(house.clock.now().mono_ns)
    assert house.lending.resting() == frozenset()


def test_a_renewed_lease_does_not_stop_the_source_again(house):
    house.lending.lend(Lend(house.port, "a flasher"))
    house.lending.lend(Lend(house.port, "a flasher"))
    assert len(house.plans) == 1


def test_a_lease_without_end_is_refused(house):
    with pytest.raises(InputError, match="lease_s"):
        house.lending.lend(Lend(house.port, "a flasher", lease_s=1e9))


def test_a_source_that_looks_for_its_node_on_all_ports_rests_until_the_port_is_back(house):
    house.sources["searching"] = Serial(Options("", "press-vibration"))
    house.health.mark("source.searching", "degraded", "no such node")
    assert house.lending.lend(Lend(house.port, "a flasher"))["sources"] == ["motor", "searching"]


def test_a_source_that_has_found_its_node_elsewhere_goes_on(house):
    house.sources["found"] = Serial(Options("", "press-vibration"))
    house.health.mark("source.found", "ok")
    assert house.lending.lend(Lend(house.port, "a flasher"))["sources"] == ["motor"]
