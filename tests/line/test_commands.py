"""Commands over a real mosquitto to a real daemon: done once, answered, refused, remembered over kill -9."""

from __future__ import annotations

import json
import subprocess

import pytest

from edgeinfer.audit import verify
from edgeinfer.audit.files import readable
from tests.line.conftest import EDGEINFER, retained
from tests.line.test_daemon import MQTT, belt
from tests.line.test_schema import validator
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = "edgeinfer/press-07"
ALL = '["health", "pause", "reload", "resume", "set", "snapshot", "use"]'


def config(url: str, allowed: str = ALL, extra: str = "") -> str:
    sink = MQTT.format(url=url) + f"commands = {allowed}\n{extra}"
    return belt(sink).replace("clear_s = 0.0\n", "clear_s = 0.0\nadjustable = { score = [0.4, 0.9] }\n")


@pytest.fixture
def line(mosquitto, commander, daemon):
    class Line:
        broker = mosquitto()

        def run(self, version: int = 5, allowed: str = ALL, extra: str = "") -> Line:
            self.room = commander(self.broker, ROOT, version)
            self.daemon = daemon(config(self.broker.url, allowed, extra))
            self.wait_heard()
            return self

        def wait_heard(self) -> None:
            self.daemon.wait_post("sink.plant", "ok", 40)
            self.daemon.wait_post("pipeline.inspection", "ok", 40)
            self.daemon.wait_post("source.belt", "ok", 40)
            wait_for(lambda: f"{ROOT}/command/+ (QoS 1)" in self.broker.log(), 20, "it listens")

        def restart(self) -> None:
            subscribed = self.broker.log().count("command/+ (QoS 1)")
            self.daemon.kill()
            self.daemon.start()
            wait_for(
                lambda: self.broker.log().count("command/+ (QoS 1)") > subscribed, 40, "it listens again"
            )

        def meters(self) -> dict:
            return self.daemon.post("commands")

        def audit(self, kind: str = "command") -> list[dict]:
            return [dict(x.facts) for x in readable(self.daemon.state / "audit") if x.kind == kind]

    return Line()


@pytest.mark.parametrize("version", [3, 5])
def test_a_pipeline_is_paused_and_resumed(line, subscriber, version):
    """Of MQTT, on both sides."""
    seen = subscriber(line.broker, f"{ROOT}/#")
    line.run(version, extra=f"version = {version}\n")
    seen.wait_for(lambda s: any(m.topic.endswith("decision/any") for m in s))
    said = line.room.ask("pause", "p1", pipeline="inspection")
    assert (said["ok"], said["outcome"], said["command"], said["device"]) == (
        True,
        "done",
        "pause",
        "press-07",
    )
    seen.wait_for(lambda s: retained(s, "/state/any")["details"].get("reason") == "paused")
    assert line.daemon.post("pipeline.inspection")["condition"] == "paused"
    seen.wait_for(lambda s: any(m.topic.endswith("decision/command") for m in s))
    [told] = [json.loads(m.payload) for m in seen.on(f"{ROOT}/decision/command")]
    assert (told["subject"], told["state"], told["details"]["by"]) == ("pause", "on", "anna")
    assert line.room.ask("resume", "p2", pipeline="inspection")["ok"]
    line.daemon.wait_post("pipeline.inspection", "ok")
    seen.wait_for(lambda s: retained(s, "/state/any")["state"] in {"on", "off"})
    assert [(c["command"], c["door"], c["id"], c["outcome"]) for c in line.audit()] == [
        ("pause", "sink.plant", "p1", "done"),
        ("resume", "sink.plant", "p2", "done"),
    ]


def test_what_was_set_holds_over_a_restart_and_the_config_stays_as_it_is(line):
    line.run()
    written = line.daemon.path.read_text()
    assert line.room.ask("set", "s1", key="rule.any.score", value=0.7)["ok"]
    assert line.room.ask("pause", "s2", pipeline="inspection")["ok"]
    said = line.room.ask("set", "s3", key="rule.any.score", value=0.99)
    assert (said["ok"], said["outcome"]) == (False, "failed")
    assert "0.4 to 0.9" in said["error"]
    line.restart()
    line.daemon.wait_post("pipeline.inspection", "paused", 40)
    assert "rule.any.score = 0.7" in line.daemon.post("config")["overrides"]
    assert line.daemon.path.read_text() == written
    done = subprocess.run(
        [*EDGEINFER, "check", str(line.daemon.path)], capture_output=True, text=True, check=True
    )
    assert "rule.any.score = 0.7" in done.stdout
    assert "pipeline.inspection is paused" in done.stdout


def test_an_override_that_no_longer_fits_is_told_and_ignored(line):
    line.run()
    assert line.room.ask("set", "s1", key="rule.any.score", value=0.85)["ok"]
    line.daemon.write(config(line.broker.url).replace("[0.4, 0.9]", "[0.4, 0.6]"))
    assert line.room.ask("reload", "r1")["ok"]
    assert "0.4 to 0.6" in line.daemon.health()["degraded"]["config"]
    assert not line.daemon.post("config")["overrides"]


def test_the_same_id_does_nothing_again_also_after_kill_9(line):
    line.run()
    first = line.room.ask("pause", "once", pipeline="inspection")
    line.room.ask("resume", "then", pipeline="inspection")
    line.room.command("pause", "once", pipeline="inspection")
    again = line.room.wait_answer("once", 2)
    assert (again["ok"], again["result"], again["repeated"]) == (True, first["result"], True)
    assert line.daemon.post("pipeline.inspection")["condition"] != "paused"
    line.restart()
    line.room.command("pause", "once", pipeline="inspection")
    assert line.room.wait_answer("once", 3)["repeated"]
    line.daemon.wait_post("pipeline.inspection", "ok", 40)
    line.room.command("resume", "once", pipeline="inspection")
    assert line.room.wait_refusal("id_taken")["id"] == "once"


