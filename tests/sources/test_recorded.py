import random
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from edgeinfer.errors import InputError
from edgeinfer.sources.origin import Pictures, Video
from edgeinfer.sources.recorded import recorded
from edgeinfer.testing.sources import Reports
from tests.sources.conftest import COUNT, level


def seen(origin, fps=None, reports=None, *, loop=False, count=10_000):
    """Position in ms and level of each picture; None where it cannot be decoded."""
    found = []
    for position_ns, load in islice(recorded(origin, fps, reports or Reports(), loop=loop), count):
        pixels = load()
        found.append((position_ns / 1e6, None if pixels is None else level(pixels)))
    return found


def test_a_video_gives_all_its_pictures_at_their_moments(video):
    assert seen(Video(video)) == [(100.0 * n, n) for n in range(COUNT)]


def test_a_looped_video_goes_on_in_time(video):
    found = seen(Video(video), loop=True, count=COUNT + 2)
    assert found[COUNT:] == [(100.0 * COUNT, 0), (100.0 * (COUNT + 1), 1)]


def test_a_folder_gives_one_picture_a_second_unless_told(folder):
    assert seen(Pictures(folder)) == [(0.0, 0), (1000.0, 1), (2000.0, 2)]
    assert seen(Pictures(folder), fps=4) == [(0.0, 0), (250.0, 1), (500.0, 2)]


def test_a_looped_folder_goes_on_in_time(folder):
    assert seen(Pictures(folder), loop=True, count=4)[3] == (3000.0, 0)


def test_a_picture_that_is_none_is_reported_and_left_out(folder):
    (folder / "b.jpg").write_bytes(b"\xff\xd8 this is no JPEG")
    (folder / "empty.png").touch()
    reports = Reports()
    assert [n for _, n in seen(Pictures(folder), reports=reports) if n is not None] == [0, 1, 2]
    assert [text.split("/")[-1].split(" ")[0] for _, text in reports.said] == ["b.jpg", "empty.png"]


def test_a_folder_of_nothing_readable_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(InputError, match="is not a video or picture that OpenCV can read"):
        seen(Pictures(tmp_path), loop=True)


@pytest.mark.parametrize("content", [b"", b"hello world\n" * 100, bytes(range(256)) * 64])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path} is not a video or picture that OpenCV can read"):
        seen(Video(path))


def test_a_truncated_video_gives_what_it_has_and_says_so(video, tmp_path):
    path = tmp_path / "clip.avi"
    path.write_bytes(video.read_bytes()[: video.stat().st_size * 7 // 10])
    reports = Reports()
    found = seen(Video(path), reports=reports)
    assert [n for _, n in found[:3]] == [0, 1, 2]
    assert "is damaged" in reports.now["file"]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_within_a_video_do_no_harm(seed, tmp_path):
    path = tmp_path / "clip.mkv"
    encode(path)
    data, rng = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(40):
        data[rng.randrange(len(data) // 4, len(data))] = rng.randrange(256)
    path.write_bytes(data)
    positions = [position_ms for position_ms, _ in seen(Video(path))]
    assert positions
    assert positions == sorted(set(positions))


def encode(path: Path) -> None:
    test_source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=6"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *test_source, "-c:v", "libx264", "-g", "10", str(path)], check=True
    )
