from __future__ import annotations

import json

import pytest

from edgeinfer.wire.roster import Roster


def health(condition="ok", posts=None, degraded=None):
    body = {
        "v": 1, "device": "press", "version": "0.1", "config": "sha256:1", "condition": condition,
        "degraded": degraded or {}, "posts": posts or {}, "more": 1,
    }  # fmt: skip
    return json.dumps(body).encode()


def roster(*messages, now_s=100.0):
    made = Roster()
    for kind, payload in messages:
        made.take(f"plant/press/{kind}", payload, now_s)
    return made.devices["plant/press"]


@pytest.mark.parametrize(
    ("messages", "age_s", "condition"),
    [
        ([("status", b"online"), ("health", health())], 1, "ok"),
        ([("status", b"online"), ("health", health("degraded"))], 1, "degraded"),
        ([("status", b"offline"), ("health", health())], 1, "offline"),
        ([("status", b""), ("health", health())], 1, "gone"),
        ([("status", b"online"), ("health", health()), ("heartbeat", b"7")], 14, "ok"),
        ([("status", b"online"), ("health", health()), ("heartbeat", b"7")], 16, "silent"),
        ([("status", b"online"), ("health", health())], 16, "silent"),
        ([("status", b"online"), ("health", health())], 6, "ok"),
        ([("status", b"online"), ("health", health())], 7.5, "silent"),
        ([("health", health())], 1, "?"),
        ([("status", b"online"), ("health", b"{")], 1, "?"),
    ],
)
def test_a_condition_needs_status_heartbeat_and_health(messages, age_s, condition):
    assert roster(*messages).condition(100.0 + age_s) == condition


def test_bundles_and_the_slowest_pipeline_are_read_off_the_parts():
    posts = {
        "pipeline.a": {"model": "parts@sha256:1", "latency_ms": {"total": {"p95": 4.5}}},
        "pipeline.b": {"model": "parts@sha256:1", "latency_ms": {"total": {"p95": 9.5}}},
        "source.c": {"condition": "ok"},
    }
    seen = roster(("health", health(posts=posts)))
    assert (seen.models, seen.p95_ms) == (["parts@sha256:1"], 9.5)
    assert (roster(("status", b"x")).models, roster(("status", b"x")).p95_ms) == ([], None)


def test_a_roster_is_settled_when_all_that_are_online_have_told_and_no_other_came():
    made = Roster()
    assert not made.settled(100.0)
    made.take("plant/a/status", b"offline", 100.0)
    made.take("plant/b/status", b"online", 100.5)
    made.take("plant/b/health", health(), 100.5)
    assert not made.settled(103.0)
    made.take("plant/b/heartbeat", b"1", 103.0)
    assert made.settled(103.0)
    made.take("plant/c/status", b"offline", 103.0)
    assert (made.settled(103.5), made.settled(104.5)) == (False, True)
