from pathlib import Path

import pytest

from edgeinfer.errors import InputError
from edgeinfer.sources.origin import Device, Pictures, Stream, Video, origin


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (0, Device("/dev/video0")),
        (7, Device("/dev/video7")),
        ("/dev/v4l/by-id/usb-cam-index0", Device("/dev/v4l/by-id/usb-cam-index0")),
        ("rtsp://10.0.0.7/stream", Stream("rtsp://10.0.0.7/stream")),
        ("http://10.0.0.7/mjpeg", Stream("http://10.0.0.7/mjpeg")),
    ],
)
def test_a_name_tells_what_it_names(named, expected):
    assert origin(named) == expected


def test_files_and_folders_are_told_apart(video, folder):
    assert origin(str(video)) == Video(video)
    assert origin(str(folder)) == Pictures(folder)
    assert origin(str(folder / "a.jpg")) == Pictures(folder / "a.jpg")


def test_pictures_come_in_the_order_of_their_names_and_nothing_else_comes(folder):
    assert [p.name for p in Pictures(folder).paths()] == ["a.jpg", "b.bmp", "c.png"]


def test_a_missing_file_is_answered_with_the_nearest_name(video):
    with pytest.raises(InputError, match="there is no file or folder .*did you mean 'clip.avi'"):
        origin(str(video.with_name("clap.avi")))


def test_a_missing_folder_has_no_nearest_name():
    with pytest.raises(InputError, match="there is no file or folder 'nowhere/at/all.avi'$"):
        origin("nowhere/at/all.avi")


def test_a_quoted_number_is_told_how_to_be_written():
    with pytest.raises(InputError, match="from = 0"):
        origin("0")


def test_a_negative_number_is_no_device():
    with pytest.raises(InputError, match="device number from 0 up, found -1"):
        origin(-1)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected pictures .* found none"):
        origin(str(tmp_path))


def test_an_unknown_scheme_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="found rstp://; did you mean 'rtsp'"):
        origin("rstp://10.0.0.7/stream")


@pytest.mark.parametrize("url", ["rtsp:///stream", "rtsp://cam:99999/stream", "http://"])
def test_a_url_without_a_host_or_with_a_port_that_is_none_is_refused(url):
    with pytest.raises(InputError, match="from: expected .*://host"):
        origin(url)


def test_a_password_in_the_url_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="credentials_file") as caught:
        origin("rtsp://admin:hunter2@10.0.0.7/stream")
    assert "hunter2" not in str(caught.value)
    assert "admin" not in str(caught.value)
    assert "10.0.0.7" in str(caught.value)


def test_an_origin_is_shown_as_the_user_wrote_it(tmp_path):
    assert str(Video(Path("a.avi"))) == "a.avi"
    assert str(Device("/dev/video0")) == "/dev/video0"
