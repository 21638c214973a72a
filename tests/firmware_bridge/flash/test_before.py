from __future__ import annotations

import random

import pytest

from firmware_bridge.flash import package
from firmware_bridge.flash.before import Before, mixture, whole
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.running import Running
from firmware_bridge.flash.sources import Found

OLD, NEW, OTHER = (random.Random(seed).randbytes(4000) for seed in range(3))
PAGE = 128


def packed(content: bytes) -> package.Package:
    found = [Found("a.bin", Image(0, content))]
    manifest = package.build(found, board="uno", name="n", version="1", flasher="avrdude")
    return package.read(package.pack(manifest, found), "p")


def running(content: bytes, **more) -> Running:
    return Running("uno", "n", "1", len(content), Image(0, content).crc32, **more)


@pytest.mark.parametrize("pages", range(len(NEW) // PAGE + 1))
def test_pages_of_the_new_image_before_pages_of_the_old_are_a_broken_transfer(pages):
    torn = NEW[: pages * PAGE] + OLD[pages * PAGE :]
    assert mixture(torn, [NEW, OLD])


def test_a_page_that_was_being_erased_belongs_to_a_broken_transfer():
    assert mixture(NEW[:PAGE] + b"\xff" * PAGE + OLD[2 * PAGE :], [NEW, OLD])


def test_the_new_image_on_a_blank_board_is_a_broken_transfer():
    assert mixture(NEW[:1000], [NEW])


def test_another_program_is_no_broken_transfer():
    assert not mixture(OTHER, [NEW, OLD])
    assert not mixture(NEW[:2000] + OTHER[2000:], [NEW, OLD])


def test_a_version_proves_nothing_and_the_crc_does():
    torn = NEW[:2000] + OLD[2000:]
    assert not whole(running(torn), [packed(OLD), packed(NEW)])
    assert whole(running(OLD), [packed(OLD), packed(NEW)])


def test_what_ran_is_known_again_by_its_hello():
    before = Before(running(OLD))
    assert before.is_again(running(OLD, boot=7))
    assert not before.is_again(running(NEW))
    assert not before.is_again(None)


def test_after_half_an_image_what_ran_before_is_the_copy_and_not_the_half():
    torn = running(NEW[:2000] + OLD[2000:])
    before = Before(torn, packed(OLD), half_written=True)
    assert before.is_again(running(OLD))
    assert not before.is_again(torn)
    assert not before.speechless


def test_a_board_with_two_slots_that_stood_in_its_bootloader_runs_again_what_was_accepted():
    before = Before(Running("uno", "boot", "1", bootloader=True), kept_by_board=True)
    assert before.is_again(running(OLD))
    assert not before.is_again(running(NEW, confirmed=False))
    assert not before.is_again(Running("uno", "boot", "1", bootloader=True))
