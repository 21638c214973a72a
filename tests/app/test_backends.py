"""What a config says of a model's backends is wrong: told with line and key, before anything runs."""

from __future__ import annotations

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError
from tests.engine import tiny
from tests.fixtures.delegates import twin

REST = """
[source.belt]
kind = "synthetic"
[sink.out]
kind = "console"
[rule.r]
kind = "presence"
label = "green"
[pipeline.p]
source = "belt"
model = "m"
rules = ["r"]
"""


def told(folder, model: str) -> str:
    with pytest.raises(ConfigError) as caught:
        draw(loads(f'[model.m]\nbundle = "{folder}"\n{model}\n{REST}', "c.toml"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ('backends = ["cpu", "edgetqu"]', "c.toml:3 model.m.backends[1]: no backend of kind 'edgetqu'; did you mean 'edgetpu'?"),
        ('backends = ["edgetpu"]\n[model.m.edgetpu]\ndevice = "usb1"', 'c.toml:5 model.m.edgetpu.device: expected "" (the first one)'),
        ('backends = ["external"]\n[model.m.external]\nlibrar = "x"', "c.toml:5 model.m.external.librar: unknown key; did you mean 'library'?"),
        ('backends = ["external"]', "model.m.external: the key 'library' is missing"),
        ('python = "/no/python"', "c.toml:3 model.m.python: expected the path of a Python interpreter"),
        ("hang_s = -1", "c.toml:3 model.m.hang_s: expected a number of at least 0"),
    ],
)  # fmt: skip
def test_a_wrong_backend_is_told_with_its_line(tmp_path, model, words) -> None:
    assert words in told(tiny.colours(tmp_path / "b"), model)


def test_a_bundle_without_a_file_for_any_backend_is_told(tmp_path) -> None:
    text = told(twin(tmp_path / "only", cpu=False), 'backends = ["cpu"]')
    assert "c.toml:3 model.m.backends: the bundle colours@sha256:" in text
    assert "has no file for any of them, only for: edgetpu" in text
