"""`edgeinfer model bench`, and the board's meters under a root of our own."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from edgeinfer.cli.board import PowerMeter, condition, power_mw
from edgeinfer.cli.main import main
from tests.engine import tiny
from tests.waiting import wait_for


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


@pytest.fixture
def jetson(tmp_path: Path) -> Path:
    """What sysfs shows on a board with an INA3221, hot and capped: 5 V and 1 A into the whole of it."""
    chip = "class/hwmon/hwmon3"
    return put(
        tmp_path / "sys",
        {
            f"{chip}/name": "ina3221",
            f"{chip}/in1_label": "VDD_IN",
            f"{chip}/in1_input": "5000",
            f"{chip}/curr1_input": "1000",
            f"{chip}/in2_label": "VDD_CPU",
            f"{chip}/in2_input": "5000",
            f"{chip}/curr2_input": "300",
            "class/hwmon/hwmon0/name": "nvme",
            "class/thermal/thermal_zone0/temp": "81500",
            "class/thermal/thermal_zone1/temp": "-256000",
            "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "600000",
            "devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000",
            "devices/platform/soc/soc:firmware/get_throttled": "50005",
        },
    )


def test_the_rail_that_feeds_the_board_is_its_power(jetson) -> None:
    assert power_mw(jetson) == 5000


def test_without_a_total_the_channels_are_added(tmp_path) -> None:
    chip = "class/hwmon/hwmon0"
    files = {f"{chip}/name": "ina3221", f"{chip}/in1_input": "5000", f"{chip}/curr1_input": "200"}
    files |= {f"{chip}/in2_input": "3000", f"{chip}/curr2_input": "100"}
    assert power_mw(put(tmp_path, files)) == 1300


def test_a_board_without_meters_tells_nothing(tmp_path) -> None:
    assert power_mw(tmp_path) is None
    assert condition(tmp_path).temp_c is None
    with PowerMeter(tmp_path) as meter:
        assert meter.mean_mw(0, 1 << 62) is None


def test_temperature_clock_and_limits_are_told(jetson) -> None:
    seen = condition(jetson)
    assert (seen.temp_c, seen.clock_mhz, seen.clock_max_mhz) == (81.5, 600, 1800)
    assert seen.limits == ("under-voltage", "throttled")


def test_the_mean_is_over_the_span_that_is_asked_for(jetson) -> None:
    with PowerMeter(jetson) as meter:
        wait_for(lambda: len(meter.samples) >= 2)
    first, last = meter.samples[0][0], meter.samples[-1][0]
    assert meter.mean_mw(first, last) == 5000
    assert meter.mean_mw(0, first - 1) is None


def bench(capfd, *words: object, code: int = 0) -> str:
    found = main(["model", "bench", *map(str, words)])
    out, err = capfd.readouterr()
    assert found == code, err
    return out if code == 0 else err


def test_a_model_is_measured_for_each_number_of_threads(tmp_path, jetson, capfd) -> None:
    folder = tiny.colours(tmp_path / "colours")
    told = json.loads(bench(capfd, folder, "--threads", "1,2", "--seconds", "0.3", "--sys", jetson, "--json"))
    assert [(r["backend"], r["threads"]) for r in told["runs"]] == [("cpu", 1), ("cpu", 2)]
    for run in told["runs"]:
        measured = run["measured"]
        assert 0 < measured["p50_ms"] <= measured["p90_ms"] <= measured["p99_ms"]
        assert measured["load_ms"] > 0
        assert measured["first_ms"] > 0
        assert measured["memory_mb"] > 0
        assert measured["count"] > 1
        assert sum(measured["operators"].values()) >= 1
        assert run["power_mw"] == 5000
        assert run["energy_mj"] == pytest.approx(5 * measured["mean_ms"])
        assert run["after"]["limits"] == ["under-voltage", "throttled"]


def test_the_table_says_that_the_board_is_slowed_down_and_the_plot_is_drawn(tmp_path, jetson, capfd) -> None:
    model = tiny.softmax().save(tmp_path / "m.tflite")
    out = bench(capfd, model, "--seconds", "0.1", "--sys", jetson, "--plot", tmp_path / "p.png")
    assert "cpu, 1 thread" in out
    assert "The board runs slower than it could (throttled, under-voltage)" in out
    picture = cv2.imread(str(tmp_path / "p.png"))
    assert picture.shape[1] == 900
    assert picture.min() < 100


def test_a_backend_that_the_bundle_has_no_file_for_is_refused(tmp_path, capfd) -> None:
    folder = tiny.colours(tmp_path / "colours")
    err = bench(capfd, folder, "--backends", "edgetpu", code=2)
    assert "has no file for 'edgetpu', only for: cpu" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--threads", "0"), "--threads"), (("--threads", "x"), "--threads"), (("--plot", "p.svg"), "--plot")],
)
def test_a_wrong_option_is_told(tmp_path, capfd, words, told) -> None:
    assert told in bench(capfd, tiny.colours(tmp_path / "colours"), *words, code=2)


def test_a_model_that_no_backend_opens_is_the_worlds_fault(tmp_path, capfd) -> None:
    path = tiny.unknown_op().save(tmp_path / "m.tflite")
    assert "is compiled for an Edge TPU" in bench(capfd, path, "--seconds", "0.1", code=1)
