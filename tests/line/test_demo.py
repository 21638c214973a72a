"""What a newcomer types first."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.fixtures.brokers import free_port
from tests.line.conftest import EDGEINFER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_the_demo_shows_decisions_ends_by_itself_and_sums_up():
    port = free_port()
    done = subprocess.run(
        [*EDGEINFER, "demo", "--for", "12", "--mqtt-port", str(port)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"mosquitto_sub -p {port}" in done.stderr
    assert len(done.stdout.splitlines()) >= 3
    found = re.search(r"frames (\d+)  dropped (\d+)  decisions (\d+)", done.stderr)
    assert found is not None, done.stderr
    assert int(found[1]) > 40
    assert int(found[3]) >= 3
    bearing = [line.split()[2] for line in done.stdout.splitlines() if " bearing " in line]
    assert bearing == ["off", "on", "unknown"]  # sound, failing, and the end of the demo
    assert int(re.search(r"readings (\d+)", done.stderr)[1]) > 60_000
    assert re.search(r"capture → broker  p50 [\d.]+ ms  p95 [\d.]+ ms  p99 [\d.]+ ms", done.stderr)
    assert "Traceback" not in done.stderr


def test_amqtt_serves_the_demo_where_no_mosquitto_is(monkeypatch):
    from edgeinfer.testing import broker as brokers

    monkeypatch.setattr(brokers.shutil, "which", lambda *_, **__: None)
    with brokers.broker() as own:
        assert own.name == "amqtt"
        sent = subprocess.run(
            ["mosquitto_pub", "-p", str(own.port), "-V", "311", "-q", "1", "-t", "a", "-m", "b"],
            capture_output=True, timeout=20, check=False,
        )  # fmt: skip
        assert sent.returncode == 0
