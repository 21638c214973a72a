from __future__ import annotations

from dataclasses import replace

import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.runtime.governor import Governor
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.mailbox import Hub
from edgeinfer.runtime.vitals import read
from edgeinfer.runtime.watched import Watched
from tests.fixtures import boards
from tests.waiting import wait_for


@pytest.fixture
def health():
    return Health(SystemClock())


def test_the_post_board_shows_what_the_board_tells(tmp_path, health):
    root = boards.jetson(tmp_path)
    Watched(lambda: read(root, root, synced=lambda: False), root, health).look()
    post = health.snapshot()["posts"]["board"]
    assert (post["temp_c"], round(post["power_w"], 2)) == (48.031, 5.46)
    assert post["clock"] == "not synchronised"


def test_a_hot_board_degrades_health_until_it_is_cool_again(tmp_path, health):
    seen = read(tmp_path, boards.pi4(tmp_path))
    temp_c = [81.0, 78.0, 70.0]
    watched = Watched(lambda: replace(seen, temp_c=temp_c.pop(0)), tmp_path, health)
    degraded = []
    for _ in range(3):
        watched.look()
        degraded.append("hot" in health.degraded().get("board", ""))
    assert degraded == [True, True, False]


def test_a_meter_that_is_gone_shows_no_old_figure(tmp_path, health):
    seen = read(tmp_path, boards.pi4(tmp_path))
    found = [seen, replace(seen, temp_c=None)]
    watched = Watched(lambda: found.pop(0), tmp_path, health)
    watched.look()
    watched.look()
    assert "temp_c" not in health.snapshot()["posts"]["board"]


def test_the_governor_looks_at_it_with_each_of_its_looks(tmp_path, health):
    watched = Watched(lambda: read(tmp_path, boards.pi5(tmp_path)), tmp_path, health)
    errors = []
    governor = Governor(
        lambda: None, Hub(), health, lambda *e: errors.append(e), look_s=0.01, also=watched.look
    )
    governor.start()
    wait_for(lambda: "worn_share" in health.post("board").meters.gauges)
    assert governor.stop(2)
    assert not errors
