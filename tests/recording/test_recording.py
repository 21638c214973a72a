"""Recordings: what goes in comes out, and what is damaged is told."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer import events as e
from edgeinfer.errors import InputError
from edgeinfer.geometry import Box
from edgeinfer.recording import Bounds, Writer, head_of, kinds, read, segments

AT = e.Instant("feedc0de", 5, 1_790_000_000_000_000_000)

INT64 = st.integers(-(2**63), 2**63 - 1)
ANY = st.floats() | st.integers(-5, 5).map(float)
TEXT = st.text(max_size=8)
INSTANTS = st.builds(e.Instant, TEXT, INT64, INT64, st.booleans())
KEYS = st.tuples(TEXT, INT64)
TRACKS = st.none() | st.integers(0, 9)
BOXES = st.builds(Box, ANY, ANY, ANY, ANY)
FINDINGS = st.one_of(
    st.builds(e.Detection, TEXT, ANY, BOXES, TRACKS),
    st.builds(e.Keypoints, TEXT, ANY, st.lists(st.tuples(ANY, ANY, ANY), max_size=3).map(tuple), TRACKS),
    st.builds(e.Region, TEXT, ANY, st.lists(st.tuples(ANY, ANY), max_size=3).map(tuple), TRACKS),
    st.builds(e.Score, TEXT, ANY, TRACKS),
    st.builds(e.Value, TEXT, ANY, TEXT, TRACKS),
)
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
STATES = st.sampled_from(["unknown", "on", "off"]) | st.integers(0, 99) | st.floats(-9, 9)


@st.composite
def readings(draw):
    rows, width = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    values = np.array(draw(st.lists(ANY, min_size=rows * width, max_size=rows * width)), np.float64)
    channels = tuple(f"c{n}" for n in range(width))
    block = values.reshape(rows, width)
    return e.Readings(
        draw(KEYS), draw(INSTANTS), channels, block, draw(st.integers(0, 10**9)), draw(st.booleans())
    )


@st.composite
def frames(draw):
    shape = draw(st.sampled_from([(1, 1), (3, 5), (1, 1, 3), (4, 6, 3)]))
    pixels = np.frombuffer(draw(st.binary(min_size=72, max_size=72)), np.uint8)[: int(np.prod(shape))]
    return e.Frame(draw(KEYS), draw(INSTANTS), pixels.reshape(shape))


SEEN = st.one_of(
    frames(),
    readings(),
    st.builds(e.Trigger, KEYS, INSTANTS, st.dictionaries(TEXT, TEXT, max_size=2)),
    st.builds(e.Tick, KEYS, INSTANTS),
    st.builds(e.Lost, KEYS, INSTANTS, TEXT),
    st.builds(e.Back, KEYS, INSTANTS),
    st.builds(e.Inference, KEYS, INSTANTS, st.lists(FINDINGS, max_size=3).map(tuple), TEXT, st.dictionaries(TEXT, INT64, max_size=2)),
    st.builds(e.Decision, TEXT, TEXT, TEXT, STATES, INSTANTS, KEYS, st.dictionaries(TEXT, JSON, max_size=2)),
)  # fmt: skip


def form(seen):
    """Two events are the same when these are: arrays as bytes, NaN as itself, 3 and 3.0 apart."""
    if isinstance(seen, e.Frame):
        return ("frame", seen.key, seen.at, seen.pixels.dtype, seen.pixels.shape, seen.pixels.tobytes())
    if isinstance(seen, e.Readings):
        rest = (seen.key, seen.at, seen.channels, seen.period_ns, seen.gap_before)
        return (*rest, seen.values.dtype, seen.values.shape, repr(seen.values.tolist()))
    return repr(seen)


def record(path, *seen, **options):
    writer = Writer(path, "press-07", AT, **options)
    for one in seen:
        writer.write(one)
    writer.close()
    return path


@settings(deadline=None)
@given(st.lists(SEEN, max_size=5))
def test_what_is_recorded_is_read_back_without_loss(tmp_path_factory, seen):
    path = record(tmp_path_factory.mktemp("r") / "rec", *seen)
    assert [form(one) for one in read(path, pytest.fail)] == [form(one) for one in seen]


def frame(n=0, source="belt", shape=(8, 8, 3)):
    return e.Frame((source, n), AT, np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))


def tick(n):
    return e.Tick(("belt", n), AT)


def test_the_head_tells_the_device_and_when(tmp_path):
    head = head_of(record(tmp_path / "rec"))
    assert (head.device, head.version, head.created) == ("press-07", 2, "2026-09-21T14:13:20.000Z")


def test_it_is_readable_by_people(tmp_path):
    path = record(tmp_path / "rec", e.Lost(("belt", 3), AT, "frozen"))
    assert (path / "000001/events.jsonl").read_text() == (
        '{"type":"lost","key":["belt",3],"at":{"boot":"feedc0de","mono_ns":5,"unix_ns":1790000000000000000,'
        '"synced":true},"reason":"frozen"}\n'
    )


def test_kinds_counts_what_is_in_it_without_reading_pictures(tmp_path):
    path = record(tmp_path / "rec", frame(0), frame(1), tick(2), e.Tick(("gate", 0), AT))
    (path / "000001/frames/belt-0.png").unlink()
    assert kinds(path) == {"belt": {"frame": 2, "tick": 1}, "gate": {"tick": 1}}


def test_a_writer_is_a_tap(tmp_path):
    writer = Writer(tmp_path / "rec", "d", AT)
    writer("source.belt", tick(1))
    writer.close()
    assert list(read(tmp_path / "rec")) == [tick(1)]


def test_several_threads_may_write_at_once(tmp_path):
    writer = Writer(tmp_path / "rec", "d", AT)
    threads = [threading.Thread(target=lambda: [writer.write(tick(n)) for n in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert sorted(one.key[1] for one in read(tmp_path / "rec")) == sorted(list(range(200)) * 4)


def test_frames_are_left_out_when_no_pictures_are_wanted(tmp_path):
    assert list(read(record(tmp_path / "rec", frame(), tick(1), pictures=None))) == [tick(1)]


def test_pictures_may_be_smaller_and_not_quite_the_same(tmp_path):
    (read_back,) = read(record(tmp_path / "rec", frame(), pictures="jpg"))
    assert read_back.pixels.shape == (8, 8, 3)
    assert (tmp_path / "rec/000001/frames/belt-0.jpg").exists()


def test_numbers_that_begin_again_overwrite_no_picture(tmp_path):
    first, second = frame(0), e.Frame(("belt", 0), AT, np.zeros((8, 8, 3), np.uint8))
    path = record(tmp_path / "rec", first, second)
    assert [form(one) for one in read(path)] == [form(first), form(second)]


def test_names_of_sources_lead_to_no_other_folder(tmp_path):
    path = record(tmp_path / "rec", frame(source="../../evil/x"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rec"]
    assert [one.key[0] for one in read(path)] == ["../../evil/x"]


def test_the_bound_ends_the_recording_and_says_so(tmp_path, caplog):
    path = tmp_path / "rec"
    writer = Writer(path, "d", AT, bounds=Bounds(max_bytes=4000))
    for n in range(100):
        writer.write(frame(n) if n % 5 == 0 else tick(n))
    writer.close()
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert 3000 < size <= 4000
    assert "max_bytes is reached" in writer.stopped
    assert "max_bytes is reached" in caplog.text
    assert [one.key[1] for one in read(path)] == list(range(len(list(read(path)))))


def test_a_disk_that_fails_ends_the_recording_without_an_error(tmp_path):
    writer = Writer(tmp_path / "rec", "d", AT)
    writer._segment.events.close()
    writer._segment.events = open("/dev/full", "wb", buffering=0)
    writer.write(tick(0))
    assert "No space left" in writer.stopped
    writer.close()


def test_a_cut_file_is_read_up_to_its_last_whole_line(tmp_path):
    path = record(tmp_path / "rec", tick(0), tick(1), tick(2))
    whole = (path / "000001/events.jsonl").read_bytes()
    for cut in range(1, len(whole) // 3):
        (path / "000001/events.jsonl").write_bytes(whole[:-cut])
        told = []
        assert list(read(path, told.append)) == [tick(0), tick(1)]
        assert told == [f"{path}/000001/events.jsonl is cut off: line 3 is not whole and is left out"]


def test_a_missing_or_damaged_picture_is_told_and_left_out(tmp_path):
    path = record(tmp_path / "rec", frame(0), frame(1), frame(2))
    (path / "000001/frames/belt-0.png").unlink()
    (path / "000001/frames/belt-1.png").write_bytes(b"\x89PNG no picture")
    told = []
    assert [one.key[1] for one in read(path, told.append)] == [2]
    assert ["missing" in told[0], "damaged" in told[1], len(told)] == [True, True, 2]


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b"[1]\n", b"{}\n", b'{"type":"tick"}\n', b'{"type":"dance","key":["a",1],"at":{"boot":"","mono_ns":0,"unix_ns":0}}\n', b'{"type":"tick","key":["a","b"],"at":{}}\n'])  # fmt: skip
def test_a_damaged_line_is_refused_with_its_number(tmp_path, line):
    path = record(tmp_path / "rec", tick(0), tick(1))
    with (path / "000001/events.jsonl").open("ab") as file:
        file.write(line)
    with pytest.raises(InputError, match=r"events.jsonl:3: expected"):
        list(read(path))


def broken(path, name, content):
    record(path)
    (path / name).write_bytes(content)


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda path: None, "expected the folder of a recording .*No such file"),
        (lambda path: path.mkdir(), "expected the folder of a recording"),
        (lambda path: path.write_text("x"), "expected the folder of a recording .*Not a directory"),
        (lambda path: broken(path, "recording.json", b"\xff"), "found something else"),
        (lambda path: broken(path, "recording.json", b'{"format": "x"}'), "found something else"),
        (
            lambda path: broken(
                path, "recording.json", b'{"format":"x","version":1,"device":"","created":""}'
            ),
            "found the format 'x'",
        ),
        (lambda path: (record(path) / "000001/events.jsonl").unlink(), "events.jsonl is missing"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, prepare, told):
    path = tmp_path / "rec"
    prepare(path)
    with pytest.raises(InputError, match=told):
        list(read(path))


NEWER = b'{"format":"edgeinfer recording","version":3,"device":"d","created":"","codec":"x"}'


def test_of_a_newer_recording_what_is_readable_is_read_and_the_rest_is_told(tmp_path):
    path = record(tmp_path / "rec", tick(0), tick(1))
    (path / "recording.json").write_bytes(NEWER)
    with (path / "000001/events.jsonl").open("ab") as file:
        file.write(b'{"type":"smell","key":["belt",2],"at":{"boot":"","mono_ns":0,"unix_ns":0}}\n')
    told = []
    assert list(read(path, told.append)) == [tick(0), tick(1)]
    assert "made by a newer edgeinfer (version 3 of the format; this one reads up to 2)" in told[0]
    assert "1 events of the type 'smell'" in told[1]
    assert kinds(path) == {"belt": {"tick": 2, "smell": 1}}


def test_a_newer_recording_without_anything_readable_says_why(tmp_path):
    path = record(tmp_path / "rec")
    (path / "recording.json").write_bytes(NEWER)
    (path / "000001/events.jsonl").unlink()
    with pytest.raises(InputError, match="events.jsonl is missing; made by a newer edgeinfer"):
        head_of(path)


def test_a_recording_of_version_1_is_read(tmp_path):
    path = record(tmp_path / "rec", frame(0), tick(1))
    for part in ("events.jsonl", "frames"):
        (path / "000001" / part).rename(path / part)
    (path / "000001").rmdir()
    (path / "recording.json").write_bytes(NEWER.replace(b"3", b"1"))
    assert [form(one) for one in read(path)] == [form(frame(0)), form(tick(1))]


def at(s):
    return e.Instant("feedc0de", round(s * 1e9), 1_790_000_000_000_000_000 + round(s * 1e9))


def test_it_is_cut_in_segments_by_time_and_by_size(tmp_path):
    ticks = [e.Tick(("belt", n), at(n)) for n in range(25)]
    path = record(tmp_path / "rec", *ticks, bounds=Bounds(segment_s=10))
    assert [p.name for p in segments(path)] == ["000001", "000002", "000003"]
    assert list(read(path)) == ticks
    small = record(tmp_path / "small", *[frame(n) for n in range(6)], bounds=Bounds(segment_bytes=500))
    assert len(segments(small)) >= 3
    assert [one.key[1] for one in read(small)] == list(range(6))


def test_a_ring_drops_the_oldest_segments_and_stays_within_its_size(tmp_path):
    ticks = [e.Tick(("belt", n), at(n)) for n in range(400)]
    path = record(tmp_path / "rec", *ticks, bounds=Bounds(max_bytes=8000, keep="last"))
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    kept = list(read(path))
    assert 6000 < size <= 8000
    assert kept == ticks[-len(kept) :]
    assert segments(path)[0].name != "000001"


def test_what_is_older_than_max_age_is_dropped(tmp_path):
    ticks = [e.Tick(("belt", n), at(n)) for n in range(300)]
    path = record(tmp_path / "rec", *ticks, bounds=Bounds(max_age_s=80))
    kept = list(read(path))
    assert kept == ticks[-len(kept) :]
    assert 80 <= len(kept) <= 110


def test_of_one_source_no_picture_of_another_is_read(tmp_path):
    path = record(tmp_path / "rec", frame(0), frame(0, "gate"))
    (path / "000001/frames/gate-0.png").unlink()
    assert [one.key for one in read(path, pytest.fail, "belt")] == [("belt", 0)]


def test_a_recording_is_never_written_over(tmp_path):
    record(tmp_path / "rec")
    with pytest.raises(InputError, match="there is something already"):
        Writer(tmp_path / "rec", "d", AT)


def test_a_folder_that_cannot_be_written_is_told():
    with pytest.raises(InputError, match="cannot record here"):
        Writer(Path("/proc/rec"), "d", AT)
