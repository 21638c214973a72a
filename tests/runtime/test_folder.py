from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgeinfer.errors import StateError
from edgeinfer.runtime.folder import StateFolder


def test_a_second_daemon_on_the_same_folder_is_refused_and_told_by_whom(tmp_path):
    first = StateFolder(tmp_path / "state")
    with pytest.raises(StateError, match=f"process {os.getpid()}"):
        StateFolder(tmp_path / "state")
    first.close()
    StateFolder(tmp_path / "state").close()


def test_a_dead_daemon_leaves_no_lock_behind(tmp_path):
    code = f"from pathlib import Path; from edgeinfer.runtime.folder import StateFolder; import os; f = StateFolder(Path({str(tmp_path)!r})); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    StateFolder(tmp_path).close()


def test_a_file_in_the_folders_place_is_told(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match="cannot be used"):
        StateFolder(tmp_path / "state")
