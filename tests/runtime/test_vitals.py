from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.runtime.vitals import Vitals, concerns, read
from tests.fixtures import boards

STATE = Path("/var/lib/edgeinfer")
WELL = Vitals(50.0, 4.0, False, False, 1000, 500, 50, 1000, 500, 0.1, 1, True)


def seen(root: Path) -> Vitals:
    return read(root, root, synced=lambda: True)


def said(vitals: Vitals, before: dict[str, str | None] | None = None) -> dict[str, str]:
    return {topic: text for topic, text in concerns(vitals, before or {}, STATE).items() if text}


def test_a_pi_4_tells_heat_and_memory_but_neither_power_nor_wear(tmp_path):
    found = seen(boards.pi4(tmp_path))
    assert found.temp_c == 48.686
    assert (found.memory_total_bytes, found.memory_available_bytes) == (3884384 * 1024, 3012004 * 1024)
    assert found.resident_bytes == 61440 * 1024
    assert (found.power_w, found.worn_share, found.spare_state) == (None, None, None)
    assert not found.throttled
    assert not found.under_voltage


def test_a_pi_4_that_throttles_for_lack_of_voltage_says_both(tmp_path):
    found = seen(boards.pi4(tmp_path, throttled="50005"))
    assert found.throttled
    assert found.under_voltage


def test_a_pi_5_tells_under_voltage_by_its_alarm_and_the_worse_half_of_its_emmc(tmp_path):
    found = seen(boards.pi5(tmp_path, alarm="1"))
    assert found.under_voltage
    assert (found.worn_share, found.spare_state) == (0.2, 1)


def test_a_jetson_tells_its_whole_power_and_its_warmest_zone_that_is_on(tmp_path):
    found = seen(boards.jetson(tmp_path))
    assert found.power_w == pytest.approx(5.462464)
    assert found.temp_c == 48.031


def test_a_machine_that_tells_nothing_has_a_disk_and_a_clock_only(tmp_path):
    told = seen(tmp_path).gauges()
    assert set(told) == {"throttled", "under_voltage", "disk_total_bytes", "disk_free_bytes", "clock_synced"}
    assert told["disk_total_bytes"] >= told["disk_free_bytes"] > 0


def test_a_folder_that_is_gone_has_no_disk(tmp_path):
    assert read(tmp_path / "gone", tmp_path).disk_free_bytes is None


@pytest.mark.parametrize("life", ["", "0x00 0x00", "0xZZ", "broken"])
def test_an_emmc_that_does_not_define_its_wear_is_not_called_new(tmp_path, life):
    boards.put(tmp_path, {"sys/class/mmc_host/mmc0/mmc0:0001/life_time": life})
    assert seen(tmp_path).worn_share is None


def test_a_well_board_is_not_worth_a_word():
    assert said(WELL) == {}


@pytest.mark.parametrize(
    ("change", "topic", "words"),
    [
        ({"temp_c": 80.0}, "heat", "80 °C"),
        ({"under_voltage": True}, "supply", "supply"),
        ({"disk_free_bytes": 49}, "disk", "/var/lib/edgeinfer"),
        ({"memory_available_bytes": 49}, "memory", "less than 5%"),
        ({"worn_share": 0.9}, "wear", "replace"),
        ({"spare_state": 2}, "wear", "replace"),
    ],
)
def test_what_is_wrong_is_said_with_a_remedy(change, topic, words):
    found = said(replace(WELL, **change))
    assert list(found) == [topic]
    assert words in found[topic]


@pytest.mark.parametrize(
    ("between", "beyond", "topic"),
    [
        ({"temp_c": 77.0}, {"temp_c": 74.9}, "heat"),
        ({"disk_free_bytes": 60}, {"disk_free_bytes": 70}, "disk"),
        ({"memory_available_bytes": 70}, {"memory_available_bytes": 80}, "memory"),
    ],
)
def test_between_its_two_thresholds_it_stays_as_it_was(between, beyond, topic):
    vitals = replace(WELL, **between)
    assert said(vitals) == {}
    assert list(said(vitals, {topic: "it was"})) == [topic]
    assert said(replace(WELL, **beyond), {topic: "it was"}) == {}


def test_the_words_stand_still_while_the_figures_move():
    assert said(replace(WELL, temp_c=83.0)) == said(replace(WELL, temp_c=91.5))
