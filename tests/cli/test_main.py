from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import pytest

from edgeinfer import __version__
from edgeinfer.cli.main import COMMANDS, main
from tests.cli.configs import good


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


def test_the_version_is_said(capsys):
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_teaches_itself(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out) > 200


def test_check_tells_what_it_would_run_on(tmp_path, capsys):
    (tmp_path / "c.toml").write_text(good(tmp_path))
    assert main(["check", "--json", str(tmp_path / "c.toml")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["device"] == "press-07"
    assert found["models"]["parts"].startswith("parts@sha256:")
    assert "litert" in found["runtime"]


def test_check_tells_what_nothing_uses(tmp_path, capsys):
    extra = '\n[rule.idle]\nkind = "presence"\nlabel = "good"\nscore = 0.5\n'
    (tmp_path / "c.toml").write_text(good(tmp_path) + extra)
    assert main(["check", str(tmp_path / "c.toml")]) == 0
    assert "rule.idle: no pipeline takes it" in capsys.readouterr().out


def test_the_schema_knows_every_plugin(capsys):
    assert main(["schema", "config"]) == 0
    text = capsys.readouterr().out
    json.loads(text)
    for word in ("camera", "presence", "mqtt", "outbox_max", "for_s"):
        assert word in text


def test_a_config_without_a_camera_never_imports_what_is_heavy(tmp_path):
    text = """
        device = "d"
        [source.motor]
        kind = "replay"
        from = "{recording}"
        [rule.hot]
        kind = "threshold"
        value = "temp"
        on_above = 80.0
        off_below = 70.0
        [pipeline.p]
        source = "motor"
        rules = ["hot"]
        [sink.out]
        kind = "jsonl"
        path = "{out}"
    """
    from edgeinfer.recording import Writer
    from tests.samples import at, readings

    with closing(Writer(tmp_path / "rec", "d", at())) as writer:
        writer("source.motor", readings(0))
    config = tmp_path / "c.toml"
    config.write_text(text.format(recording=tmp_path / "rec", out=tmp_path / "out.jsonl"))
    code = (
        "import sys; from edgeinfer.cli.main import main; code = main(['check', sys.argv[1]]); "
        "print([m for m in ('cv2', 'paho', 'ai_edge_litert', 'serial') if m in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")
