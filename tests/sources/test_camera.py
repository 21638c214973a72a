import hashlib
import subprocess
import sys
from datetime import datetime, timezone
from threading import Event, Thread

import cv2
import msgspec
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.sources.camera import Camera
from edgeinfer.testing.clock import FakeClock
from edgeinfer.testing.sources import Reports
from tests.sources.conftest import COUNT, FPS, level, make, picture, take, watch

# --- options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"roi": [0, 0, 2, 1]}, "roi: expected"),
        ({"fps": 0}, "fps: expected"),
        ({"size": [0, 0]}, "size: expected"),
        ({"block_s": 0.0}, "block_s: expected"),
        ({"pixel_format": "MPJG"}, "pixel_format: .*did you mean 'MJPG'"),
        ({"pace": "lockstep"}, 'pace: "lockstep" needs a video file'),
        ({"credentials_file": "/nowhere/camera"}, "credentials_file: there is no file"),
    ],
)
def test_an_option_that_is_wrong_in_itself_is_refused_by_the_constructor(options, words):
    with pytest.raises(InputError, match=words):
        make(Camera, from_=0, **options)


@pytest.mark.parametrize(
    "options", [{"rotate": 45}, {"from": 1.5}, {"controls": {"iris": 3}}, {"colour": "red"}]
)
def test_an_option_of_the_wrong_type_or_name_is_refused_by_its_type(options):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"from": 0, **options}, Camera.Options)


def test_the_constructor_touches_no_device_and_imports_no_opencv():
    code = (
        "import sys, msgspec\n"
        "from edgeinfer.sources.camera import Camera\n"
        "from edgeinfer.testing.sources import source_place\n"
        "Camera(msgspec.convert({'from': 97}, Camera.Options), source_place())\n"
        "assert 'cv2' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_starts_at_is_text_or_a_time_of_toml():
    moment = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
    for given in ("2024-02-29T12:00:00Z", moment):
        assert msgspec.convert({"from": 0, "starts_at": given}, Camera.Options).starts_at == moment


def test_the_flow_follows_from_what_is_read(video):
    assert make(Camera, from_=0).flow == "newest"
    assert make(Camera, from_=video).flow == "newest"
    assert make(Camera, from_=video, pace="lockstep").flow == "lockstep"


# --- devices ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "words"), [(97, "no such device /dev/video97"), ("/dev/null", "/dev/null is not a camera")]
)
def test_a_device_that_is_away_or_no_camera_is_lost_and_not_wrong(where, words):
    with pytest.raises(SourceLost, match=words):
        take(make(Camera, from_=where), 1)


# --- files -----------------------------------------------------------------------------------------------


def lockstep(path, **options):
    return make(Camera, from_=path, pace="lockstep", **options)


def test_a_file_in_lockstep_gives_every_picture_and_ends(video):
    frames = list(lockstep(video).samples(Event()))
    assert [level(f.pixels) for f in frames] == list(range(COUNT))
    assert [f.key for f in frames] == [("cam", n) for n in range(COUNT)]


def test_lockstep_moments_come_from_the_file_and_not_from_a_clock(video):
    frames = list(lockstep(video, starts_at="2024-02-29T12:00:00+01:00").samples(Event()))
    start_ns = 1_709_204_400 * 10**9
    assert [f.at.mono_ns for f in frames] == [n * 10**8 for n in range(COUNT)]
    assert frames[3].at.unix_ns == start_ns + 3 * 10**8
    assert (frames[3].at.boot, frames[3].at.synced) == ("replay", False)


def test_lockstep_is_the_same_each_time(pedestrian_video):
    def digest():
        found = hashlib.sha256()
        for frame in take(lockstep(pedestrian_video, fps=3, size=[320, 240], rotate=90), 20):
            found.update(repr((frame.key, frame.at)).encode() + frame.pixels.tobytes())
        return found.hexdigest()

    assert digest() == digest()


def test_a_cap_on_fps_leaves_out_pictures_by_their_moments(video):
    assert [level(f.pixels) for f in lockstep(video, fps=5).samples(Event())] == list(range(0, COUNT, 2))


def test_a_looped_file_does_not_end(video):
    frames = take(lockstep(video, loop=True), 2 * COUNT)
    assert frames[-1].at.mono_ns == (2 * COUNT - 1) * 10**8
    assert level(frames[-1].pixels) == COUNT - 1


def test_a_file_in_real_time_is_stamped_by_the_clock_and_not_faster_than_it_was_made(video):
    frames = list(make(Camera, from_=video, clock=SystemClock()).samples(Event()))
    assert len(frames) == COUNT
    assert frames[-1].at.mono_ns - frames[0].at.mono_ns >= 0.9 * (COUNT - 1) / FPS * 1e9


def test_a_stop_ends_a_file_that_is_played_in_real_time(folder):
    source, stop, found = make(Camera, from_=folder, fps=0.001), Event(), []
    reader = Thread(target=lambda: found.extend(source.samples(stop)))
    reader.start()
    stop.set()
    reader.join(10)
    assert not reader.is_alive()
    assert len(found) <= 1


