"""Against images that MCUboot's own imgtool signed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.mcuboot_image import parse_mcuboot


def verified_by_imgtool(file):
    """What imgtool itself says of an image."""
    tool = Path(sys.executable).with_name("imgtool")
    return subprocess.run([tool, "verify", file], check=True, capture_output=True, text=True).stdout


def test_version_and_hash_are_what_imgtool_says(signed):
    file = signed("motor 1.2.3+4")
    image, said = parse_mcuboot(file.read_bytes(), "signed.bin"), verified_by_imgtool(file)
    assert image.version == "1.2.3+4"
    assert "1.2.3+4" in said
    assert image.digest.hex() in said


def test_an_image_that_a_key_signed_is_read(signed, tmp_path):
    tool, key = Path(sys.executable).with_name("imgtool"), tmp_path / "key.pem"
    subprocess.run([tool, "keygen", "-k", key, "-t", "ecdsa-p256"], check=True, capture_output=True)
    image = parse_mcuboot(signed("motor 2.0.0", "--key", str(key)).read_bytes(), "signed.bin")
    assert (image.version, len(image.digest)) == ("2.0.0", 32)


def test_the_hash_of_an_image_with_protected_trailers_covers_them(signed):
    raw = signed("motor 2.0.0", "--security-counter", "7").read_bytes()
    assert parse_mcuboot(raw, "signed.bin").version == "2.0.0"
    changed = bytearray(raw)
    changed[raw.rindex(b"\x50\x00\x04\x00") + 4] ^= 1  # the counter itself
    with pytest.raises(PackageError, match="changed after signing"):
        parse_mcuboot(bytes(changed), "signed.bin")


def test_one_changed_byte_is_found(signed):
    raw = bytearray(signed("motor 2.0.0").read_bytes())
    raw[5000] ^= 1
    with pytest.raises(PackageError, match=r"signed\.bin: its content does not have the SHA-256"):
        parse_mcuboot(bytes(raw), "signed.bin")


def test_a_file_cut_anywhere_is_refused(signed):
    raw = signed("motor 2.0.0").read_bytes()
    for end in [*range(4, 40), *range(40, len(raw), 501), *range(len(raw) - 60, len(raw))]:
        with pytest.raises(PackageError, match=r"signed\.bin"):
            parse_mcuboot(raw[:end], "signed.bin")


def test_an_image_padded_to_its_slot_is_told(signed):
    raw = signed("motor 2.0.0", "--pad").read_bytes()
    with pytest.raises(PackageError, match=r"padded to its slot; sign it without --pad"):
        parse_mcuboot(raw, "signed.bin")


def test_a_hash_of_another_kind_is_told(signed, tmp_path):
    raw = signed("motor 2.0.0", "--sha", "512").read_bytes()
    with pytest.raises(PackageError, match="found a SHA-512 instead"):
        parse_mcuboot(raw, "signed.bin")


def test_what_is_no_image_is_told():
    with pytest.raises(PackageError, match=r"a\.bin: expected an MCUboot image \(0x96f3b83d"):
        parse_mcuboot(json.dumps({"no": "image"}).encode(), "a.bin")
