"""The event recorder: pictures from before and after a decision, on disk only when there was one."""

import msgspec
import numpy as np
import pytest

from edgeinfer.events import Decision, Entry, Frame, Inference
from edgeinfer.recording import read
from edgeinfer.recording.accounts import Why, why
from edgeinfer.runtime.aside import Aside
from edgeinfer.runtime.event_recorder import EventRecorder, Keep
from edgeinfer.runtime.event_shelf import EventShelf, find_event
from edgeinfer.runtime.health import Health
from edgeinfer.taps import Account, Taps
from edgeinfer.testing.clock import FakeClock
from tests.samples import at

FPS = 5
RNG = np.random.default_rng(1)


class Line:
    """A recorder that is shown what a feed and a pipeline would show it."""

    def __init__(self, folder, max_bytes=10_000_000, **keep):
        self.folder, self.taps, self.aside = folder, Taps(), Aside()
        self.health, self.fatal = Health(FakeClock()), []
        options = {"rules": frozenset(), "before_s": 2.0, "after_s": 1.0} | keep
        keeps = [Keep("watch", ("cam",), **options)]
        self.recorder = EventRecorder(
            keeps, EventShelf(folder / "events", max_bytes), self.why, self.aside, "d", self.taps, self.health,
            lambda _, error: self.fatal.append(error),
        )  # fmt: skip
        self.recorder.start()

    def why(self, entry, account):
        return why(entry, account, {"score": 0.5}, [])

    def show(self, first, last):
        """Pictures `first` to `last`, five a second."""
        for n in range(first, last + 1):
            pixels = RNG.integers(0, 255, (40, 60, 3), np.uint8)
            self.taps("source.cam", Frame(("cam", n), at(n / FPS), pixels))

    def decide(self, n, rule="r", state="on", identity=None):
        decision = Decision("watch", rule, "cam", state, at(n / FPS), ("cam", n))
        entry = Entry(1, identity or f"decision{n:08d}", "test", "d", decision, "m@1", "sha256:c", 1.0)
        inference = Inference(("cam", n), at(n / FPS), (), "m@1", {"invoke": 2_000_000})
        self.taps("pipeline.watch", inference)
        self.taps("pipeline.watch", Account((entry,), (inference,), {"r": "off", "q": 3}))
        return entry.id

    def stop(self):
        assert self.recorder.stop(10)
        assert not self.fatal, self.fatal
        return sorted((self.folder / "events").glob("*-*"))

    @property
    def post(self):
        return self.health.post("events")


def pictures(event):
    return [seen.key[1] for seen in read(event, pytest.fail) if isinstance(seen, Frame)]


def test_pictures_from_before_and_after_a_decision_are_kept(tmp_path):
    line = Line(tmp_path)
    line.show(0, 30)
    identity = line.decide(30)
    line.show(31, 60)
    (event,) = line.stop()
    assert event.name.endswith(f"-{identity}")
    assert pictures(event) == list(range(20, 36))
    assert line.post.meters.counters["kept"] == 1
    assert line.post.meters.gauges["events"] == 1
    assert line.post.meters.gauges["bytes"] == sum(f.stat().st_size for f in event.rglob("*") if f.is_file())


def test_without_a_decision_nothing_is_written(tmp_path):
    line = Line(tmp_path)
    line.show(0, 50)
    assert line.stop() == []
    assert not (tmp_path / "events").exists()


def test_what_was_decided_stands_beside_the_pictures(tmp_path):
    line = Line(tmp_path)
    line.show(0, 3)
    identity = line.decide(3)
    (event,) = line.stop()
    found, known = find_event(tmp_path, identity)
    assert found == event
    assert isinstance(known, Why)
    assert known.states == {"r": ["off", "on"], "q": [3, 3]}
    assert (known.timings_ms, known.rule, known.key) == ({"invoke": 2.0}, {"score": 0.5}, ("cam", 3))
    assert find_event(tmp_path, "somethingelse123") is None


def test_decisions_that_follow_one_another_are_one_event_that_lasts_longer(tmp_path):
    line = Line(tmp_path)
    line.show(0, 10)
    first = line.decide(10)
    line.show(11, 14)
    second = line.decide(14)
    line.show(15, 40)
    (event,) = line.stop()
    assert pictures(event) == list(range(20))
    assert find_event(tmp_path, first)[0] == find_event(tmp_path, second)[0] == event


def test_only_the_rules_that_are_named_and_no_unknown_state(tmp_path):
    line = Line(tmp_path, rules=frozenset({"q"}))
    line.show(0, 10)
    line.decide(10, "r")
    line.decide(10, "q", "unknown")
    assert line.stop() == []


def test_the_oldest_events_make_room(tmp_path):
    line = Line(tmp_path, max_bytes=120_000)
    for n in range(0, 300, 30):
        line.show(n, n + 20)
        line.decide(n + 20)
        line.show(n + 21, n + 29)
    events = line.stop()
    assert 1 <= len(events) < 10
    assert sum(f.stat().st_size for e in events for f in e.rglob("*") if f.is_file()) <= 120_000
    assert events[-1].name.endswith("decision00000290")
    assert line.post.meters.counters["dropped"] == 10 - len(events)


def test_events_of_an_earlier_run_count(tmp_path):
    line = Line(tmp_path)
    line.show(0, 5)
    line.decide(5)
    line.stop()
    assert EventShelf(tmp_path / "events", 1000).count == 1


def test_pictures_may_be_thinned_out(tmp_path):
    line = Line(tmp_path, fps=1.0)
    line.show(0, 10)
    line.decide(10)
    (event,) = line.stop()
    assert pictures(event) == [0, 5, 10]


def test_a_disk_that_does_not_take_them_is_told_and_holds_up_nobody(tmp_path):
    (tmp_path / "events").write_text("no folder")
    line = Line(tmp_path)
    line.show(0, 10)
    line.decide(10)
    line.stop()
    assert "pictures of decisions are not kept" in line.post.notes["disk"]
    assert "look after the disk" in line.post.notes["disk"]


@pytest.mark.slow
def test_a_disk_that_is_full_is_told(small_disk):
    line = Line(small_disk(200))
    for n in range(0, 900, 30):
        line.show(n, n + 20)
        line.decide(n + 20)
        line.show(n + 21, n + 29)
        if "disk" in line.post.notes:
            break
    line.stop()
    assert "No space left" in line.post.notes["disk"]


def test_a_thumbnail_goes_aside(tmp_path):
    line = Line(tmp_path, thumbnail=True)
    line.show(0, 10)
    identity = line.decide(10)
    line.stop()
    (one,) = line.aside.after(0)
    assert (one.rule, one.id, one.jpeg[:2]) == ("r", identity, b"\xff\xd8")


def test_pictures_that_come_too_fast_are_counted_and_not_waited_for(tmp_path):
    line = Line(tmp_path)
    huge = np.zeros((4000, 4000, 3), np.uint8)  # 48 MB: two do not fit
    with line.recorder._wake:
        for n in range(3):
            line.taps("source.cam", Frame(("cam", n), at(n), huge))
        assert line.post.meters.counters["missed"] == 2
    line.stop()


def test_a_file_that_was_cut_off_is_no_event(tmp_path):
    folder = tmp_path / "events/1-a/decisions"
    folder.mkdir(parents=True)
    (folder / "abc.json").write_bytes(msgspec.json.encode({"decision": 1})[:-1])
    assert find_event(tmp_path, "abc") is None
