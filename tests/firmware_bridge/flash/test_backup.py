"""What is kept before a board is written, by what its flash holds and what the log knows of it."""

from __future__ import annotations

import random

import pytest

from firmware_bridge.flash import backup, package
from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.journal import Journal
from firmware_bridge.flash.order import Order
from firmware_bridge.flash.running import Running
from firmware_bridge.flash.sources import Found

OLD, NEW, OTHER = (random.Random(seed).randbytes(4000) for seed in range(3))


class Reads:
    """A flasher whose board holds `flash`."""

    def __init__(self, flash: bytes) -> None:
        self._flash = flash.rstrip(b"\xff")

    def read(self, port, progress):
        return Image(0, self._flash) if self._flash else None


class Place:
    """A state folder in which a run from OLD to NEW broke off, or not."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.new, self.old = self.saved("new", NEW), self.saved("old", OLD)

    def saved(self, name: str, content: bytes):
        found = [Found("a.bin", Image(0, content))]
        manifest = package.build(
            found, board="uno", name=name, version="1", flasher="avrdude", options={"part": "m328p"}
        )
        file = self.folder / f"{name}.efw"
        file.write_bytes(package.pack(manifest, found))
        return file

    def broken(self, kept: bool = True):
        journal = Journal(self.folder)
        journal.write("a", "p", "keep", "ok", package=str(self.new), backup=str(self.old) if kept else "")
        journal.write("a", "p", "write", "begun")
        return journal.broken("p")

    def keep(self, flash: bytes, running: Running | None, broken=None):
        order = Order(self.new, "p", self.folder)
        return backup.keep(
            order, "job", package.load(self.new), Reads(flash), running, broken, lambda _share: None
        )


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def says(content: bytes, version: str = "1") -> Running:
    return Running("uno", "My motor (beta)", version, len(content), Image(0, content).crc32)


def content_of(before) -> bytes:
    (image,) = before.copy.images.values()
    return image.content


def test_what_runs_is_kept_to_its_last_byte_and_no_further(place):
    before, path = place.keep(OLD + b"\xff" * 100 + b"settings", says(OLD))
    assert content_of(before) == OLD
    assert package.load(path).manifest.name == "My-motor--beta-"
    assert before.is_again(says(OLD))


def test_a_blank_board_leaves_nothing_to_keep(place):
    assert place.keep(b"\xff" * 4000, None)[1] is None


def test_a_copy_that_is_not_what_the_node_says_stops_the_job(place):
    with pytest.raises(FlashError, match="no trustworthy copy"):
        place.keep(OTHER, says(OLD))


@pytest.mark.parametrize("at", range(1, 4000, 399))
@pytest.mark.parametrize("answers", [True, False])
def test_a_torn_image_is_never_kept_as_what_ran(place, at, answers):
    torn = NEW[:at] + OLD[at:]
    before, path = place.keep(torn, says(torn) if answers else None, place.broken())
    assert before.half_written
    assert (content_of(before), path) == (OLD, place.old)
    assert before.is_again(says(OLD))


def test_after_a_broken_first_flash_of_a_blank_board_there_is_nothing_to_go_back_to(place):
    before, path = place.keep(NEW[:2000], says(NEW[:2000]), place.broken(kept=False))
    assert before.half_written
    assert (before.copy, path) == (None, None)


@pytest.mark.parametrize("content", [OLD, NEW])
def test_an_image_that_is_whole_by_its_crc_is_kept_also_after_a_broken_run(place, content):
    before, _ = place.keep(content, says(content), place.broken())
    assert not before.half_written
    assert content_of(before) == content


def test_another_program_after_a_broken_run_is_kept_like_any_other(place):
    before, _ = place.keep(OTHER, says(OTHER), place.broken())
    assert not before.half_written
    assert content_of(before) == OTHER


def test_a_copy_that_somebody_deleted_is_not_promised(place):
    broken = place.broken()
    place.old.unlink()
    before, path = place.keep(NEW[:2000] + b"\xff" * 100, None, broken)
    assert before.half_written
    assert (before.copy, path) == (None, None)
