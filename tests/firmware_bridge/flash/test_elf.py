"""Against files that the cross compilers really linked; objcopy's own idea of the image is what ours has to be."""

from __future__ import annotations

import contextlib
import struct
import subprocess

import pytest

from firmware_bridge.flash.elf import read_elf
from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.hexfile import read_hex
from firmware_bridge.flash.image import Image
from tests.fixtures.emulators import tool

needs_compilers = pytest.mark.slow


def objcopy(family, elf, tmp_path, *more):
    out = tmp_path / "out.hex"
    subprocess.run([tool(f"{family}objcopy"), "-O", "ihex", *more, elf, out], check=True)
    return read_hex(out.read_text(), "out.hex")


@needs_compilers
def test_an_arm_firmware_is_what_objcopy_makes_of_it(firmware, tmp_path):
    elf = firmware("node-cortexm", BOARD="microbit") / "node.elf"
    assert read_elf(elf.read_bytes(), "node.elf") == objcopy("arm-none-eabi-", elf, tmp_path)


@needs_compilers
def test_an_avr_firmware_is_what_objcopy_makes_of_it(firmware, tmp_path):
    elf = firmware("node-avr") / "node.elf"
    assert read_elf(elf.read_bytes(), "node.elf") == objcopy("avr-", elf, tmp_path)


@needs_compilers
def test_eeprom_and_fuses_of_an_avr_are_not_program_flash(tmp_path):
    (tmp_path / "a.c").write_text(
        "#include <avr/io.h>\n#include <avr/eeprom.h>\nFUSES = {0xFF, 0xDE, 0xFD};\n"
        "unsigned char EEMEM kept = 42;\nvolatile unsigned char data = 7;\nint main(void) { return data + kept; }\n"
    )
    elf = tmp_path / "a.elf"
    subprocess.run([tool("avr-gcc"), "-Os", "-mmcu=atmega328p", tmp_path / "a.c", "-o", elf], check=True)
    only_flash = objcopy("avr-", elf, tmp_path, "-j", ".text", "-j", ".data")
    assert read_elf(elf.read_bytes(), "a.elf") == only_flash


@needs_compilers
def test_an_arm_object_that_was_not_linked_is_told(tmp_path):
    (tmp_path / "a.c").write_text("int answer(void) { return 42; }\n")
    gcc = [tool("arm-none-eabi-gcc"), "-mcpu=cortex-m3", "-mthumb", "-c"]
    subprocess.run([*gcc, tmp_path / "a.c", "-o", tmp_path / "a.o"], check=True)
    with pytest.raises(PackageError, match="was it linked"):
        read_elf((tmp_path / "a.o").read_bytes(), "a.o")


@needs_compilers
def test_a_program_for_a_pc_is_refused(tmp_path):
    (tmp_path / "a.c").write_text("int main(void) { return 42; }\n")
    subprocess.run([tool("gcc"), tmp_path / "a.c", "-o", tmp_path / "a"], check=True)
    with pytest.raises(PackageError, match=r"expected firmware of a microcontroller, found a program for a"):
        read_elf((tmp_path / "a").read_bytes(), "a")


@needs_compilers
def test_a_file_cut_anywhere_is_never_taken_for_another_image(firmware):
    raw = (firmware("node-avr") / "node.elf").read_bytes()
    whole = read_elf(raw, "node.elf")
    for end in [*range(64), *range(64, len(raw), 97)]:
        with contextlib.suppress(PackageError):
            assert read_elf(raw[:end], "node.elf") == whole  # only symbols were cut off


def test_what_is_no_elf_is_told():
    with pytest.raises(PackageError, match=r"expected an ELF file, found b':100'"):
        read_elf(b":100000001122", "a.elf")


def test_big_endian_and_64_bit_headers_are_read():
    head = struct.pack(
        ">4sBBBBQHHIQQQIHHHHHH", b"\x7fELF", 2, 2, 1, 0, 0, 2, 243, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    program = struct.pack(">IIQQQQQQ", 1, 5, 120, 0, 0x2000_0000, 4, 4, 4)
    assert read_elf(head + program + b"code", "a.elf") == Image(0x2000_0000, b"code")
