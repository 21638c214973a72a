"""docs/snippets/store.py, killed while a device decides."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from edgeinfer.sinks.mqtt import Mqtt
from tests.chaos.device import Device
from tests.subscribers.listeners import SNIPPETS
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
KILLS = 3


def test_a_store_that_is_killed_has_each_decision_once(tmp_path, mosquitto):
    broker, path = mosquitto(), tmp_path / "decisions.db"

    def start():
        command = [sys.executable, str(SNIPPETS / "store.py"), str(path), broker.host, str(broker.port)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def rows():
        with sqlite3.connect(path) as table:
            return table.execute("SELECT seq, id FROM decision ORDER BY seq").fetchall()

    store = start()
    wait_for(lambda: "floor-store 1 edgeinfer/+/decision/+" in broker.log())
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)}) as device:
        entries = []
        for _ in range(KILLS):
            had = len(entries)
            entries += [device.decide(n) for n in range(200)]
            wait_for(lambda had=had: len(rows()) > had + 20)
            store.kill()
            store.communicate()
            store = start()
        wait_for(lambda: len(rows()) == len(entries), 30)
    store.kill()
    store.communicate()
    assert rows() == [(entry.seq, entry.id) for entry in entries]
    assert broker.log().count("PUBLISH to floor-store") > len(entries)  # some were sent again


def test_holes_are_said_at_the_start(tmp_path, mosquitto):
    broker, path = mosquitto(), tmp_path / "decisions.db"
    command = [sys.executable, str(SNIPPETS / "store.py"), str(path), broker.host, str(broker.port)]
    store = subprocess.Popen(command)
    wait_for(lambda: "floor-store 1 edgeinfer/+/decision/+" in broker.log())
    store.kill()
    store.wait()
    with sqlite3.connect(path) as table:
        row = "INSERT INTO decision (device, id, seq) VALUES (?, ?, ?)"
        table.executemany(row, [("a", "1", 1), ("a", "2", 2), ("a", "6", 6), ("b", "9", 9)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as store:
        assert store.stdout.readline() == "a: 3 to 5 are missing\n"
        store.kill()
