"""What can be seen of a device without one; streams and files are in test_camera and test_camera_rtsp."""

import os
from threading import Thread

import cv2
import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.sources.capture import _complaints, _ffmpeg_options, open_device
from tests.waiting import wait_for


class Webcam:
    """Of OpenCV's capture, what a driver answers that does as it likes: 640 x 480, YUYV, 15 fps."""

    def get(self, prop):
        return {
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"YUYV")),
            cv2.CAP_PROP_FRAME_WIDTH: 640.0,
            cv2.CAP_PROP_FRAME_HEIGHT: 480.0,
            cv2.CAP_PROP_FPS: 15.0,
        }[prop]


def test_what_a_driver_ignored_is_told_with_what_it_gives():
    assert _complaints(Webcam(), (1280, 720), "MJPG", 30) == {
        "size": "asked for 1280 x 720, the camera gives 640 x 480",
        "pixel_format": "asked for MJPG, the camera gives YUYV",
        "fps": "asked for 30, the camera gives 15",
    }


@pytest.mark.parametrize("asked", [(None, None, None), ((640, 480), "YUYV", 15), ((640, 480), "YUYV", 5)])
def test_what_was_taken_or_not_asked_for_is_no_complaint(asked):
    assert set(_complaints(Webcam(), *asked).values()) == {None}


def test_a_device_that_is_no_camera_is_not_handed_to_opencv():
    with pytest.raises(SourceLost, match="is not a camera"):
        open_device("/dev/zero", None, None, None, 3.0)


def test_options_for_ffmpeg_hold_for_one_open_at_a_time():
    seen = []

    def other():
        with _ffmpeg_options("other"):
            seen.append(os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"])

    with _ffmpeg_options("mine"):
        waits = Thread(target=other)
        waits.start()
        assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] == "mine"
        assert not seen
    wait_for(lambda: seen == ["other"])
    waits.join()