def test_what_is_no_video_is_wrong_and_not_lost(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("not a video")
    with pytest.raises(InputError, match="is not a video or picture that OpenCV can read"):
        take(make(Camera, from_=path), 1)


def test_rotate_roi_and_size_shape_each_picture(video):
    (frame,) = take(lockstep(video, rotate=90, roi=[0.5, 0.0, 1.0, 0.5]), 1)
    assert frame.pixels.shape == (
        48,
        32,
        3,
    )  # turned it is 64 wide and 96 high; the white corner lies upper right
    assert frame.pixels[4:-4, 4:-4].min() > 240
    (frame,) = take(lockstep(video, size=[48, 32]), 1)
    assert frame.pixels.shape == (32, 48, 3)


def test_a_frame_is_not_written_to_by_the_next(video):
    first, second = take(lockstep(video), 2)
    assert (level(first.pixels), level(second.pixels)) == (0, 1)


def test_what_only_a_device_can_be_told_is_reported(video):
    reports = Reports()
    take(make(Camera, reports, from_=video, pixel_format="MJPG", controls={"gain": 3}), 1)
    assert reports.now["controls"] == "a file cannot be told pixel_format, controls.gain: only a device can"


# --- pictures --------------------------------------------------------------------------------------------


def test_a_folder_is_read_in_the_order_of_names(folder):
    assert [level(f.pixels) for f in lockstep(folder).samples(Event())] == [0, 1, 2]


def test_one_picture_is_a_folder_of_one(folder):
    assert len(list(lockstep(folder / "a.jpg").samples(Event()))) == 1


# --- MJPEG over HTTP -------------------------------------------------------------------------------------


def jpegs(count=4):
    return [cv2.imencode(".jpg", picture(n))[1].tobytes() for n in range(count)]


def test_an_mjpeg_stream_is_read_live(mjpeg_server):
    frames = take(make(Camera, from_=mjpeg_server(jpegs()).url, clock=FakeClock()), 5)
    assert {level(f.pixels) for f in frames} <= {0, 1, 2, 3}
    assert [f.key[1] for f in frames] == [0, 1, 2, 3, 4]


def test_an_mjpeg_stream_that_falls_silent_is_lost_and_read_again_later(mjpeg_server):
    server = mjpeg_server(jpegs())
    source, found = make(Camera, from_=server.url, block_s=0.5), []
    with pytest.raises(SourceLost, match=r"no new picture for 0\.\d s from http://127.0.0.1"):
        watch(source, found, 3, server.silent.set)
    assert len(found) >= 3
    server.silent.clear()
    assert len(take(source, 2)) == 2


def test_a_camera_whose_encoder_hangs_is_lost_and_stays_lost_when_it_is_opened_again(mjpeg_server):
    source = make(Camera, from_=mjpeg_server(jpegs(1), fps=30).url, frozen_s=0.3)
    with pytest.raises(SourceLost, match="one and the same picture"):
        take(source, 10**9)
    found = []
    with pytest.raises(SourceLost, match="one and the same picture"):
        watch(source, found, 1, lambda: None)
    assert found == []


def test_a_stream_that_is_not_there_says_why(mjpeg_server):
    server = mjpeg_server(jpegs())
    with pytest.raises(SourceLost, match="the server knows no stream of that name"):
        take(make(Camera, from_=server.url + "nothing"), 1)
    server.close()
    with pytest.raises(SourceLost, match=r"nothing listens there .*refused"):
        take(make(Camera, from_=server.url), 1)


def test_credentials_reach_the_server_and_nobody_else(mjpeg_server, tmp_path, capfd):
    secret = tmp_path / "camera"
    secret.write_text("alice:hunter2")
    secret.chmod(0o600)
    server, reports = mjpeg_server(jpegs(), login=("alice", "hunter2")), Reports()
    source = make(Camera, reports, from_=server.url, credentials_file=secret)
    assert len(take(source, 2)) == 2
    secret.write_text("alice:hunter2-no-more")
    with pytest.raises(SourceLost, match="does not take the user or password") as refused:
        take(source, 1)
    server.close()
    with pytest.raises(SourceLost, match="nothing listens") as away:
        take(source, 1)
    shown = f"{refused.value} {away.value} {reports}" + "".join(capfd.readouterr())
    assert "hunter2" not in shown
    assert "alice" not in shown


def test_a_server_that_wants_a_password_says_so(mjpeg_server):
    with pytest.raises(SourceLost, match="wants a user and a password: give credentials_file"):
        take(make(Camera, from_=mjpeg_server(jpegs(), login=("alice", "hunter2")).url), 1)


def test_a_credentials_file_that_went_away_later_is_a_lost_source(tmp_path):
    secret = tmp_path / "camera"
    secret.write_text("alice:hunter2")
    secret.chmod(0o600)
    source = make(Camera, from_="rtsp://127.0.0.1:9/x", credentials_file=secret)
    secret.unlink()
    with pytest.raises(SourceLost, match="there is no file"):
        take(source, 1)
