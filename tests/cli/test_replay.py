"""`edgeinfer replay` with --compare and --sweep, on a recording of the belt."""

import json

import cv2
import pytest

from edgeinfer.cli.main import main
from tests.evaluate.replays import CONFIG, belt, passed


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return belt(tmp_path_factory.mktemp("belt") / "rec")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(CONFIG.format(score=0.5))
    return path


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("frame,rule\n" + "".join(f"{n},passed\n" for n in passed()))
    return path


def replay(capsys, *arguments):
    code = main(["replay", *map(str, arguments)])
    done = capsys.readouterr()
    return code, done.out, done.err


def test_two_configs_that_decide_the_same_are_told_so(capsys, recording, config):
    code, out, _ = replay(capsys, recording, config, "--compare", config)
    assert code == 0
    assert out.strip().endswith(": the same")


def test_what_another_config_decides_otherwise_is_a_table_and_exit_code_1(
    capsys, recording, config, tmp_path
):
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.format(score=0.99))
    code, out, _ = replay(capsys, recording, config, "--compare", other)
    assert code == 1
    assert out.split()[:6] == ["at", "rule", "subject", "difference", "CONFIG", "OTHER"]
    assert "only in CONFIG" in out or "other state" in out
    code, out, _ = replay(capsys, recording, config, "--compare", other, "--json")
    found = json.loads(out)
    assert code == 1
    assert {d["rule"] for d in found["differences"]} == {"parts"}
    assert found["decisions"][0] > 0


def test_a_sweep_gives_precision_and_recall_of_each_value(capsys, recording, config, truth, tmp_path):
    sweep = (recording, config, "--sweep", "rule.passed.score=0.5,1.0", "--truth", truth)
    code, out, _ = replay(capsys, *sweep, "--json", "--plot", tmp_path / "p.png")
    assert code == 0
    good, none = json.loads(out)["points"]
    assert (good["precision"], good["recall"], good["f1"]) == (1.0, 1.0, 1.0)
    assert (none["precision"], none["recall"], none["missed"]) == (None, 0.0, len(passed()))
    assert cv2.imread(str(tmp_path / "p.png")).shape == (480, 900, 3)
    code, out, _ = replay(capsys, *sweep)
    assert out.splitlines()[1].split() == ["0.5", "1.000", "1.000", "1.000", str(len(passed())), "0", "0"]
    assert out.splitlines()[-1].endswith("best F1 1.000 at rule.passed.score = 0.5")


def test_two_sweeps_are_a_grid_with_a_map(capsys, recording, config, truth, tmp_path):
    sweeps = ("--sweep", "rule.passed.margin=0.0,0.01", "--sweep", "pipeline.inspection.track.hits=1:3:1")
    code, out, _ = replay(
        capsys, recording, config, *sweeps, "--truth", truth, "--json", "--plot", tmp_path / "p.png"
    )
    assert code == 0
    assert [p["values"] for p in json.loads(out)["points"]] == [
        [m, h] for m in (0.0, 0.01) for h in (1, 2, 3)
    ]
    assert (tmp_path / "p.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sweep", "rule.passed.score=0:1:0.5"], "say what really happened with --truth"),
        (["--truth", "t.csv"], "--truth: belongs to --sweep"),
        (["--plot", "p.png"], "--plot: belongs to --sweep"),
        (["--json"], "--json: belongs to --compare and --sweep"),
        (["--sweep", "rule.passd.score=0:1:0.5", "--truth", "t.csv"], "did you mean 'passed'"),
        (["--sweep", "rule.passed.scor=0:1:0.5", "--truth", "t.csv"], "did you mean 'score'"),
        (["--sweep", "rule.a.b=1", "--truth", "t.csv", "--compare", "c.toml"], "one of them at a time"),
        (["--sweep", "rule.passed.score=1", "--truth", "t.csv", "--plot", "p.gif"], "ends with .png or .jpg"),
    ],
)
def test_what_cannot_be_asked_is_told(capsys, recording, config, arguments, told):
    code, out, err = replay(capsys, recording, config, *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_a_truth_of_another_recording_is_told(capsys, recording, config, tmp_path):
    (tmp_path / "t.csv").write_text("at_s\n100\n")
    code, _, err = replay(
        capsys, recording, config, "--sweep", "rule.passed.score=0.5", "--truth", tmp_path / "t.csv"
    )
    assert code == 2
    assert "t.csv:2: 100 s, but the recording lasts 3.9 s" in err


def test_of_a_recording_that_was_cut_what_can_be_read_is_replayed(capsys, config, tmp_path):
    path = belt(tmp_path / "rec", 20)
    whole = (path / "000001/events.jsonl").read_bytes()
    (path / "000001/events.jsonl").write_bytes(whole[:-10])
    code, out, err = replay(capsys, path, config)
    assert code == 1
    assert len(out.splitlines()) > 1
    assert "is cut off: line 20 is not whole and is left out" in err
    assert "19 samples replayed" in err


def test_of_a_newer_recording_what_can_be_read_is_replayed(capsys, config, tmp_path):
    path = belt(tmp_path / "rec", 20)
    head = (path / "recording.json").read_text()
    (path / "recording.json").write_text(head.replace('"version":2', '"version":9'))
    code, out, err = replay(capsys, path, config)
    assert code == 1
    assert len(out.splitlines()) > 1
    assert "made by a newer edgeinfer (version 9 of the format; this one reads up to 2)" in err


def test_jobs_and_pace_change_no_byte(capsys, config, tmp_path):
    path = belt(tmp_path / "rec", 20)
    runs = [
        replay(capsys, path, config, *more)[1] for more in (["--jobs", "1"], ["--jobs", "3"], ["--realtime"])
    ]
    assert runs[0] == runs[1] == runs[2]
    assert runs[0]
