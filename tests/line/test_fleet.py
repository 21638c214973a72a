"""The fleet as the broker shows it: real daemons, one of them killed."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.line.conftest import EDGEINFER
from tests.line.test_daemon import belt
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SINK = '[sink.plant]\nkind = "mqtt"\nurl = "{url}"\n'


def fleet(broker, *options):
    done = subprocess.run(
        [*EDGEINFER, "fleet", broker.url, "--for", "7", *options],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def test_the_fleet_is_told_from_what_the_devices_publish(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "edgeinfer/+/status")
    runs = [
        daemon(belt(SINK.format(url=broker.url)).replace("press-07", name))
        for name in ("press-07", "mill-01")
    ]
    seen.wait_for(lambda m: [x.payload for x in m].count(b"online") == 2)
    for run in runs:
        wait_for(lambda run=run: run.post("pipeline.inspection").get("decisions", 0) > 0)
    done = fleet(broker, "--json")
    devices = json.loads(done.stdout)["devices"]
    assert done.returncode == 0, done.stdout
    assert {row["condition"] for row in devices.values()} == {"ok"}
    assert devices["edgeinfer/mill-01"]["models"][0].startswith("parts@sha256:")
    assert devices["edgeinfer/mill-01"]["version"]

    assert runs[0].stop() == 0
    done = fleet(broker)
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("press-07")]
    assert line.split()[1] == "offline"


def test_an_empty_broker_is_said(mosquitto):
    done = fleet(mosquitto())
    assert (done.returncode, "no device on edgeinfer/+" in done.stderr) == (1, True)
