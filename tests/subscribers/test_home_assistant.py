"""What we publish for discovery, judged by Home Assistant's own schemas."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.subscribers.listeners import HOME_ASSISTANT, needed
from tests.wire.test_homeassistant import described

pytestmark = pytest.mark.slow


def judged(*bodies):
    script = Path(__file__).parent / "home_assistant_schema.py"
    done = subprocess.run(
        [needed(HOME_ASSISTANT), str(script)], input=json.dumps([json.dumps(body) for body in bodies]),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_its_schemas_take_what_we_publish_and_not_what_we_would_not():
    good, gone = described()[1], described(gone=["old"])[1]
    nameless = described()[1]
    del nameless["components"]["binary_sensor_scratched"]["unique_id"]
    wild = described()[1]
    wild["components"]["sensor_heartbeat"] = {**wild["components"]["heartbeat"], "state_topic": "a/#/b"}
    strange = described()[1] | {"colour": "red"}
    takes_good, takes_gone, *refused = judged(good, gone, nameless, wild, strange)
    assert (takes_good, takes_gone) == ("", "")
    for told, why in zip(refused, ("unique_id", "state_topic", "colour"), strict=True):
        assert why in told
