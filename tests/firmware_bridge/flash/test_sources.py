from __future__ import annotations

import json
import shutil

import pytest

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.sources import gather

needs_compilers = pytest.mark.slow


@pytest.fixture
def idf(tmp_path):
    """What an ESP-IDF build leaves behind: `idf(changes)` writes flasher_args.json."""
    files = {"0x1000": "bootloader/bootloader.bin", "0x8000": "table.bin", "0x10000": "app.bin"}
    for name in files.values():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode() * 10)

    def write(**changes):
        spec = {"flash_files": files, "app": {"offset": "0x10000", "file": "app.bin"}}
        spec["extra_esptool_args"] = {"chip": "esp32"}
        (tmp_path / "flasher_args.json").write_text(json.dumps({**spec, **changes}))
        return tmp_path / "flasher_args.json"

    return write


@needs_compilers
def test_arm_and_avr_builds_are_gathered_as_elf_and_the_same_as_bin(firmware):
    folder = firmware("node-cortexm", BOARD="microbit")
    (elf,) = gather(folder / "node.elf")
    (plain,) = gather(folder / "node.bin", elf.image.offset)
    assert elf.image == plain.image
    (avr_elf,) = gather(firmware("node-avr") / "node.elf")
    (avr_hex,) = gather(firmware("node-avr") / "node.hex")
    assert avr_elf.image == avr_hex.image


@needs_compilers
def test_an_elf_is_known_by_its_content_whatever_its_name(firmware, tmp_path):
    shutil.copy(firmware("node-avr") / "node.elf", tmp_path / "firmware.out")
    assert gather(tmp_path / "firmware.out")[0].image == gather(firmware("node-avr") / "node.elf")[0].image


def test_an_esp_idf_build_has_all_its_parts_in_order_and_only_the_application_proves(idf):
    found = gather(idf())
    assert [(one.file, one.image.offset, one.proof) for one in found] == [
        ("bootloader.bin", 0x1000, False),
        ("table.bin", 0x8000, False),
        ("app.bin", 0x10000, True),
    ]
    assert {one.chip for one in found} == {"esp32"}


def test_the_folder_of_an_esp_idf_build_will_do(idf):
    assert gather(idf().parent) == gather(idf())


def test_a_folder_without_a_build_is_told(tmp_path):
    with pytest.raises(PackageError, match=r"flasher_args\.json: No such file"):
        gather(tmp_path)


def test_a_part_that_was_not_built_is_told(idf, tmp_path):
    (tmp_path / "table.bin").unlink()
    with pytest.raises(PackageError, match=r"table\.bin: No such file or directory; .*was it built"):
        gather(idf())


def test_an_empty_part_is_told(idf, tmp_path):
    (tmp_path / "table.bin").write_bytes(b"")
    with pytest.raises(PackageError, match=r"table\.bin: the file is empty"):
        gather(idf())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"flash_files": None}, "flash_files and app"),
        ({"flash_files": {"ten": "app.bin"}}, "invalid literal"),
        ({"app": {}}, "found no 'file'"),
        ({"app": {"file": "other.bin"}}, "flash_files does not name it"),
        ({"extra_esptool_args": "esp32"}, "flash_files and app"),
    ],
)
def test_flasher_args_that_are_none_are_told(idf, changes, why):
    with pytest.raises(PackageError, match=why):
        gather(idf(**changes))


def test_broken_json_is_told_with_its_line(tmp_path):
    (tmp_path / "flasher_args.json").write_text('{"flash_files": {\n  oops\n')
    with pytest.raises(PackageError, match="at line 2 column 3"):
        gather(tmp_path)


def test_a_bin_needs_its_place(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"firmware")
    with pytest.raises(PackageError, match="add --offset"):
        gather(tmp_path / "a.bin")
    assert gather(tmp_path / "a.bin", 0x4000)[0].image == Image(0x4000, b"firmware")


def test_an_mcuboot_image_needs_none_and_brings_version_and_hash(signed):
    (found,) = gather(signed("motor 1.2.3"))
    assert found.mcuboot.version == "1.2.3"
    assert found.image.offset == 0


@pytest.mark.parametrize("name", ["a.bin", "a.hex", "a.elf"])
def test_an_empty_file_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(PackageError, match="the file is empty"):
        gather(tmp_path / name, 0)


def test_a_hex_file_with_bytes_that_are_no_text_is_told_with_the_offset(tmp_path):
    (tmp_path / "a.hex").write_bytes(b":00000001FF\n\xff\xfe")
    with pytest.raises(PackageError, match="no text at offset 12"):
        gather(tmp_path / "a.hex")


def test_an_unknown_ending_is_told(tmp_path):
    (tmp_path / "a.uf2").write_bytes(b"UF2\n")
    with pytest.raises(PackageError, match=r"expected \.hex, \.elf, \.bin .* found \.uf2"):
        gather(tmp_path / "a.uf2")


def test_a_name_that_no_package_can_hold_is_made_one(tmp_path):
    (tmp_path / "my firmware (1).bin").write_bytes(b"firmware")
    assert gather(tmp_path / "my firmware (1).bin", 0)[0].file == "my-firmware--1-.bin"