def test_a_kill_between_receiving_and_answering_is_done_at_most_once_and_answered_later(line):
    line.run()
    for n in range(4):
        line.room.command("pause" if n % 2 == 0 else "resume", f"k{n}", pipeline="inspection")
        line.restart()  # the command is acknowledged to the broker, and at whatever point of being done
        before = len(line.room.answers(f"k{n}"))
        line.room.command("pause" if n % 2 == 0 else "resume", f"k{n}", pipeline="inspection")
        said = line.room.wait_answer(f"k{n}", before + 1)
        assert said["outcome"] == "done" or said["reason"] == "interrupted"
        done = [c for c in line.audit() if c["id"] == f"k{n}" and c["outcome"] == "done"]
        assert len(done) <= 1
    assert verify(line.daemon.state / "audit").whole
    befores = [start["before"] for start in line.audit("start")]
    assert befores == ["first", "died", "died", "died", "died"]


def test_the_answer_goes_where_the_asker_wants_it_and_not_where_it_could_deceive(line):
    line.run()

    def health(id_: str, **said) -> None:
        line.room.send("health", json.dumps({"id": id_}).encode(), expires_s=60, ask_here=True, **said)
        line.room.wait_answer(id_)

    health("h1")
    health("h2", response=f"{ROOT}/state/any")
    topics = {body["id"]: (topic, correlation) for topic, body, correlation in line.room.replies}
    assert topics["h1"] == ("answers/room", b"mine")
    assert topics["h2"] == (f"{ROOT}/reply", b"mine")
    assert line.room.answers("h1")[0]["result"]["posts"]["audit"]["head"]


def test_a_snapshot_comes_as_a_jpeg_of_bounded_size(line):
    line.run()
    said = line.room.ask("snapshot", "i1", source="belt", max_bytes=6_000)
    topic, jpeg = line.room.wait_picture()
    assert topic == f"{ROOT}/snapshot/belt" == said["result"]["topic"]
    assert jpeg[:3] == b"\xff\xd8\xff"
    assert len(jpeg) == said["result"]["bytes"] <= 6_000


def test_what_must_not_be_done_is_refused_counted_and_answered(line):
    line.run(allowed='["pause", "health"]')
    room = line.room
    room.command("resume", "a", pipeline="inspection")
    room.wait_refusal("not_allowed")
    room.command("explode", "b")
    room.wait_refusal("unknown")
    room.command("pause", "c", valid_s=-5, pipeline="inspection")
    room.wait_refusal("expired")
    room.command("pause", "d", valid_s=9_000, pipeline="inspection")
    room.wait_refusal("too_long")
    room.send("pause", b"\xff{")
    room.wait_refusal("malformed")
    room.send("pause", b'{"id": "e", "args": {"pipeline": "inspection"}}')
    assert "expires" in room.wait_answer("e")["error"]
    room.send("pause", b" " * 20_000)
    room.wait_refusal("oversized")
    room.send("pause", json.dumps({"id": "f", "args": {}}).encode(), retain=True, expires_s=60)
    room.wait_refusal("retained")
    assert line.daemon.post("pipeline.inspection")["condition"] == "ok"
    reasons = ("not_allowed", "unknown", "expired", "too_long", "malformed", "oversized", "retained")
    assert all(line.meters()[f"refused.{reason}"] for reason in reasons)
    assert all(entry["outcome"] == "refused" for entry in line.audit())
    reply = validator("{topic}/reply")
    for _, body, _ in room.replies:
        reply.validate(body)


def test_a_retained_command_that_waits_at_the_broker_is_not_done_at_connect(line, commander, daemon):
    room = commander(line.broker, ROOT, name="somebody")
    body = {"id": "r", "args": {"pipeline": "inspection"}}
    room.send("pause", json.dumps(body).encode(), retain=True, expires_s=600)
    line.run()
    line.room.wait_refusal("retained")
    assert line.daemon.post("pipeline.inspection")["condition"] == "ok"


def test_a_flood_is_held_off_and_fills_neither_outbox_nor_log(line):
    line.run()
    for n in range(200):
        line.room.command("set", f"f{n}", key="rule.any.score", value=0.99)
    line.room.wait_refusal("flood")
    held_off = ("refused.flood", "overrun.sink.plant")
    wait_for(lambda: sum(line.meters().get(name, 0) for name in held_off) > 120, 30, "all were heard")
    assert line.meters()["failed"] < 60
    assert len(line.audit()) < 70
    line.daemon.wait_post("pipeline.inspection", "ok")


def test_nobody_may_ask_where_the_config_allows_nothing(mosquitto, commander, daemon):
    broker = mosquitto()
    run = daemon(belt(MQTT.format(url=broker.url)))
    run.wait_post("sink.plant", "ok", 40)
    room = commander(broker, ROOT)
    room.command("pause", "p", pipeline="inspection")
    assert "command/+" not in broker.log()
    assert run.stop() == 0
    assert room.replies == []


def test_a_reload_that_takes_the_door_away_is_still_answered(line):
    line.run()
    line.daemon.write(config(line.broker.url, allowed='["health"]'))
    assert line.room.ask("reload", "last")["ok"]
    line.room.command("reload", "one-more")
    line.room.wait_refusal("not_allowed")


def test_every_command_to_the_socket_is_remembered_with_who_asked(line):
    line.run()
    words = [*EDGEINFER, "pause", "inspection", "--socket", str(line.daemon.state / "control.sock")]
    subprocess.run(words, check=True, capture_output=True)
    [entry] = line.audit()
    assert (entry["command"], entry["door"]) == ("pause", "socket")
    assert "process" in entry["who"]
