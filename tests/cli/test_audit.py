from __future__ import annotations

import json

import pytest

from edgeinfer.audit import verify
from edgeinfer.audit.files import files
from edgeinfer.cli.main import main
from tests.audit.logs import AT, written


@pytest.fixture
def folder(tmp_path):
    written(tmp_path, 5)
    return tmp_path


def test_a_whole_log_is_told_with_its_head_and_what_it_cannot_know(folder, capsys):
    assert main(["audit", "verify", str(folder)]) == 0
    said = capsys.readouterr().out
    assert verify(folder).head in said
    assert "--head" in said


def test_an_edit_is_told_with_file_and_line(folder, capsys):
    file = files(folder)[0]
    file.write_bytes(file.read_bytes().replace(b'"p3"', b'"p9"'))
    assert main(["audit", "verify", str(folder)]) == 1
    assert f"{file.name}:4: the line was changed" in capsys.readouterr().out
    assert main(["audit", "verify", str(folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["line"] == 4


def test_a_head_that_somebody_kept_proves_the_tail(folder, capsys):
    head = verify(folder).head
    written(folder, 2)
    assert main(["audit", "verify", str(folder), "--head", head]) == 0
    assert "2 lines came since" in capsys.readouterr().out
    assert main(["audit", "verify", str(folder), "--head", "0123"]) == 1


def test_lines_are_shown_since_a_moment(folder, capsys):
    assert main(["audit", "show", str(folder)]) == 0
    assert "command=pause" in capsys.readouterr().out
    assert main(["audit", "show", str(folder), "--since", AT, "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert main(["audit", "show", str(folder), "--since", "2026-11-25"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["audit", "show", str(folder), "--kind", "start"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("since", ["yesterday", "99999999999d", "2026-99-01"])
def test_a_moment_that_is_none_is_told(folder, since, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["audit", "show", str(folder), "--since", since])
    assert "expected a date" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["audit", "verify", str(tmp_path / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err
