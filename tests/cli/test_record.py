"""`edgeinfer record`: bounds, forms of pictures, and what is said at the end."""

import pytest

from edgeinfer.cli.main import main
from edgeinfer.recording import kinds, segments

CONFIG = """
device = "press"
[source.belt]
kind = "synthetic"
pace = "lockstep"
for_s = 4.0
[model.parts]
bundle = "parts"
[rule.parts]
kind = "count"
labels = ["good"]
[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["parts"]
[sink.out]
kind = "console"
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "c.toml").write_text(CONFIG)
    return tmp_path / "c.toml"


def record(capsys, *arguments):
    code = main(["record", *map(str, arguments)])
    return code, capsys.readouterr().err


def test_all_that_the_sources_saw_is_recorded(capsys, config, tmp_path):
    code, err = record(capsys, config, tmp_path / "rec")
    counts = kinds(tmp_path / "rec")["belt"]
    assert code == 0
    assert (counts["frame"], counts["inference"]) == (60, 60)
    assert f"60 samples in {tmp_path / 'rec'}" in err


def test_a_ring_keeps_the_end(capsys, config, tmp_path):
    options = ("--pictures", "jpg", "--quality", "50", "--keep", "last", "--max-size", "300 kB")
    code, err = record(capsys, config, tmp_path / "rec", *options)
    assert code == 0
    assert "segments before them were dropped" in err
    assert segments(tmp_path / "rec")[0].name != "000001"
    assert sum(f.stat().st_size for f in (tmp_path / "rec").rglob("*.jpg")) < 300_000


def test_a_full_recording_keeps_the_beginning_and_says_so(capsys, config, tmp_path):
    code, err = record(capsys, config, tmp_path / "rec", "--max-size", "500 kB")
    assert code == 0
    assert "the recording is full: max_bytes is reached" in err
    assert segments(tmp_path / "rec")[0].name == "000001"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--max-size", "big"], "--max-size: expected a size"),
        (["--quality", "0"], "expected a whole number from 1 to 100, found '0'"),
        (["--max-age", "-1"], "expected a number of seconds above 0"),
    ],
)
def test_what_is_wrong_with_an_option_is_told(capsys, config, tmp_path, options, told):
    try:
        code, err = record(capsys, config, tmp_path / "rec", *options)
    except SystemExit as error:  # argparse's own
        code, err = error.code, capsys.readouterr().err
    assert code == 2
    assert told in err
    assert not (tmp_path / "rec").exists()
