"""The recorder's thread: nobody waits for it, and what it cannot keep up with is told."""

import threading

import numpy as np
import pytest

from edgeinfer.events import Frame
from edgeinfer.recording import Recorder, Writer, kinds, read
from edgeinfer.taps import Account
from tests.samples import at, frame, tick


def big(n):
    return Frame(("cam", n), at(n), np.zeros((100, 100, 3), np.uint8))


def test_all_that_it_was_shown_is_written_when_it_is_closed(tmp_path):
    seen = []
    recorder = Recorder(Writer(tmp_path / "rec", "d", at()), seen.append)
    for n in range(20):
        recorder("source.cam", frame(n))
        recorder("source.cam", tick(n))
    recorder.close()
    assert [one.key[1] for one in read(tmp_path / "rec")] == [n for n in range(20) for _ in range(2)]
    assert len(seen) == 40
    assert recorder.dropped == 0


def test_pictures_that_come_too_fast_are_dropped_counted_and_recorded_as_such(tmp_path):
    writer = Writer(tmp_path / "rec", "d", at())
    recorder = Recorder(writer, max_waiting_bytes=3 * 30_000)
    with writer._lock:  # a disk that is slow
        for n in range(10):
            recorder("source.cam", big(n))
        recorder("source.cam", tick(10))
    recorder.close()
    told = []
    kept = [one.key[1] for one in read(tmp_path / "rec", told.append)]
    assert recorder.dropped in {6, 7}  # one may be in work already
    assert len(kept) == 11 - recorder.dropped
    assert kept[-1] == 10
    assert sum(int(text.split(": ")[1].split()[0]) for text in told) == recorder.dropped
    assert kinds(tmp_path / "rec")["cam"]["dropped"] == len(told) >= 1


def test_who_shows_it_something_does_not_wait_for_the_disk(tmp_path):
    writer = Writer(tmp_path / "rec", "d", at())
    recorder = Recorder(writer)
    shown = threading.Event()
    with writer._lock:
        thread = threading.Thread(target=lambda: (recorder("source.cam", big(0)), shown.set()))
        thread.start()
        assert shown.wait(5)
    thread.join()
    recorder.close()


def test_accounts_are_left_out(tmp_path):
    recorder = Recorder(Writer(tmp_path / "rec", "d", at()))
    recorder("pipeline.p", Account((), (), {}))
    recorder("source.cam", tick(1))
    recorder.close()
    assert list(read(tmp_path / "rec", pytest.fail)) == [tick(1)]
