from __future__ import annotations

import pytest

from edgeinfer.runtime.board import Board


def write(root, **files):
    for name, text in files.items():
        path = root / "sys" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")


def zone(root, temp, trip_type="passive", n=0):
    base = f"class__thermal__thermal_zone{n}__"
    write(
        root,
        **{
            base + "type": "cpu-thermal",
            base + "temp": temp,
            base + "trip_point_0_type": trip_type,
            base + "trip_point_0_temp": 80000,
        },
    )


def test_a_board_that_says_nothing_does_not_throttle(tmp_path):
    assert Board(tmp_path).throttles() is None


@pytest.mark.parametrize(
    ("temp", "says"), [(79999, None), (82300, "cpu-thermal is 82 °C, and slows down at 80 °C")]
)
def test_a_zone_at_its_trip_point_throttles(tmp_path, temp, says):
    zone(tmp_path, temp)
    assert Board(tmp_path).throttles() == says


def test_a_trip_point_that_only_turns_a_fan_is_no_throttling(tmp_path):
    zone(tmp_path, 90000, trip_type="active")
    assert Board(tmp_path).throttles() is None


def test_a_zone_that_cannot_be_read_is_passed_over(tmp_path):
    zone(tmp_path, "")
    zone(tmp_path, 99000, n=1)
    assert "99 °C" in Board(tmp_path).throttles()


@pytest.mark.parametrize(
    ("bits", "says"),
    [
        ("0x0", None),
        ("50000", None),
        ("0x50005", "under-voltage; throttled"),
        ("8", "soft temperature limit"),
        ("?", None),
    ],
)
def test_a_raspberry_pi_says_what_holds_now_not_what_has_been(tmp_path, bits, says):
    write(tmp_path, **{"devices__platform__soc__soc:firmware__get_throttled": bits})
    assert Board(tmp_path).throttles() == says


def test_the_mainline_driver_says_under_voltage(tmp_path):
    write(tmp_path, class__hwmon__hwmon0__name="ina3221", class__hwmon__hwmon0__in0_lcrit_alarm=1)
    assert Board(tmp_path).throttles() is None
    write(tmp_path, class__hwmon__hwmon1__name="rpi_volt", class__hwmon__hwmon1__in0_lcrit_alarm=1)
    assert Board(tmp_path).throttles() == "under-voltage"
