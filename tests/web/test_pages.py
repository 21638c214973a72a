"""What the page of a running daemon answers."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.waiting import wait_for
from tests.web.conftest import served

SENT = {"X_Edgeinfer": "1", "Content_Type": "application/json"}


def decisions(page, query=""):
    return json.loads(page.ask(f"/api/decisions{query}")[2])


def test_the_page_is_there_with_its_policy(page):
    status, headers, body = page.ask("/")
    assert status == 200
    assert b"<!doctype html>" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b"<script>" not in body


def test_all_of_the_page_is_under_200_kb(page):
    names = ["/", "/draw", "/page.css", "/page.js", "/plots.js", "/draw.js", "/icon.svg"]
    answers = [page.ask(name) for name in names]
    assert [status for status, _, _ in answers] == [200] * len(names)
    assert sum(len(body) for _, _, body in answers) < 200_000


def test_health_is_what_the_command_answers_and_leaves_no_record(page):
    before = page.daemon.outbox.newest
    found = json.loads(page.ask("/api/health")[2])
    assert found["device"] == "press-07"
    assert "pipeline.inspection" in found["posts"]
    assert found["outbox"].keys() == {"out"}
    told = [d for d in decisions(page) if d["rule"] == "command" and d["seq"] > before]
    assert told == []


def test_about_names_the_zones_that_can_be_drawn_anew(page):
    found = json.loads(page.ask("/api/about")[2])
    assert found["sources"] == {"belt": {"pictures": True}}
    assert found["rules"]["in-view"]["zone"][0] == [0.1, 0.1]
    assert found["rules"]["scratched"] == {"kind": "presence", "zone": [], "line": []}
    assert found["allow"] == []


def test_the_history_has_what_the_outbox_has(page):
    wait_for(lambda: decisions(page), what="a decision")
    assert len(decisions(page, "?limit=1")) == 1
    assert decisions(page, "?limit=nonsense&hours=1")


def test_a_decision_is_explained_and_an_unknown_one_is_not(page):
    wait_for(lambda: decisions(page), what="a decision")
    first = next(d for d in decisions(page) if d["rule"] != "command")
    status, _, body = page.ask(f"/api/explain/{first['id']}")
    assert status == 200
    assert json.loads(body)["result"]["decision"]["rule"] == first["rule"]
    status, _, body = page.ask("/api/explain/aaaaaaaaaaaaaaaa")
    assert status == 404
    assert "never made here" in json.loads(body)["error"]


def test_live_pictures_come_one_after_the_other_as_whole_jpegs(page):
    client = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    client.request("GET", "/live/belt")
    answer = client.getresponse()
    assert answer.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    for _ in range(3):
        assert answer.readline() == b"--frame\r\n"
        assert answer.readline() == b"Content-Type: image/jpeg\r\n"
        size = int(answer.readline().partition(b":")[2])
        answer.readline()
        jpeg = answer.read(size)
        assert jpeg.startswith(b"\xff\xd8")
        assert jpeg.endswith(b"\xff\xd9")
        assert answer.readline() == b"\r\n"
    answer.close()
    client.close()


def test_events_tell_health_and_readings(page):
    client = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    client.request("GET", "/events")
    answer = client.getresponse()
    assert answer.readline() == b"event: now\n"
    assert json.loads(answer.readline().removeprefix(b"data: ")).keys() == {"health", "readings"}
    answer.close()
    client.close()


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/static/page.js", "/live/..%2f..", "/picture/nobody", "/page.js/../../x"],
)  # fmt: skip
def test_what_has_no_address_is_not_found(page, path):
    status, headers, body = page.ask(path)
    assert status == 404
    assert headers["Content-Type"] == "application/json"
    assert "<" not in body.decode()


def test_the_page_gives_no_command_that_is_not_allowed(page):
    body = json.dumps({"command": "pause", "pipeline": "inspection"})
    status, _, said = page.ask("/api/command", "POST", body, **SENT)
    assert status == 403
    assert "allow" in json.loads(said)["error"]
    assert page.daemon.health.post("pipeline.inspection").condition != "paused"


@pytest.mark.parametrize("body", [b"", b"{", b'{"command": "explode"}', b'{"command": "health"}'])
def test_what_is_no_command_of_the_page_is_refused(page, body):
    assert page.ask("/api/command", "POST", body, **SENT)[0] == 400


def test_what_is_allowed_is_done_and_recorded_as_the_page_s(tmp_path):
    for page in served(tmp_path, 'allow = ["pause", "resume"]'):
        body = json.dumps({"command": "pause", "pipeline": "inspection"})
        assert page.ask("/api/command", "POST", body, **SENT)[0] == 200
        wait_for(lambda: page.daemon.health.post("pipeline.inspection").condition == "paused")
        told = next(d for d in decisions(page) if d["rule"] == "command")
        assert (told["details"]["command"], told["details"]["door"]) == ("pause", "web")
        unknown = json.dumps({"command": "pause", "pipeline": "nobody"})
        assert page.ask("/api/command", "POST", unknown, **SENT)[0] == 400
