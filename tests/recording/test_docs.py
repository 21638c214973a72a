"""docs/recordings.md says what the code does."""

import json
import re
from pathlib import Path

import pytest

from edgeinfer.app.options import KeepOptions, PipelineOptions
from edgeinfer.config import decode, loads
from edgeinfer.evaluate.truth import Timeline, read_truth
from edgeinfer.events import Lost
from edgeinfer.recording import VERSION, Writer, read
from edgeinfer.recording.lines import line_of
from tests.recording.test_recording import AT
from tests.samples import frame

PAGE = (Path(__file__).parents[2] / "docs/recordings.md").read_text()


def block(kind):
    return re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_line_of_the_page_is_the_line_that_is_written(tmp_path):
    writer = Writer(tmp_path / "rec", "d", AT)
    writer.close()
    (tmp_path / "rec/000001/events.jsonl").write_text(block("json"))
    (seen,) = read(tmp_path / "rec", pytest.fail)
    assert seen == Lost(("belt", 3), AT, "frozen")
    assert line_of(seen).decode() + "\n" == block("json")
    assert f"Version {VERSION}. A folder" in PAGE


def test_each_field_of_each_type_stands_on_the_page():
    from dataclasses import fields

    from edgeinfer import events as e

    for kind in (e.Readings, e.Trigger, e.Tick, e.Lost, e.Back, e.Inference, e.Decision):
        assert f"| `{kind.__name__.lower()}` |" in PAGE
        assert [f.name for f in fields(kind) if f"`{f.name}`" not in PAGE] == []
    for finding in (e.Detection, e.Keypoints, e.Region, e.Score, e.Value):
        assert f"`{finding.__name__.lower()}`" in PAGE
        assert [f.name for f in fields(finding) if f"`{f.name}`" not in PAGE] == []


def test_the_keep_of_the_page_is_right_and_each_key_is_there():
    problems = []
    for part in loads(block("toml"), "page", problems=[]).of("pipeline").values():
        decode(part, PipelineOptions, problems)
    assert problems == []
    assert [key for key in KeepOptions.__struct_encode_fields__ if f"`{key}`" not in PAGE] == []


def test_the_truth_of_the_page_can_be_read(tmp_path):
    (tmp_path / "t.csv").write_text(block("csv"))
    found = read_truth(
        tmp_path / "t.csv", Timeline({"cam": [frame(n) for n in range(1400)]}), {"scratched": "cam"}, None
    )
    assert len(found) == 2


def test_each_option_of_record_and_replay_stands_on_the_page():
    import argparse

    from edgeinfer.cli import explain, record, replay

    for command in (record, replay, explain):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        names = {action.option_strings[0] for action in parser._actions if action.option_strings}
        ignored = {"-h", "-v", "--source", "--socket"}
        assert [
            name for name in sorted(names - ignored) if f"`{name}" not in PAGE and f" {name} " not in PAGE
        ] == []
    assert json.loads(block("json"))
