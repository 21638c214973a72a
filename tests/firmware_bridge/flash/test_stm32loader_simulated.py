"""Simulated peer: the unmodified stm32loader against our own writing of ST AN3155 (tests/fixtures/an3155.py)."""

from __future__ import annotations

import pytest

from firmware_bridge.flash import package
from firmware_bridge.flash.boards import BOARDS
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.sources import Found
from firmware_bridge.flash.stm32loader import Stm32loader
from tests.fixtures.an3155 import FLASH, Stm32
from tests.fixtures.flashing import flash, flash_command, image_of, nothing, packed, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

OPTIONS = BOARDS["bluepill"].options
SIZE = 2500


@pytest.fixture
def chip(tmp_path, plugged):
    found = Stm32(tmp_path / "chip")
    found.image_length = SIZE
    return plugged(found)


def firmware(version):
    return packed("bluepill", version, image_of(f"motor {version}", SIZE, FLASH))


def test_a_blank_chip_is_flashed_upgraded_downgraded_and_left_alone_when_it_runs_the_image(tmp_path, chip):
    for version in ("1.0.0", "2.0.0", "1.0.0"):
        verdict = flash(tmp_path, firmware(version), chip.port)
        assert (verdict.result, verdict.proof) == ("flashed", "image"), verdict
        assert version in verdict.runs_now
    assert flash(tmp_path, firmware("1.0.0"), chip.port).result == "already"


def test_reset_and_boot0_move_as_the_bootloader_needs_it(chip):
    assert Stm32loader(OPTIONS).probe(chip.port).board == "right"
    low_before_high = chip.levels.index((True, False)), chip.levels.index((False, False))
    assert low_before_high[0] < low_before_high[1]  # reset is held while BOOT0 is high, then let go
    assert chip.levels[-1] == (False, True)  # BOOT0 low, reset let go: the firmware runs


def test_progress_grows_to_the_whole(chip):
    shares = []
    Stm32loader(OPTIONS).write(chip.port, firmware("1.0.0"), shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 10
    assert shares[-1] == 1.0


def test_what_is_read_back_is_what_is_in_flash(chip):
    written(chip, FLASH, image_of("old 0.9", SIZE, FLASH))
    assert Stm32loader(OPTIONS).read(chip.port, nothing) == image_of("old 0.9", SIZE, FLASH)


def test_a_blank_chip_has_nothing_to_keep(chip):
    assert Stm32loader(OPTIONS).read(chip.port, nothing) is None


def test_a_chip_that_does_not_erase_fails_the_verification(chip):
    chip.erases = False
    written(chip, FLASH, image_of("old 0.9", SIZE, FLASH))
    with pytest.raises(FlashError, match="not the image"):
        Stm32loader(OPTIONS).write(chip.port, firmware("1.0.0"), nothing)


def test_a_block_that_the_line_damages_is_refused_by_the_chip_and_told(chip):
    chip.damage_write = 4
    with pytest.raises(FlashError, match="refused a block"):
        Stm32loader(OPTIONS).write(chip.port, firmware("1.0.0"), nothing)


def test_a_read_protected_chip_is_told_and_keeps_its_flash(chip):
    chip.protected = True
    written(chip, FLASH, image_of("old 0.9", SIZE, FLASH))
    before = bytes(chip.flash)
    with pytest.raises(FlashError, match="read-protected"):
        Stm32loader(OPTIONS).write(chip.port, firmware("1.0.0"), nothing)
    with pytest.raises(FlashError, match="read-protected"):
        Stm32loader(OPTIONS).read(chip.port, nothing)
    assert chip.flash == before


def test_another_chip_is_refused_before_anything_is_written(tmp_path, plugged):
    chip = plugged(Stm32(tmp_path / "chip", chip=0x413))
    verdict = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert (verdict.result, verdict.exit_code) == ("refused", 2)
    assert "0x413 (STM32F405xx" in verdict.why
    assert set(chip.flash) == {0xFF}


def test_a_chip_without_boot0_wired_is_told_how_to_enter(tmp_path, chip):
    chip.mute = True
    verdict = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert verdict.result == "refused"
    assert "BOOT0 jumper and the reset button" in verdict.why


def test_a_cable_pulled_while_writing_is_told_and_the_next_flash_works(tmp_path, chip):
    written(chip, FLASH, image_of("motor 0.9", SIZE, FLASH))
    chip.cut_at_write = 5
    verdict = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert verdict.result == "failed"
    assert "went away" in verdict.why
    chip.start()
    again = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert (again.result, again.proof) == ("flashed", "image")


def test_an_image_that_does_not_prove_itself_is_rolled_back_to_the_copy(tmp_path, chip):
    old = image_of("motor 0.9", SIZE, FLASH)
    written(chip, FLASH, old)
    longer = packed("bluepill", "1.0.0", image_of("motor 1.0.0", SIZE + 900, FLASH))  # its CRC is never said
    verdict = flash(tmp_path, longer, chip.port)
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1), verdict
    assert chip.flash[:SIZE] == old.content
    assert set(chip.flash[SIZE:]) == {0xFF}


def test_an_image_that_does_not_start_at_the_beginning_of_flash_is_not_packed():
    with pytest.raises(PackageError, match="all flash is erased"):
        Stm32loader(OPTIONS).fit(packed("bluepill", "1", Image(FLASH + 0x2000, b"abcd")))


def test_an_image_larger_than_the_flash_is_not_packed():
    with pytest.raises(PackageError, match=r"options\.size"):
        Stm32loader(OPTIONS).fit(packed("bluepill", "1", Image(FLASH, b"abcd" * 20_000)))


def test_two_images_are_refused():
    two = [Found("a.bin", Image(FLASH, b"a")), Found("b.bin", Image(FLASH + 4096, b"b"))]
    manifest = package.build(two, board="bluepill", name="n", version="1", flasher="stm32loader")
    with pytest.raises(PackageError, match="one image"):
        Stm32loader(OPTIONS).fit(package.read(package.pack(manifest, two), "p"))


def test_our_own_asking_does_not_hold_the_chip_in_reset(tmp_path, chip):
    written(chip, FLASH, image_of("motor 0.9", SIZE, FLASH))
    code, said = flash_command(tmp_path, firmware("1.0.0"), chip.port)
    assert (code, said["result"], said["proof"]) == (0, "flashed", "image")


@pytest.mark.parametrize(("swap", "low"), [(0, 1), (1, 0), (1, 1)])
def test_other_wirings_of_reset_and_boot0_are_options(tmp_path, plugged, swap, low):
    chip = Stm32(tmp_path / "chip", swap=bool(swap), boot0_low=bool(low))
    chip.image_length = SIZE
    plugged(chip)
    what = packed("bluepill", "1.0.0", image_of("motor 1.0.0", SIZE, FLASH), swap=swap, boot0_low=low)
    code, said = flash_command(tmp_path, what, chip.port)
    assert (code, said["result"], said["proof"]) == (0, "flashed", "image")
