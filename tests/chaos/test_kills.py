import random
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.sinks.mqtt import Mqtt
from tests.chaos.arrivals import Arrivals
from tests.chaos.device import ROOT, Device
from tests.fixtures.brokers import Mosquitto

KILLS = 50
REPOSITORY = Path(__file__).parents[2]


def run_and_kill(folder: Path, broker: Mosquitto, log: Path, after_s: float, pause_s: float) -> None:
    program = [sys.executable, "-m", "tests.chaos.publisher", str(folder), broker.url, str(log), str(pause_s)]
    process = subprocess.Popen(program, cwd=REPOSITORY, stderr=subprocess.PIPE)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    _, error = process.communicate()
    assert process.returncode == -9, f"the publisher ended by itself: {error.decode()}"


def committed(log: Path) -> list[tuple[int, str]]:
    """A line that the kill cut off says nothing."""
    whole = log.read_text().rpartition("\n")[0].splitlines()
    return [(int(seq), identity) for seq, identity in (line.split() for line in whole)]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_fifty_kills_lose_no_decision_and_keep_the_order(tmp_path, mosquitto, subscriber):
    broker, dice = mosquitto(), random.Random(7)
    seen, log = subscriber(broker, f"{ROOT}/decision/#"), tmp_path / "committed"
    for _ in range(KILLS):
        run_and_kill(
            tmp_path / "state", broker, log, dice.uniform(0.3, 1.2), dice.choice([0.0002, 0.002, 0.02])
        )
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)}) as device:
        last = device.decide(0)
        seen.wait_for(lambda m: any(last.id.encode() in one.payload for one in m[-300:]), 60)
    arrivals = Arrivals(seen.messages)
    assert len(committed(log)) > 1000
    assert arrivals.missing(committed(log)) == []
    arrivals.assert_in_order_and_repeated_as_they_were()
    print(f"{KILLS} kills, {len(committed(log))} commits, {arrivals.repeats} repeats")
