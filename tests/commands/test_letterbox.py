from __future__ import annotations

import json

import pytest

from edgeinfer.commands.ledger import Ledger
from edgeinfer.commands.letterbox import Letterboxes, Office
from edgeinfer.commands.table import Commands, Health, Pause, Picture, Snapshot
from edgeinfer.errors import EdgeinferError
from edgeinfer.meters import Meters
from edgeinfer.ports import Heard
from edgeinfer.testing.clock import FakeClock
from edgeinfer.wire.times import iso
from tests.runtime.decisions import Board


class House:
    """A letterbox whose letters are opened when `work` is called."""

    def __init__(self, folder, allowed=("pause", "health", "snapshot")) -> None:
        self.folder, self.clock, self.meters = folder, FakeClock(), Meters()
        self.done: list[str] = []
        self.recorded: list[tuple] = []
        self.soon: list = []
        handlers = {Pause: self.pause, Health: lambda _: {"condition": "ok"}, Snapshot: self.snapshot}
        self.commands = Commands(handlers, lambda *said: self.recorded.append(said))
        self.board = Board()
        self.boxes = Letterboxes(self.office())
        self.box = self.boxes.box("sink.plant", "t", allowed)

    def office(self) -> Office:
        ledger = Ledger(self.folder, self.board)
        return Office("press-07", self.commands, ledger, self.clock, self.soon.append, self.meters)

    def pause(self, asked: Pause) -> dict:
        if asked.pipeline == "none":
            raise EdgeinferError("no pipeline 'none'")
        if asked.pipeline == "bug":
            raise RuntimeError("oops")
        self.done.append(asked.pipeline)
        return {"pipeline": asked.pipeline}

    def snapshot(self, asked: Snapshot) -> Picture:
        return Picture(asked.source, "2026", 4, 3, b"\xff\xd8\xff")

    def put(self, name: str, id_: str, *, valid_s: float = 60.0, beside=None, **args) -> None:
        expires = iso(self.clock.unix_ns + int(valid_s * 1e9))
        body = json.dumps({"id": id_, "expires": expires, "args": args}).encode()
        self.box.heard(Heard(f"t/command/{name}", body, **(beside or {})))

    def work(self) -> list[dict]:
        """The answers; pictures are left out."""
        while self.soon:
            self.soon.pop(0)()
        self.sent = self.box.outgoing()
        return [json.loads(m.payload) for m in self.sent if "/snapshot/" not in m.topic]

    def ask(self, name: str, id_: str, **said) -> dict:
        self.put(name, id_, **said)
        return self.work()[-1]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_nothing_is_done_in_the_thread_of_the_sink(house):
    house.put("pause", "a", pipeline="p")
    assert house.done == []
    assert house.work()[0]["outcome"] == "done"
    assert house.done == ["p"]


def test_an_answer_carries_what_the_asker_knows_it_by(house):
    house.ask(
        "pause", "a", pipeline="p", beside={"response_topic": "answers/room", "correlation": b"\x01\x02"}
    )
    [message] = house.sent
    assert (message.topic, message.correlation, message.user) == ("answers/room", b"\x01\x02", (("id", "a"),))
    assert message.seq is None
    assert not message.retain


def test_a_repeat_is_answered_with_the_first_outcome_also_where_that_was_a_failure(house):
    first = house.ask("pause", "a", pipeline="none")
    assert (first["outcome"], first["error"]) == ("failed", "no pipeline 'none'")
    again = house.ask("pause", "a", pipeline="none")
    assert (again["outcome"], again["repeated"]) == ("failed", True)
    assert len(house.recorded) == 1


def test_a_repeat_after_a_restart_is_not_done_again(house, tmp_path):
    house.ask("pause", "a", pipeline="p")
    house.box = Letterboxes(house.office()).box("sink.plant", "t", ("pause",))
    assert house.ask("pause", "a", pipeline="p")["repeated"]
    assert house.done == ["p"]


def test_the_same_id_for_something_else_is_refused(house):
    house.ask("pause", "a", pipeline="p")
    assert house.ask("pause", "a", pipeline="q")["reason"] == "id_taken"
    assert house.done == ["p"]


def test_what_changes_nothing_is_answered_anew(house):
    assert house.ask("health", "a")["result"] == {"condition": "ok"}
    assert "repeated" not in house.ask("health", "a")


def test_a_bug_in_a_handler_is_answered_and_the_next_command_is_done(house):
    assert "report this" in house.ask("pause", "a", pipeline="bug")["error"]
    assert house.ask("pause", "b", pipeline="p")["ok"]


def test_a_picture_goes_to_its_own_topic(house):
    said = house.ask("snapshot", "a", source="belt")
    assert said["result"]["topic"] == "t/snapshot/belt"
    assert "jpeg" not in said["result"]
    assert [(m.topic, m.payload, m.content_type) for m in house.sent if "/snapshot/" in m.topic] == [
        ("t/snapshot/belt", b"\xff\xd8\xff", "image/jpeg")
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("reload", "not_allowed"), ("lend", "unknown"), ("x" * 99, "unknown")]
)
def test_only_what_the_config_allows_is_done(house, name, reason):
    assert house.ask(name, "a")["reason"] == reason
    assert house.meters.counters[f"refused.{reason}"] == 1
    assert house.recorded[0][3] == "refused"


def test_arguments_that_do_not_fit_are_malformed(house):
    assert house.ask("pause", "a", pipline="p")["reason"] == "malformed"
    assert house.ask("pause", "a", pipeline="p")["ok"]  # the id is still free


def test_a_flood_is_answered_but_neither_done_nor_remembered(house):
    answers = []
    for n in range(60):
        house.put("pause", f"{n}", pipeline="p")
        answers += house.work()
    assert [a.get("reason") for a in answers].count("flood") == 40
    assert len(house.done) == len(house.recorded) == 20
    house.clock.advance(1.0)
    assert house.ask("pause", "after", pipeline="p")["ok"]


def test_refusals_without_end_do_not_fill_the_log(house):
    for n in range(300):
        house.clock.advance(1.0)
        assert house.ask("pause", f"{n}", valid_s=-1)["reason"] == "expired"
    assert house.meters.counters["refused.expired"] == 300
    assert len(house.recorded) <= 6 + 31


def test_letters_that_nobody_opens_do_not_fill_the_memory(house):
    for n in range(200):
        house.put("pause", f"{n}", pipeline="p")
    assert len(house.soon) == 64
    assert house.meters.counters["overrun.sink.plant"] == 136


def test_a_clock_that_went_back_and_that_nobody_has_set_takes_no_commands(house):
    house.ask("pause", "a", pipeline="p")
    house.clock.jump(-8 * 3600)
    house.clock.synced = False
    assert house.ask("pause", "b", pipeline="p")["reason"] == "clock"
    assert house.ask("health", "c")["ok"]
    house.clock.synced = True
    assert house.ask("pause", "d", pipeline="p")["ok"]


def test_the_box_that_takes_over_says_what_was_left_to_say(house):
    house.put("pause", "a", pipeline="p")
    after = house.boxes.box("sink.plant", "t", ())
    house.soon.pop()()
    assert json.loads(after.outgoing()[0].payload)["id"] == "a"
    assert after.asks == ()
