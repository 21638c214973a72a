import contextlib
from pathlib import Path

import pytest

from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.events import Acked, Message, Sent
from edgeinfer.ports import SinkPlace, no_will
from edgeinfer.sinks.jsonl import Jsonl
from tests.runtime.decisions import Board
from tests.waiting import wait_for


def jsonl(path: Path, board: Board | None = None, **options) -> Jsonl:
    return Jsonl(
        Jsonl.Options(path=str(path), **options), SinkPlace("log", "dev", "m", no_will, board or Board())
    )


def line(n: int) -> Message:
    return Message("t/decision/r", b'{"n":%d}' % n, seq=n)


def test_each_decision_is_a_line(tmp_path):
    sink = jsonl(tmp_path / "new" / "log.jsonl")
    assert sink.wait_ready(1)
    assert sink.send([line(1), line(2)]) == [Acked(), Acked()]
    sink.close()
    assert (tmp_path / "new" / "log.jsonl").read_text() == '{"n":1}\n{"n":2}\n'


def test_what_settles_no_entry_is_not_written(tmp_path):
    sink = jsonl(tmp_path / "log.jsonl")
    sink.wait_ready(1)
    assert sink.send([Message("t/status", b"online", retain=True)]) == [Sent()]
    sink.close()
    assert (tmp_path / "log.jsonl").read_text() == ""


def test_a_file_that_is_there_is_continued(tmp_path):
    (tmp_path / "log.jsonl").write_text("before\n")
    sink = jsonl(tmp_path / "log.jsonl")
    sink.wait_ready(1)
    sink.send([line(1)])
    sink.close()
    assert (tmp_path / "log.jsonl").read_text() == 'before\n{"n":1}\n'


@pytest.mark.parametrize("half", ['{"n":2', "x" * 100_000])
def test_half_a_line_of_who_was_killed_is_taken_back(tmp_path, half):
    (tmp_path / "log.jsonl").write_text('{"n":1}\n' + half)
    sink = jsonl(tmp_path / "log.jsonl")
    sink.wait_ready(1)
    sink.send([line(2)])
    sink.close()
    assert (tmp_path / "log.jsonl").read_text() == '{"n":1}\n{"n":2}\n'


def test_a_file_of_nothing_but_half_a_line_starts_anew(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"n"')
    sink = jsonl(tmp_path / "log.jsonl")
    sink.wait_ready(1)
    sink.close()
    assert (tmp_path / "log.jsonl").read_text() == ""


def test_the_last_line_before_a_silence_reaches_the_disk_too(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fdatasync", synced.append)
    sink = jsonl(tmp_path / "log.jsonl", sync_s=0.05)
    sink.wait_ready(1)
    sink.send([line(1)])
    sink.send([line(2)])
    before = len(synced)
    wait_for(lambda: sink.wait_ready(1) and len(synced) > before)
    assert sink.wait_ready(1)
    assert len(synced) == before + 1  # nothing new: nothing to do
    sink.close()


def test_a_full_file_is_rotated_and_the_oldest_goes(tmp_path):
    sink = jsonl(tmp_path / "log.jsonl", max_bytes=10, keep=2)
    sink.wait_ready(1)
    for n in range(1, 6):
        sink.send([line(n)])
    sink.close()
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"log.jsonl": '{"n":5}\n', "log.jsonl.1": '{"n":4}\n', "log.jsonl.2": '{"n":3}\n'}


def test_keeping_none_starts_the_file_anew(tmp_path):
    sink = jsonl(tmp_path / "log.jsonl", max_bytes=10, keep=0)
    sink.wait_ready(1)
    for n in range(1, 4):
        sink.send([line(n)])
    sink.close()
    assert [path.read_text() for path in tmp_path.iterdir()] == ['{"n":3}\n']


def test_a_file_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    board = Board()
    assert not jsonl(tmp_path / "file" / "log.jsonl", board).wait_ready(0.01)
    assert "cannot be opened" in board.now["file"]


def test_options_out_of_range_are_refused(tmp_path):
    with pytest.raises(InputError, match="keep"):
        jsonl(tmp_path / "log.jsonl", keep=-1)


def write_until_full(sink: Jsonl) -> int:
    taken = 0
    with contextlib.suppress(DeliveryError):
        for taken in range(10_000):
            sink.send([Message("t", b"y" * 700, seq=taken)])
    return taken


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_leaves_no_half_line(small_disk):
    folder, board = small_disk(64), Board()
    sink = jsonl(folder / "log.jsonl", board)
    sink.wait_ready(1)
    (folder / "ballast").write_bytes(b"x" * 50_000)
    taken = write_until_full(sink)
    assert "decisions wait" in board.now["file"]
    (folder / "ballast").unlink()
    sink.send([Message("t", b"y" * 700, seq=taken)])
    assert "file" not in board.now
    sink.close()
    assert {len(line) for line in (folder / "log.jsonl").read_bytes().splitlines()} == {700}
    assert len((folder / "log.jsonl").read_bytes().splitlines()) == taken + 1
