from __future__ import annotations

import json

from edgeinfer.cli.main import main
from firmware_bridge.flash.hexfile import write_hex
from firmware_bridge.flash.image import Image


def pack(tmp_path):
    (tmp_path / "motor.hex").write_text(write_hex(Image(0, b"firmware" * 100)))
    out = tmp_path / "motor.efw"
    words = ["--board", "uno", "--name", "motor", "--version", "2.1.0", "-o", str(out)]
    assert main(["firmware", "pack", str(tmp_path / "motor.hex"), *words]) == 0
    return out


def test_what_is_packed_is_described(tmp_path, capsys):
    out = pack(tmp_path)
    capsys.readouterr()
    assert main(["firmware", "info", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["board"], found["flasher"], found["parts"][0]["length"]) == ("uno", "avrdude", 800)


def test_an_unknown_port_is_told_logged_and_nothing_is_written(tmp_path, capsys):
    out, state = pack(tmp_path), str(tmp_path / "state")
    code = main(["firmware", "flash", str(out), "--port", str(tmp_path / "none"), "--state", state])
    assert code == 2
    said = capsys.readouterr().out
    assert "there is no such port" in said
    assert "nothing was written" in said
    assert main(["firmware", "history", "--json", "--state", state]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["result"] == "refused"


def test_a_package_that_is_none_is_told(tmp_path, capsys):
    (tmp_path / "x.efw").write_bytes(b"PK garbage")
    assert main(["firmware", "info", str(tmp_path / "x.efw")]) == 2
    assert "expected a firmware package" in capsys.readouterr().err


def test_resuming_without_a_broken_run_is_told(tmp_path, capsys):
    assert main(["firmware", "flash", "--resume", "--port", "p", "--state", str(tmp_path)]) == 2
    assert "nothing to resume" in capsys.readouterr().err
