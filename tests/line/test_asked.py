"""A light barrier asks, a camera and a cascade answer: through the daemon as a user runs it, to a real broker."""

from __future__ import annotations

import json

import pytest

from firmware_bridge.simulator import Line
from tests.line.conftest import retained
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CONFIG = """
device = "cell-3"
[source.belt]
kind = "synthetic"
fps = 15
seed = 3
[source.barrier]
kind = "serial"
port = "{port}"
protocol = "lines"
lines = {{ channels = ["beam", "part", "recipe"] }}
[model.small]
bundle = "parts-small"
[model.parts]
bundle = "parts"
[rule.defect]
kind = "presence"
label = ["scratched", "hole_missing"]
[rule.parts]
kind = "count"
[recipe.9]
rule.parts.labels = ["hole_missing"]
rule.parts.score = 1.0
[pipeline.inspection]
source = "belt"
model = "small"
stages = [{{ labels = ["scratched", "hole_missing"], above = 0.15, model = "parts" }}]
trigger = {{ source = "barrier", channel = "beam", above = 0.5 }}
context = ["part", "recipe"]
deadline_ms = {deadline_ms}
rules = ["defect", "parts"]
[sink.plant]
kind = "mqtt"
url = "{broker}"
"""


class Barrier:
    """A node that says beam, part and recipe in text, 20 times a second, and at once what it is told to say."""

    def __init__(self):
        self.rows, self._next_ns = [], 0

    def receive(self, data, now_ns):
        """Listens to nobody."""

    def advance(self, now_ns):
        if now_ns >= self._next_ns and not self.rows:
            self.rows.append("0,0,1")
            self._next_ns = now_ns + 50_000_000

    def due_ns(self):
        return 0 if self.rows else self._next_ns

    def outgoing(self):
        rows, self.rows = self.rows, []
        return "".join(f"{row}\n" for row in rows).encode()


@pytest.fixture
def line(tmp_path):
    with Line([Barrier()], tmp_path / "barrier") as made:
        yield made


def say(line, *rows):
    """All in one: the source stamps them with one arrival."""
    with line.held():
        line.talkers[0].rows += rows


def answers(seen, rule):
    """Each decision once, in order."""
    found = {}
    for message in seen:
        if message.topic.endswith(f"/decision/{rule}"):
            body = json.loads(message.payload)
            found.setdefault(body["id"], body)
    return list(found.values())


@pytest.fixture
def cell(daemon, mosquitto, subscriber, line):
    def start(deadline_ms):
        broker = mosquitto()
        seen = subscriber(broker, "edgeinfer/cell-3/#").messages
        run = daemon(CONFIG.format(port=line.port, broker=broker.url, deadline_ms=deadline_ms))
        for post in ("source.barrier", "source.belt", "pipeline.inspection"):
            run.wait_post(post, "ok")
        return run, seen

    return start


def test_each_time_that_the_beam_is_broken_each_rule_answers_once(cell, line):
    run, seen = cell(deadline_ms=5000)
    for part in (7, 8, 9):
        say(line, f"1,{part},1", f"0,{part},1")
        wait_for(lambda part=part: len(answers(seen, "parts")) == part - 6, what=f"part {part}")
    told = answers(seen, "parts")
    assert [(one["subject"], one["details"]["context"]) for one in told] == [
        (str(part), {"part": str(part), "recipe": "1"}) for part in (7, 8, 9)
    ]
    assert all(isinstance(one["state"], int) for one in told)
    assert all(one["details"]["picture_after_ms"] > 0 for one in told)
    assert all("parts-small@" in one["model"] and "+parts@" in one["model"] for one in told)
    assert [one["at"] for one in told] == [one["at"] for one in answers(seen, "defect")]
    say(line, "0,10,9", "1,10,9")
    wait_for(lambda: len(answers(seen, "parts")) == 4)
    assert answers(seen, "parts")[-1]["state"] == 0  # recipe 9 counts what there never is
    post = run.post("pipeline.inspection")
    assert (post["triggers"], post["answers"], post.get("unanswered", 0)) == (4, 4, 0)
    assert post["small.asked"] == 4
    assert run.stop() == 0


def test_two_triggers_at_once_a_short_deadline_and_a_pulled_plug_are_answered_unknown(cell, line):
    run, seen = cell(deadline_ms=5000)
    say(line, "1,1,1", "0,1,1", "1,2,1", "0,2,1")
    wait_for(lambda: len(answers(seen, "defect")) == 2)
    first, second = answers(seen, "defect")
    assert first["state"] == "unknown"
    assert "overrun by the next trigger" in first["details"]["reason"]
    assert second["state"] in ("on", "off")
    line.unplug()
    wait_for(lambda: retained(seen, "/state/defect")["state"] == "unknown")
    assert "barrier is lost" in answers(seen, "defect")[-1]["details"]["reason"]
    assert run.stop() == 0


def test_without_a_picture_in_time_the_answer_is_unknown(cell, line):
    run, seen = cell(deadline_ms=0.01)
    say(line, "1,1,1", "0,1,1")
    wait_for(lambda: len(answers(seen, "defect")) == 1)
    [told] = answers(seen, "defect")
    assert (told["state"], told["subject"]) == ("unknown", "1")
    assert (
        "no picture within 0.01 ms" in told["details"]["reason"]
        or "after the deadline" in told["details"]["reason"]
    )
    assert run.stop() == 0
