from __future__ import annotations

import subprocess

import pytest

from firmware_bridge.flash import package
from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.hexfile import read_hex, write_hex
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.sources import Found

IMAGE = Image(0xFFF8, bytes(range(256)))


def packed(key=None, image=IMAGE):
    found = [Found("app.bin", image)]
    manifest = package.build(
        found, board="uno", name="motor", version="1.0.0", flasher="avrdude", options={"part": "m328p"}
    )
    return package.pack(manifest, found, key)


def test_hex_that_is_written_reads_back_over_a_64_kb_border():
    assert read_hex(write_hex(IMAGE), "x.hex") == IMAGE


def test_a_broken_hex_line_is_told_with_its_number():
    lines = write_hex(IMAGE).splitlines()
    lines[2] = lines[2][:-1] + ("0" if lines[2][-1] != "0" else "1")
    with pytest.raises(PackageError, match=r"x\.hex:3: the checksum"):
        read_hex("\n".join(lines), "x.hex")


def test_a_hex_file_that_was_cut_off_is_refused():
    with pytest.raises(PackageError, match="end-of-file"):
        read_hex("\n".join(write_hex(IMAGE).splitlines()[:-1]), "x.hex")


def test_the_same_input_gives_the_same_bytes_and_reads_back():
    assert packed() == packed()
    assert package.read(packed(), "p").images == {"app.bin": IMAGE}


def test_one_changed_byte_in_an_image_is_found():
    raw = bytearray(packed())
    at = raw.index(IMAGE.content)
    raw[at + 5] ^= 1
    with pytest.raises(PackageError):
        package.read(bytes(raw), "p")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        run = lambda *a: subprocess.run(["openssl", *a], check=True, capture_output=True)
        run("genpkey", "-algorithm", "ed25519", "-out", str(folder / name))
        run("pkey", "-in", str(folder / name), "-pubout", "-out", str(folder / f"{name}.pub"))
    return folder


def test_a_package_that_our_key_signed_is_taken(keys):
    assert package.read(packed(keys / "ours"), "p", keys / "ours.pub").signature


def test_another_keys_signature_is_refused(keys):
    with pytest.raises(PackageError, match="does not fit"):
        package.read(packed(keys / "theirs"), "p", keys / "ours.pub")


def test_an_unsigned_package_is_refused_where_a_key_is_configured(keys):
    with pytest.raises(PackageError, match="not signed"):
        package.read(packed(), "p", keys / "ours.pub")
