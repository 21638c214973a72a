"""Downloads over a real socket: resume, breaks, silence, and files that changed meanwhile."""

from __future__ import annotations

import socket

import pytest

from edgeinfer.errors import DeviceError, InputError
from edgeinfer.store.download import download

CONTENT = bytes(range(256)) * 4000  # about 1 MB


def test_a_file_comes_whole_and_the_steps_add_up(web, tmp_path) -> None:
    web.files["m"] = CONTENT
    steps: list[tuple[int, int]] = []
    got = download(web.url("m"), tmp_path / "m.part", lambda n, total: steps.append((n, total)))
    assert got.read_bytes() == CONTENT
    assert sum(n for n, _ in steps) == len(CONTENT)
    assert {total for _, total in steps} == {len(CONTENT)}


def test_a_line_that_breaks_is_taken_up_where_it_broke(web, tmp_path) -> None:
    web.files["m"], web.break_after = CONTENT, [100_000, 200_000]
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT
    assert web.asked == ["", "bytes=100000-", "bytes=300000-"]


def test_another_call_goes_on_where_the_first_gave_up(web, tmp_path) -> None:
    web.files["m"], web.break_after = CONTENT, [100_000, 0, 0, 0]
    with pytest.raises(DeviceError, match="after 100,000 bytes; the same command goes on"):
        download(web.url("m"), tmp_path / "p")
    web.asked.clear()
    web.break_after = []
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT
    assert web.asked == ["bytes=100000-"]


def test_a_file_that_was_replaced_meanwhile_is_fetched_anew(web, tmp_path) -> None:
    web.files["m"], web.break_after = CONTENT, [100_000, 0, 0, 0]
    with pytest.raises(DeviceError):
        download(web.url("m"), tmp_path / "p")
    web.files["m"], web.break_after = CONTENT[::-1], []
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT[::-1]


def test_without_a_mark_there_is_no_resume(web, tmp_path) -> None:
    web.files["m"], web.break_after, web.tagged = CONTENT, [100_000], False
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT
    assert web.asked == ["", ""]


def test_a_complete_part_is_not_fetched_again(web, tmp_path) -> None:
    web.files["m"] = CONTENT
    download(web.url("m"), tmp_path / "p")
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT
    assert web.asked[-1] == f"bytes={len(CONTENT)}-"


def test_a_server_that_stalls_is_given_up_and_what_came_is_kept(web, tmp_path) -> None:
    web.files["m"], web.stall_after = CONTENT, 65_536
    with pytest.raises(DeviceError, match="nothing came for"):
        download(web.url("m"), tmp_path / "p", timeout_s=0.3)
    web.go.set()
    web.stall_after = None
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT
    assert web.asked[-1].startswith("bytes=")


def test_a_length_that_is_not_told_ends_with_the_line(web, tmp_path) -> None:
    web.files["m"], web.length = CONTENT, False
    assert download(web.url("m"), tmp_path / "p").read_bytes() == CONTENT


def test_a_wrong_address_is_the_users(web, tmp_path) -> None:
    with pytest.raises(InputError, match="the server says 404"):
        download(web.url("none"), tmp_path / "p")
    with pytest.raises(InputError, match="begins with http"):
        download("ftp://host/m", tmp_path / "p")


def test_a_server_in_trouble_is_tried_again_and_then_told(web, tmp_path) -> None:
    web.status = 503
    with pytest.raises(DeviceError, match="the server says 503"):
        download(web.url("m"), tmp_path / "p", attempts=2)
    assert len(web.asked) == 2


def test_nobody_there_is_told(tmp_path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DeviceError, match="cannot be reached: Connection refused"):
        download(f"http://127.0.0.1:{port}/m", tmp_path / "p", attempts=1)
