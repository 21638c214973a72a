import os
import signal
from pathlib import Path
from threading import Event

import msgspec
import numpy as np
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.sources.command import running
from edgeinfer.sources.pipe import Pipe, filled
from edgeinfer.testing.sources import Reports
from tests.sources.conftest import make, take, watch
from tests.waiting import wait_for

SIZE = (160, 120)


FFMPEG = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i"]


def ffmpeg(pixel_format="yuv420p", rate=50):
    test_source = f"testsrc=size={SIZE[0]}x{SIZE[1]}:rate={rate}"
    return [*FFMPEG, test_source, "-f", "rawvideo", "-pix_fmt", pixel_format, "-"]


def pipe(command, reports=None, **options):
    return make(
        Pipe, reports, clock=SystemClock(), **{"command": command, "size": SIZE, "block_s": 5.0} | options
    )


def ffmpegs() -> list[int]:
    """Process ids of this process's children of that name."""
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for path in found for pid in path.read_text().split()]
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text() == "ffmpeg\n"]


# --- options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": []}, "command: expected a program"),
        ({"pixel_format": "yuv420p"}, "pixel_format: .*did you mean 'yuv420'"),
        ({"size": [161, 120]}, "size: yuv420 needs an even width"),
        ({"roi": [1, 0, 0, 1]}, "roi: expected"),
        ({"block_s": 0}, "block_s: expected"),
        (
            {"command": ["vid", "--shutter", "{exposure}"]},
            r"\{exposure\} stands in it; expected controls.exposure",
        ),
        ({"command": ["vid", "--framerate", "{fps}"]}, r"\{fps\} stands in it; expected fps"),
    ],
)
def test_an_option_that_is_wrong_in_itself_is_refused_by_the_constructor(options, words):
    with pytest.raises(InputError, match=words):
        pipe(**{"command": ["vid"]} | options)


def test_placeholders_are_filled_from_size_fps_and_controls():
    written = {
        "command": ["vid", "--mode={width}x{height}", "{fps}", "--gain", "{gain}", "{other}"],
        "size": [640, 480],
        "fps": 12.5,
        "controls": {"gain": 2, "focus": "auto"},
    }
    command, unused = filled(msgspec.convert(written, Pipe.Options))
    assert command == ["vid", "--mode=640x480", "12.5", "--gain", "2", "{other}"]
    assert unused == ["focus"]


def test_a_control_that_the_command_does_not_ask_for_is_reported():
    reports = Reports()
    take(pipe(ffmpeg(), reports, controls={"gain": 2}), 1)
    assert reports.now["controls"] == "`command` does not ask for controls.gain by {gain}: ignored"


# --- pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("yuv420", "yuv420p"),
        ("nv12", "nv12"),
        ("yuyv422", "yuyv422"),
        ("bgr24", "bgr24"),
        ("rgb24", "rgb24"),
        ("gray8", "gray"),
    ],
)
def test_each_pixel_format_gives_the_colour_that_was_sent(ours, theirs):
    colour = [*FFMPEG, "color=0x2850C8:size=160x120:rate=50", "-f", "rawvideo", "-pix_fmt", theirs, "-"]
    (frame,) = take(pipe(colour, pixel_format=ours), 1)
    expected = [87] if ours == "gray8" else [0xC8, 0x50, 0x28]  # luma after BT.601, or blue, green, red
    assert frame.pixels.shape == ((120, 160) if ours == "gray8" else (120, 160, 3))
    assert np.abs(frame.pixels.reshape(-1, len(expected)).mean(axis=0) - expected).max() < 6


def test_pictures_differ_and_earlier_ones_stay_as_they_were():
    for pixel_format, theirs in (("yuv420", "yuv420p"), ("bgr24", "bgr24")):
        frames, copies = [], []
        for frame in take(pipe(ffmpeg(theirs, rate=10), pixel_format=pixel_format), 3):
            frames.append(frame)
            copies.append(frame.pixels.copy())
        assert all(np.array_equal(f.pixels, c) for f, c in zip(frames, copies, strict=True))
        assert not np.array_equal(frames[0].pixels, frames[2].pixels)


def test_rotate_and_roi_shape_each_picture():
    (frame,) = take(pipe(ffmpeg(), rotate=90, roi=[0.0, 0.0, 0.5, 1.0]), 1)
    assert frame.pixels.shape == (160, 60, 3)


def test_fps_is_a_cap():
    frames = take(pipe(ffmpeg(rate=50), fps=10), 6)
    assert (frames[-1].at.mono_ns - frames[0].at.mono_ns) / 1e9 > 0.4


def test_only_the_newest_whole_picture_that_waits_is_given():
    source = pipe(["unused"], size=[10, 20], pixel_format="gray8")
    writer = (
        "for level in 1 2 3; do printf '%200s' | tr ' ' $level; done; printf 'a part of the fourth'; sleep 60"
    )
    with running(["sh", "-c", writer]) as command:
        wait_for(lambda: command.waiting() == 620)
        picture = next(source._pictures(command, Event()))
    assert (picture == ord("3")).all()


# --- faults ----------------------------------------------------------------------------------------------


def test_a_command_that_ends_is_lost_with_its_words():
    with pytest.raises(SourceLost, match="ffmpeg ended by itself .exit code"):
        take(pipe(["ffmpeg", "-v", "error", "-i", "/nowhere.avi", "-f", "rawvideo", "-"]), 1)


def test_garbage_that_is_too_short_for_a_picture_is_no_picture():
    with pytest.raises(SourceLost, match="after 6 of the 28800 bytes of a picture"):
        take(pipe(["echo", "hello"]), 1)


def test_garbage_without_end_makes_noise_and_no_crash():
    assert len(take(pipe(["cat", "/dev/urandom"]), 3)) == 3


def lost_after(source, signal_number):
    """Reads two pictures, sends the signal, and returns why the source was lost and how old the last one was."""
    found = []
    with pytest.raises(SourceLost) as caught:
        watch(source, found, 2, lambda: [os.kill(pid, signal_number) for pid in ffmpegs()])
    return str(caught.value), (SystemClock().now().mono_ns - found[-1].at.mono_ns) / 1e9


def test_a_frozen_command_is_noticed_within_twice_block_s_and_started_again():
    source = pipe(ffmpeg(), block_s=1.0)
    error, age_s = lost_after(source, signal.SIGSTOP)
    assert "ffmpeg gave no whole picture for 1.0 s" in error
    assert age_s < 3.0  # with the second that it is given to end by itself
    assert ffmpegs() == []
    assert len(take(source, 2)) == 2


def test_a_killed_command_is_noticed_and_started_again():
    source = pipe(ffmpeg())
    error, _ = lost_after(source, signal.SIGKILL)
    assert "was killed by signal SIGKILL" in error
    assert len(take(source, 2)) == 2
    assert ffmpegs() == []


def test_a_stop_ends_the_command():
    stop, source = Event(), pipe(ffmpeg())
    for _ in source.samples(stop):
        stop.set()
    assert ffmpegs() == []


def test_a_picture_that_never_changes_is_lost_when_asked_for():
    with pytest.raises(SourceLost, match="one and the same picture"):
        take(pipe(["cat", "/dev/zero"], frozen_s=0.2), 10**9)
