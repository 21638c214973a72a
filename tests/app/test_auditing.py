from __future__ import annotations

import json
from hashlib import sha256

import pytest

from edgeinfer.app.account import Account
from edgeinfer.app.auditing import Auditing
from edgeinfer.app.blueprint import draw
from edgeinfer.app.flashes import JOURNAL, Flashes
from edgeinfer.audit import verify
from edgeinfer.audit.files import readable
from edgeinfer.config import loads
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.testing.clock import FakeClock
from firmware_bridge.flash.journal import Journal
from tests.runtime.decisions import Board, decided
from tests.waiting import wait_for

CONFIG = """
device = "press-07"
[source.motor]
kind = "synthetic"
[rule.hot]
kind = "threshold"
value = "temp"
on_above = 80.0
[pipeline.watch]
source = "motor"
rules = ["hot"]
[sink.out]
kind = "console"
"""


class House:
    """A daemon's outbox and audit, without a daemon."""

    def __init__(self, folder) -> None:
        self.folder, self.clock = folder, FakeClock()
        self.health = Health(self.clock)
        self.blueprint = draw(loads(CONFIG, "c.toml"))

    def open(self) -> House:
        self.audit = Auditing(self.folder, self.clock, self.health, lambda *_: None, 500_000)
        self.outbox = Outbox(
            self.folder / "outbox.sqlite", "press-07", self.clock, report=Board(), heed=self.audit.heed
        )
        self.audit.begun("0.1.0", self.blueprint, self.outbox)
        return self

    def decide(self, count: int) -> list[str]:
        entries = [self.outbox.append([decided(self.clock, self.outbox.newest + 1)])[0] for _ in range(count)]
        return [entry.id for entry in entries]

    def die(self) -> None:
        """As far as the audit is concerned: nothing is said any more."""
        self.outbox.close()

    def end(self, code: int = 0, why: str = "") -> None:
        self.audit.ended(code, why)
        self.outbox.close()

    def lines(self, kind: str) -> list[dict]:
        return [dict(line.facts) for line in readable(self.folder / "audit") if line.kind == kind]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def hash_of(ids: list[str]) -> str:
    return sha256("".join(f"{id_}\n" for id_ in ids).encode()).hexdigest()


def test_a_start_says_what_runs_and_how_the_run_before_it_ended(house):
    house.open().end()
    house.open().die()
    house.open().end(1, "pipeline.watch: oops")
    house.clock.boot = "another1"
    house.open().die()
    house.clock.boot = "yetother"
    house.open().end()
    starts = house.lines("start")
    assert [start["before"] for start in starts] == [
        "first",
        "stopped",
        "died",
        "stopped",
        "died with the machine",
    ]
    assert starts[0]["config"] == house.blueprint.config.digest
    assert starts[0]["version"] == "0.1.0"
    assert house.lines("stop")[1] == {"exit_code": 1, "why": "pipeline.watch: oops"}
    assert verify(house.folder / "audit").whole


def test_a_run_whose_start_was_dropped_long_ago_died_all_the_same(house):
    house.open()
    for n in range(200):
        house.audit.log.write("command", k=n, text="x" * 15_000)
    house.die()
    assert house.open().lines("start")[-1]["before"] == "died"
    house.end()


def test_decisions_are_told_in_batches_with_one_hash_over_their_ids(house):
    house.open()
    ids = house.decide(5)
    house.end()
    [batch] = house.lines("decisions")
    assert batch == {"first": 1, "last": 5, "count": 5, "ids_sha256": hash_of(ids)}


def test_what_a_daemon_that_died_had_not_told_is_told_at_the_next_start(house):
    house.open().decide(2)
    house.end()
    house.open()
    ids = house.decide(3)
    house.die()
    house.open().end()
    assert house.lines("decisions")[-1] == {
        "first": 3, "last": 5, "count": 3, "ids_sha256": hash_of(ids), "late": True,
    }  # fmt: skip


def test_the_head_stands_in_health(house):
    house.open()
    assert house.health.snapshot()["posts"]["audit"]["head"] == house.audit.log.head
    house.end()


def test_a_device_that_decides_nothing_writes_nothing(house):
    house.open()
    n = house.audit.log.n
    for _ in range(10):
        house.audit._batch()
    assert house.audit.log.n == n
    house.end()


def test_an_account_that_was_closed_begins_anew():
    assert Account().close() == {}


def flashed(folder, job: str, *steps: tuple[str, str]) -> None:
    for step, result in steps:
        Journal(folder / "firmware").write(
            job, "/dev/ttyACM0", step, result, who="anna@line3", what="motor 2.1.0"
        )


def test_flashes_of_another_process_are_told_each_once(tmp_path):
    flashes = Flashes(tmp_path)
    assert list(flashes.fresh()) == []
    flashed(tmp_path, "a1", ("check", "done"), ("write", "begun"))
    [(kind, begun)] = flashes.fresh()
    assert (kind, begun["result"], begun["who"]) == ("flash", "begun", "anna@line3")
    flashed(tmp_path, "a1", ("write", "done"), ("verdict", "flashed"))
    [(_, ended)] = flashes.fresh()
    assert (ended["job"], ended["result"], ended["what"]) == ("a1", "flashed", "motor 2.1.0")
    assert ended["sha256"] == sha256((tmp_path / JOURNAL).read_bytes()).hexdigest()
    assert list(flashes.fresh()) == []
    assert list(Flashes(tmp_path, flashes.told).fresh()) == []


def test_a_flash_log_that_became_shorter_is_told(tmp_path):
    flashes = Flashes(tmp_path)
    flashed(tmp_path, "a1", ("check", "done"), ("verdict", "flashed"))
    assert len(list(flashes.fresh())) == 2
    (tmp_path / JOURNAL).write_text(json.dumps({"job": "b", "step": "check"}) + "\n")
    assert [kind for kind, _ in flashes.fresh()] == ["flash-log-cut", "flash"]


def test_the_post_tells_flashes_while_it_runs_and_after_a_restart_not_again(house):
    house.open().audit.start()
    flashed(house.folder, "a1", ("check", "done"), ("verdict", "flashed"))
    wait_for(lambda: len(house.lines("flash")) == 2, 10)
    assert house.audit.stop(5)
    house.end()
    house.open().audit.start()
    flashed(house.folder, "b2", ("check", "done"))
    wait_for(lambda: len(house.lines("flash")) == 3, 10)
    assert house.audit.stop(5)
    house.end()
    assert [line["job"] for line in house.lines("flash")] == ["a1", "a1", "b2"]
