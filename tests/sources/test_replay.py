"""The source `replay`."""

from threading import Event

import numpy as np
import pytest

from edgeinfer.clock import SourceStamp
from edgeinfer.errors import InputError
from edgeinfer.events import Back, Frame, Inference, Lost, Readings, Tick
from edgeinfer.ports import SourcePlace
from edgeinfer.recording import Writer
from edgeinfer.sources.replay import Replay
from edgeinfer.testing.clock import FakeClock


def recorded(path, make):
    """A recording of what `make(at)` gives; `at(s)` is the moment at s seconds."""
    writer, start = Writer(path, "press-07", FakeClock().now()), FakeClock(boot="01d").now()
    for seen in make(lambda s: start.later(round(s * 1e9))):
        writer.write(seen)
    writer.close()
    return path


def belt(at):
    yield Frame(("belt", 7), at(0), np.full((2, 2, 3), 5, np.uint8))
    yield Inference(("belt", 7), at(0), ())
    yield Tick(("belt", 8), at(0.01))
    yield Lost(("belt", 9), at(0.02), "gone")
    yield Back(("belt", 10), at(0.03))
    yield Frame(("belt", 11), at(0.04), np.full((2, 2, 3), 6, np.uint8))


def two(at):
    yield from belt(at)
    yield Readings(("motor", 0), at(1), ("temp",), np.ones((1, 1)))


def replay(path, name="belt", report=None, **options):
    clock = FakeClock()
    place = SourcePlace(name, SourceStamp(name, clock), report or (lambda topic, text: None))
    return Replay(Replay.Options(from_=str(path), **options), place)


def test_lockstep_gives_all_samples_with_their_recorded_instants(tmp_path):
    source = replay(recorded(tmp_path / "rec", belt))
    found = list(source.samples(Event()))
    assert source.flow == "lockstep"
    assert [type(s) for s in found] == [Frame, Tick, Lost, Back, Frame]
    assert [s.key for s in found] == [("belt", n) for n in range(5)]
    assert [s.at.mono_ns for s in found] == [0, 10_000_000, 20_000_000, 30_000_000, 40_000_000]
    assert {s.at.boot for s in found} == {"01d"}
    assert (found[4].pixels == 6).all()


def test_one_of_several_sources_is_chosen_by_name_and_named_anew(tmp_path):
    (reading,) = replay(recorded(tmp_path / "rec", two), "press", source="motor").samples(Event())
    assert reading.key == ("press", 0)
    assert reading.channels == ("temp",)


def test_real_pace_gives_new_instants_and_leaves_ticks_to_the_feed(tmp_path):
    source = replay(recorded(tmp_path / "rec", belt), pace="real")
    found = list(source.samples(Event()))
    assert source.flow == "newest"
    assert [type(s) for s in found] == [Frame, Lost, Back, Frame]
    assert {s.at.boot for s in found} == {"feedc0de"}


def test_readings_at_real_pace_are_queued(tmp_path):
    assert replay(recorded(tmp_path / "rec", two), source="motor", pace="real").flow == "queue"


def test_it_stops_when_asked(tmp_path):
    stop = Event()
    samples = replay(recorded(tmp_path / "rec", belt)).samples(stop)
    next(samples)
    stop.set()
    assert list(samples) == []


def test_a_cut_recording_is_reported(tmp_path):
    path = recorded(tmp_path / "rec", belt)
    events = path / "000001/events.jsonl"
    events.write_bytes(events.read_bytes()[:-5])
    told = []
    found = list(replay(path, report=lambda *what: told.append(what)).samples(Event()))
    assert len(found) == 4
    assert told == [("recording", f"{events} is cut off: line 6 is not whole and is left out")]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"source": "blet"}, "^source: no source 'blet' in the recording .*; did you mean 'belt'?"),
        ({}, "^source: say which source of .* is meant: belt, motor"),
    ],
)
def test_a_source_that_is_not_there_or_not_clear_is_told(tmp_path, options, told):
    with pytest.raises(InputError, match=told):
        replay(recorded(tmp_path / "rec", two), **options)


def test_a_recording_without_samples_is_told(tmp_path):
    path = recorded(tmp_path / "rec", lambda at: [Inference(("belt", 0), at(0), ())])
    with pytest.raises(InputError, match="^from: the recording .* holds no samples"):
        replay(path)


def test_what_is_no_recording_is_told(tmp_path):
    with pytest.raises(InputError, match="expected the folder of a recording"):
        replay(tmp_path)
