"""The camera source against a real RTSP server that dies, freezes and comes back."""

from threading import Thread

import numpy as np
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import SourceLost
from edgeinfer.sources.camera import Camera
from tests.fixtures.cameras import free_port
from tests.sources.conftest import make, take, watch

pytestmark = pytest.mark.slow

BLOCK_S = 1.5


def camera(url, **options):
    return make(Camera, from_=url, block_s=BLOCK_S, clock=SystemClock(), **options)


def watch_until_lost(source, after, do):
    """Reads, does `do()` after so many frames, and returns the error and the age of the last frame then."""
    found = []
    with pytest.raises(SourceLost) as caught:
        watch(source, found, after, do)
    return str(caught.value), age_s(found[-1])


def age_s(frame):
    return (SystemClock().now().mono_ns - frame.at.mono_ns) / 1e9


def test_the_pedestrians_are_seen(rtsp_server, pedestrian_pictures):
    frames = take(camera(rtsp_server(pedestrian_pictures).url), 10)
    assert all(f.pixels.shape == (576, 768, 3) for f in frames)
    assert any(not np.array_equal(frames[0].pixels, f.pixels) for f in frames[1:])


def test_what_piled_up_during_the_open_is_skipped(rtsp_server):
    frames = take(camera(rtsp_server(fps=10).url), 12)
    # Twelve pictures at 10 fps are 1.1 s; a backlog would come within a few milliseconds.
    assert (frames[-1].at.mono_ns - frames[0].at.mono_ns) / 1e9 > 0.8


def test_a_killed_server_is_noticed_refused_and_read_again(rtsp_server, pedestrian_pictures):
    server = rtsp_server(pedestrian_pictures)
    source = camera(server.url)
    error, age = watch_until_lost(source, 5, server.kill)
    assert "gives no more pictures" in error
    assert age < 2 * BLOCK_S
    with pytest.raises(SourceLost, match="nothing listens there"):
        take(source, 1)
    server.start()
    assert len(take(source, 3)) == 3


def test_a_frozen_server_is_noticed_within_twice_block_s_and_read_again(rtsp_server, pedestrian_pictures):
    server = rtsp_server(pedestrian_pictures)
    source = camera(server.url)
    error, age = watch_until_lost(source, 5, server.freeze)
    assert "no new picture for 1.5 s from rtsp://127.0.0.1" in error
    assert age < 2 * BLOCK_S
    with pytest.raises(SourceLost, match=r"cannot open .*: 127.0.0.1 port \d+ does not answer"):
        take(source, 1)
    server.thaw()
    assert len(take(source, 3)) == 3


def test_a_dead_camera_does_not_hold_up_the_opening_of_another(rtsp_server):
    dead, well = rtsp_server(), rtsp_server()
    dead.freeze()
    waits = Thread(
        target=lambda: pytest.raises(SourceLost, take, make(Camera, from_=dead.url, block_s=8.0), 1)
    )
    waits.start()
    assert len(take(camera(well.url), 1)) == 1
    assert waits.is_alive()
    waits.join()


def test_a_server_that_is_not_there_is_refused_at_once():
    with pytest.raises(SourceLost, match="nothing listens there"):
        take(camera(f"rtsp://127.0.0.1:{free_port()}/cam"), 1)


def test_a_wrong_path_is_named(rtsp_server):
    with pytest.raises(SourceLost, match="knows no stream of that name"):
        take(camera(rtsp_server().url + "era"), 1)


def test_udp_is_a_transport_too(rtsp_server):
    assert len(take(camera(rtsp_server().url, transport="udp"), 3)) == 3


def test_user_and_password_open_the_stream_and_are_never_shown(rtsp_server, tmp_path, capfd):
    secret = tmp_path / "camera"
    secret.write_text("alice:hunter2/@:?%&")
    secret.chmod(0o600)
    server = rtsp_server(login=("alice", "hunter2/@:?%&"))
    with pytest.raises(SourceLost, match="wants a user and a password"):
        take(camera(server.url), 1)
    source = camera(server.url, credentials_file=secret)
    assert len(take(source, 2)) == 2
    secret.write_text("alice:hunter3")
    with pytest.raises(SourceLost, match="does not take the user or password") as caught:
        take(source, 1)
    shown = str(caught.value) + "".join(capfd.readouterr())
    assert "hunter" not in shown
    assert "alice" not in shown
