"""The pictures of the page."""

from __future__ import annotations

from itertools import islice
from threading import Event

import cv2
import numpy as np
import pytest

from edgeinfer.events import Frame
from edgeinfer.web.live import Pictures
from edgeinfer.web.view import View
from tests.samples import at

ZONE = [((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))]


def shown(pixels, zones=()):
    view = View()
    view.tap("source.cam", Frame(("cam", 1), at(), pixels))
    return Pictures(view, lambda _source: (zones, ()))


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("shape", [(480, 640, 3), (480, 640)])
def test_zones_are_drawn_into_the_picture_and_not_into_the_frame(shape):
    pixels = np.zeros(shape, np.uint8)
    key, jpeg = shown(pixels, ZONE).jpeg("cam")
    assert key == ("cam", 1)
    assert decoded(jpeg)[120, 320, 2] > 150  # BGR: the edge of the zone is yellow
    assert not pixels.any()


def test_the_picture_to_draw_on_is_plain():
    assert decoded(shown(np.zeros((480, 640, 3), np.uint8), ZONE).jpeg("cam", plain=True)[1]).max() < 20


def test_a_large_picture_is_sent_small():
    assert decoded(shown(np.zeros((1080, 1920, 3), np.uint8)).jpeg("cam")[1]).shape == (360, 640, 3)


def test_a_second_viewer_gets_what_was_made_for_the_first():
    pictures = shown(np.zeros((48, 64, 3), np.uint8))
    assert pictures.jpeg("cam")[1] is pictures.jpeg("cam")[1]


def test_a_stream_ends_when_the_daemon_stops_and_nobody_watches_then():
    pictures, stop = shown(np.zeros((48, 64, 3), np.uint8)), Event()
    stream = pictures.stream("cam", 100, stop)
    begin, part = islice(stream, 2)
    assert begin == b"--frame\r\n"
    assert part.endswith(b"\r\n--frame\r\n")
    assert pictures.view._watched == {"cam": 1}
    stop.set()
    assert list(stream) == []
    assert pictures.view._watched == {"cam": 0}
