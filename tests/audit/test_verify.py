from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.audit import verify
from edgeinfer.audit.files import files
from tests.audit.logs import log, written

COUNT = 40
SMALL = {"max_bytes": 2_000, "keep": 3}
within = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of several files, the oldest of which are gone."""
    written(tmp_path, COUNT, **SMALL)
    assert len(files(tmp_path)) == 3
    return tmp_path


class Restored:
    """Whatever is done to the files in the block, they are as before after it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> list[Path]:
        self._before = {file: file.read_bytes() for file in files(self._folder)}
        return list(self._before)

    def __exit__(self, *_: object) -> None:
        for file in files(self._folder):
            file.unlink()
        for file, content in self._before.items():
            file.write_bytes(content)


def test_a_log_that_nobody_touched_is_whole_also_over_files_that_went(folder):
    verdict = verify(folder)
    assert verdict.findings == []
    assert verdict.first > 1
    assert verdict.last >= COUNT


@within
@given(st.data())
def test_any_single_byte_edit_is_found(folder, data):
    with Restored(folder) as there:
        file = data.draw(st.sampled_from(there))
        content = bytearray(file.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
        file.write_bytes(content)
        assert not verify(folder).whole


@within
@given(st.data())
def test_any_removed_line_is_found_with_the_head_that_somebody_kept(folder, data):
    head = verify(folder).head
    with Restored(folder) as there:
        file = data.draw(st.sampled_from(there))
        lines = file.read_bytes().splitlines(keepends=True)
        gone = data.draw(st.integers(0, len(lines) - 1))
        file.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        assert not verify(folder, head).whole


@within
@given(st.data())
def test_two_lines_that_changed_places_are_found(folder, data):
    with Restored(folder) as there:
        file = data.draw(st.sampled_from(there))
        lines = file.read_bytes().splitlines(keepends=True)
        one, two = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True))
        lines[one], lines[two] = lines[two], lines[one]
        file.write_bytes(b"".join(lines))
        assert not verify(folder).whole


@within
@given(st.data())
def test_a_line_that_is_there_twice_is_found(folder, data):
    with Restored(folder) as there:
        file = data.draw(st.sampled_from(there))
        lines = file.read_bytes().splitlines(keepends=True)
        twice = data.draw(st.integers(0, len(lines) - 1))
        file.write_bytes(b"".join([*lines[:twice], lines[twice], *lines[twice:]]))
        assert not verify(folder).whole


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_was_taken_away_is_found(folder, which):
    files(folder)[which].unlink()
    assert "missing" in str(verify(folder).findings[0])


def test_where_a_line_was_edited_is_said_with_file_and_line(folder):
    file = files(folder)[1]
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"ok":true', b'"ok":false')
    file.write_bytes(b"".join(lines))
    assert str(verify(folder).findings[0]) == f"{file.name}:3: the line was changed: its hash does not fit"


def test_a_line_that_was_sealed_anew_breaks_the_chain_behind_it(folder, tmp_path):
    file = files(folder)[1]
    lines = file.read_bytes().splitlines(keepends=True)
    forged = log(tmp_path / "forged")
    forged.write("command", command="resume")
    forged.close()
    lines[2] = files(tmp_path / "forged")[0].read_bytes()
    file.write_bytes(b"".join(lines))
    assert [finding.line for finding in verify(folder).findings] == [3, 4]


def test_a_tail_that_was_cut_off_is_found_only_with_a_head(folder):
    head, file = verify(folder).head, files(folder)[-1]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    assert verify(folder).whole  # nothing in the files tells
    assert "cut off its end" in str(verify(folder, head).findings[0])


def test_a_head_that_somebody_kept_says_how_much_came_since(folder):
    head = verify(folder).head
    written(folder, 2, **SMALL)
    assert verify(folder, head).since == 2
    assert verify(folder, head).whole


def test_a_log_written_anew_is_found_with_a_head(folder, tmp_path):
    head = verify(folder).head
    for file in files(folder):
        file.unlink()
    written(folder, COUNT)
    assert verify(folder).whole
    assert not verify(folder, head).whole


def test_an_empty_folder_is_an_empty_chain(tmp_path):
    assert verify(tmp_path).last == 0
    assert verify(tmp_path).whole
