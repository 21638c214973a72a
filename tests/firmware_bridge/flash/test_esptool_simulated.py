"""Simulated peer: the unmodified esptool, without its stub, against our own writing of the ESP32's ROM loader."""

from __future__ import annotations

import pytest

from firmware_bridge.flash.boards import BOARDS
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.esptool import Esptool, _Steps
from firmware_bridge.flash.image import Image
from tests.fixtures.esp_images import esp_image
from tests.fixtures.esprom import ESP8266, Esp
from tests.fixtures.flashing import flash, flash_command, image_of, nothing, packed, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

APP = 0x1_0000
SIZE = len(esp_image("motor 1.0.0", 30_000, APP).content)
ROM_ONLY = {"stub": 0, "size": 0xA000}
OPTIONS = {**BOARDS["esp32"].options, **ROM_ONLY}


def firmware(version):
    """Bootloader, partition table and application, as ESP-IDF builds them."""
    parts = esp_image(f"boot {version}", 9_000, 0x1000), image_of(f"table {version}", 3072, 0x8000)
    return packed("esp32", version, *parts, esp_image(f"motor {version}", 30_000, APP), **ROM_ONLY)


@pytest.fixture
def chip(tmp_path, plugged):
    found = Esp(tmp_path / "chip")
    found.image_length = SIZE
    return plugged(found)


def test_three_parts_lie_where_they_belong_and_the_new_application_proves_itself(tmp_path, chip):
    for version in ("1.0.0", "2.0.0", "1.0.0"):
        what = firmware(version)
        verdict = flash(tmp_path, what, chip.port)
        assert (verdict.result, verdict.proof) == ("flashed", "image"), verdict
        for image in what.images.values():
            assert chip.flash[image.offset :][: len(image.content)] == image.content
    assert flash(tmp_path, firmware("1.0.0"), chip.port).result == "already"


def test_the_chip_runs_its_firmware_again_after_it_was_asked(chip):
    written(chip, 0, esp_image("motor 1.0.0", 30_000, APP))
    probe = Esptool(OPTIONS).probe(chip.port)
    assert (probe.board, "ESP32" in probe.text) == ("right", True)
    assert chip.levels[-1] == (False, False)
    assert chip.boots == 2  # into the bootloader, and out of it


def test_progress_grows_over_all_parts_to_the_whole(chip):
    shares = []
    Esptool(OPTIONS).write(chip.port, firmware("1.0.0"), shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 5
    assert shares[-1] == 1.0


def test_progress_is_that_of_all_bytes_of_all_parts():
    shares = []
    steps = _Steps([Image(0x1000, bytes(1000)), Image(0x8000, bytes(3000))], shares.append)
    steps("Writing at 0x00001200 ━━  50.0% 512B/1000B\nWriting at 0x000013e8")
    steps("\nWriting at 0x00008400 ━━  33.3% 1.00kB/3.00kB")
    assert shares == [0.25, 0.506]


def test_the_application_is_read_back_as_it_is_in_flash(chip):
    old = esp_image("old 0.9", 30_000, APP)
    written(chip, 0, old)
    assert Esptool(OPTIONS).read(chip.port, nothing) == old


def test_a_blank_chip_has_nothing_to_keep(chip):
    assert Esptool(OPTIONS).read(chip.port, nothing) is None


def test_a_block_that_the_line_damages_is_sent_again(chip):
    chip.damage_block = 7
    what = firmware("1.0.0")
    Esptool(OPTIONS).write(chip.port, what, nothing)
    for image in what.images.values():
        assert chip.flash[image.offset :][: len(image.content)] == image.content


def test_a_cell_that_does_not_hold_its_bit_is_found_by_the_hash(chip):
    chip.dead_cell = APP + 100
    with pytest.raises(FlashError, match="not the image"):
        Esptool(OPTIONS).write(chip.port, firmware("1.0.0"), nothing)


def test_another_chip_is_refused_before_anything_is_written(tmp_path, plugged):
    chip = plugged(Esp(tmp_path / "chip", magic=ESP8266))
    verdict = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert (verdict.result, verdict.exit_code) == ("refused", 2)
    assert "the chip is an ESP8266, expected esp32" in verdict.why
    assert set(chip.flash) == {0xFF}


def test_a_chip_that_does_not_enter_its_bootloader_is_told_how(tmp_path, chip):
    chip.boot_is_wired = False
    verdict = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert (verdict.result, verdict.exit_code) == ("refused", 1)
    assert "no chip answers" in verdict.why
    assert "BOOT button" in verdict.why


def test_a_cable_pulled_while_writing_is_told_and_the_next_flash_works(tmp_path, chip):
    written(chip, 0, esp_image("motor 0.9", 30_000, APP))
    chip.cut_at_block = 20
    verdict = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert verdict.result == "failed"
    assert "went away" in verdict.why
    chip.start()
    again = flash(tmp_path, firmware("1.0.0"), chip.port)
    assert (again.result, again.proof) == ("flashed", "image")


def test_an_application_that_does_not_prove_itself_is_rolled_back_to_the_copy(tmp_path, chip):
    old = esp_image("motor 0.9", 30_000, APP)
    written(chip, 0, old)
    longer = packed(
        "esp32", "1.0.0", esp_image("motor 1.0.0", 33_000, APP), **ROM_ONLY
    )  # its CRC is never said
    verdict = flash(tmp_path, longer, chip.port)
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1), verdict
    assert chip.flash[APP:][:SIZE] == old.content


def test_parts_that_share_a_sector_are_not_packed():
    parts = Image(0x1000, bytes(5000)), Image(0x2800, b"abcd")
    with pytest.raises(PackageError, match="share flash at 0x2800"):
        Esptool(OPTIONS).fit(packed("esp32", "1", *parts))


def test_our_own_asking_does_not_reset_the_chip_into_its_bootloader(tmp_path, chip):
    written(chip, 0, esp_image("motor 0.9", 30_000, APP))
    code, said = flash_command(tmp_path, firmware("1.0.0"), chip.port)
    assert (code, said["result"], said["proof"]) == (0, "flashed", "image")
