from __future__ import annotations

import json

import pytest

from edgeinfer.cli.fleet_table import as_json, as_text
from edgeinfer.wire.roster import Roster


def health(device, degraded=None):
    body = {
        "v": 1, "device": device, "version": "0.1", "config": "sha256:1",
        "condition": "degraded" if degraded else "ok", "degraded": degraded or {}, "posts": {},
    }  # fmt: skip
    return json.dumps(body).encode()


@pytest.fixture
def roster():
    """1,000 devices: of each hundred the first is offline, and the second and third have no camera."""
    made = Roster()
    for n in range(1000):
        root, rest = f"edgeinfer/d{n:04}", n % 100
        degraded = {"source.belt": "no camera"} if rest in {1, 2} else None
        made.take(f"{root}/status", b"offline" if rest == 0 else b"online", 100.0)
        made.take(f"{root}/health", health(f"d{n:04}", degraded), 100.0)
        made.take(f"{root}/heartbeat", b"1", 100.0)
    return made


def test_the_last_line_is_the_sum(roster):
    assert as_text(roster, 101.0).splitlines()[-1] == "1,000 devices: 970 ok, 20 degraded, 10 offline"


def test_a_reason_that_many_have_is_one_line(roster):
    lines = [line for line in as_text(roster, 101.0).splitlines() if "no camera" in line]
    assert lines == ["d0001, d0002, d0101 and 17 more: source.belt: no camera"]


def test_only_those_that_are_not_well(roster):
    heads, *rows, _note, _sum = as_text(roster, 101.0, unwell=True).splitlines()
    assert heads.split()[:2] == ["device", "condition"]
    assert len(rows) == 30
    assert {row.split()[1] for row in rows} == {"offline", "degraded"}


def test_on_a_screen_those_that_are_not_well_come_first_and_the_sum_stays(roster):
    lines = as_text(roster, 101.0, lines=40).splitlines()
    assert len(lines) == 40
    assert [line.split()[1] for line in lines[1:31]].count("ok") == 0
    assert lines[-1].startswith("1,000 devices")


def test_programs_get_every_device_and_the_counts(roster):
    told = json.loads(as_json(roster, 101.0))
    assert told["conditions"] == {"ok": 970, "degraded": 20, "offline": 10}
    assert len(told["devices"]) == 1000
    assert told["devices"]["edgeinfer/d0001"]["degraded"] == {"source.belt": "no camera"}


def test_an_empty_fleet_is_no_table():
    assert as_text(Roster(), 0.0) == "0 devices: none was heard"
