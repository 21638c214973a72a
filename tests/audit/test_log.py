from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.audit import verify
from edgeinfer.audit.files import files, readable
from tests.audit.logs import log, written
from tests.fixtures.disks import fill_up
from tests.runtime.decisions import Board


def kinds(folder: Path) -> list[str]:
    return [line.kind for line in readable(folder)]


def test_a_new_writer_goes_on_where_the_last_one_ended(tmp_path):
    first = written(tmp_path, 3)
    second = log(tmp_path)
    assert (second.n, second.head) == (3, first.head)
    second.write("stop")
    second.close()
    assert verify(tmp_path).last == 4
    assert verify(tmp_path).whole


def test_the_files_stay_within_their_bound(tmp_path):
    written(tmp_path, 500, max_bytes=4_000, keep=3)
    assert len(files(tmp_path)) == 3
    assert sum(file.stat().st_size for file in files(tmp_path)) < 3 * (4_000 + 400)
    assert verify(tmp_path).whole


@pytest.mark.parametrize("cut", [1, 40, 1_000_000])
def test_a_torn_last_line_is_told_and_the_chain_goes_on(tmp_path, cut):
    written(tmp_path, 3)
    file = files(tmp_path)[0]
    content = file.read_bytes()
    start = content.rfind(b"\n", 0, -1) + 1
    file.write_bytes(content[: max(len(content) - cut, start + 1)])
    assert "not whole" in str(verify(tmp_path).findings[0])
    written(tmp_path, 1)
    assert kinds(tmp_path) == ["command", "command", "torn", "command"]
    assert verify(tmp_path).whole
    assert verify(tmp_path).torn == 1


@given(data=st.data())
def test_wherever_a_power_cut_tears_the_file_the_chain_goes_on(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("audit")
    written(folder, 5, max_bytes=600)
    file = files(folder)[-1]
    file.write_bytes(file.read_bytes()[: data.draw(st.integers(0, file.stat().st_size))])
    written(folder, 2, max_bytes=600)
    assert verify(folder).findings == []


def test_a_last_line_that_was_edited_does_not_stop_the_daemon_and_stays_found(tmp_path):
    written(tmp_path, 3)
    file = files(tmp_path)[0]
    file.write_bytes(file.read_bytes().replace(b'"p2"', b'"p9"'))
    written(tmp_path, 1)
    assert kinds(tmp_path) == ["command", "command", "broken", "command"]
    assert [finding.line for finding in verify(tmp_path).findings] == [3]


def test_a_disk_that_is_full_holds_lines_in_memory_and_gets_them_in_order(small_disk):
    disk, board = small_disk(64), Board()
    made = log(disk / "audit", board)
    assert made.write("start")
    ballast = fill_up(disk)
    told = [made.write("command", k=n, text="x" * 3_000) for n in range(4)]
    assert not told[-1]
    assert "takes no lines" in board.now["audit"]
    held = made.held
    assert held > 0
    ballast.unlink()
    assert made.retry()
    assert "audit" not in board.now
    made.close()
    lines = list(readable(disk / "audit"))
    assert [line.facts["k"] for line in lines[1:]] == [0, 1, 2, 3]
    assert verify(disk / "audit").whole


def test_what_no_memory_holds_is_counted_and_told_in_the_chain(small_disk):
    disk = small_disk(1024)
    made = log(disk / "audit")
    ballast = fill_up(disk)
    for n in range(1_200):
        made.write("command", k=n, text="x" * 3_000 if n < 5 else "")
    assert made.missed > 0
    ballast.unlink()
    assert made.retry() or made.retry()
    made.close()
    verdict = verify(disk / "audit")
    assert verdict.missed == made.missed
    assert verdict.findings == []


def test_facts_without_measure_become_a_line_all_the_same(tmp_path):
    made = log(tmp_path)
    made.write("command", args="x" * 100_000)
    made.close()
    assert "longer than" in next(readable(tmp_path)).facts["cut"]
