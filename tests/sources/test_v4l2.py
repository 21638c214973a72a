"""Against a driver that answers as the kernel's do; no camera hangs on the machines that run these tests."""

import errno
import struct

import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.sources.v4l2 import apply_controls, lost, require_camera

CAPTURE, METADATA = 0x1, 0x800000


class Driver:
    """The ioctls of one device: `controls` maps an id to [least, most, step, value, flags]."""

    def __init__(self, caps=CAPTURE, controls=None):
        self.caps, self.controls = caps, controls or {}

    def __call__(self, fd, request, data):
        if request == 0x80685600:
            data[:] = struct.pack(
                "16s32s32s3I12x", b"uvcvideo", b"HD Webcam", b"usb", 0, 0x80000000 | CAPTURE, self.caps
            )
            return
        number = struct.unpack_from("I", data)[0]
        if number not in self.controls:
            raise OSError(errno.EINVAL, "Invalid argument")
        least, most, step, value, flags = self.controls[number]
        if request == 0xC0445624:
            data[:] = struct.pack("II32s4i3I", number, 1, b"", least, most, step, value, flags, 0, 0)
        elif request == 0xC008561C:
            if flags & 4:
                raise OSError(errno.EACCES, "Permission denied")
            wanted = struct.unpack("Ii", data)[1]
            if not least <= wanted <= most:
                raise OSError(errno.ERANGE, "Numerical result out of range")
            self.controls[number][3] = wanted - wanted % step
        else:
            data[:] = struct.pack("Ii", number, value)


EXPOSURE_AUTO, EXPOSURE, AUTOGAIN, GAIN, AUTOFOCUS, FOCUS = (
    0x9A0901,
    0x9A0902,
    0x980912,
    0x980913,
    0x9A090C,
    0x9A090A,
)


def webcam():
    return Driver(
        controls={
            EXPOSURE_AUTO: [0, 3, 1, 3, 0],
            EXPOSURE: [3, 2047, 1, 250, 0],
            GAIN: [0, 100, 10, 0, 0],
            FOCUS: [0, 250, 1, 0, 4],
        }
    )


def test_a_camera_passes():
    require_camera("/dev/null", Driver())


def test_a_metadata_node_is_told_from_the_camera_beside_it():
    with pytest.raises(
        SourceLost, match=r"/dev/null \(HD Webcam\) is not a camera.*another /dev/video number"
    ):
        require_camera("/dev/null", Driver(METADATA))


def test_another_device_is_no_camera():
    with pytest.raises(SourceLost, match="/dev/null is not a camera"):
        require_camera("/dev/null")


def test_a_missing_device_is_named_with_what_to_look_at():
    with pytest.raises(SourceLost, match="no such device /dev/video97.*plugged in"):
        require_camera("/dev/video97")


def test_a_file_is_no_camera(tmp_path):
    (tmp_path / "video0").touch()
    with pytest.raises(SourceLost, match="is not a camera"):
        require_camera(str(tmp_path / "video0"))


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EBUSY, "busy"), (errno.EACCES, "group `video`"), (errno.EIO, "Input/output error")],
)
def test_each_reason_for_which_a_device_does_not_open_has_its_words(number, words):
    assert words in str(lost("/dev/video0", OSError(number, "Input/output error")))


def test_controls_that_are_taken_are_no_complaint():
    driver = webcam()
    assert apply_controls("/dev/null", {"exposure": 100, "gain": 20.0}, driver) == []
    assert (driver.controls[EXPOSURE_AUTO][3], driver.controls[EXPOSURE][3], driver.controls[GAIN][3]) == (
        1,
        100,
        20,
    )


def test_automatic_exposure_is_what_usb_cameras_call_it():
    driver = webcam()
    driver.controls[EXPOSURE_AUTO][3] = 1
    assert apply_controls("/dev/null", {"exposure": "auto"}, driver) == []
    assert driver.controls[EXPOSURE_AUTO][3] == 3


def test_a_value_beyond_the_range_is_answered_with_the_range():
    assert apply_controls("/dev/null", {"exposure": 9999}, webcam()) == [
        "exposure: asked for 9999, the camera has 250 (it takes 3 to 2047 in steps of 1)"
    ]


def test_a_value_that_the_driver_rounds_is_reported():
    (complaint,) = apply_controls("/dev/null", {"gain": 25}, webcam())
    assert complaint.startswith("gain: asked for 25, the camera has 20")


def test_a_control_that_is_read_only_is_reported():
    assert apply_controls("/dev/null", {"focus": 10}, webcam()) == [
        "focus: asked for 10, the camera does not let it be set"
    ]


def test_a_control_that_is_not_there_is_reported():
    assert apply_controls("/dev/null", {"white_balance": 5000, "gain": "auto"}, webcam()) == [
        "white_balance: asked for 5000, the camera has no such control",
        'gain: asked for "auto", the camera has no automatic gain',
    ]


def test_without_controls_the_device_is_not_touched():
    assert apply_controls("/dev/video97", {}) == []
