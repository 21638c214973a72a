"""`edgeinfer firmware pack`, from files that were really built."""

from __future__ import annotations

import json
import subprocess

import pytest

from edgeinfer.cli.main import main
from firmware_bridge.flash import package
from tests.fixtures.esp_images import esp_image
from tests.fixtures.flashing import image_of

needs_compilers = pytest.mark.slow


WORDS = ["--name", "motor", "--version", "2.1.0"]


@pytest.fixture
def pack(tmp_path, capsys):
    """`pack(file, "--board", "uno")` gives (exit code, package or None, what was said)."""

    def run(*words):
        out = tmp_path / "out.efw"
        out.unlink(missing_ok=True)
        code = main(["firmware", "pack", *map(str, words), "-o", str(out)])
        said = capsys.readouterr()
        return code, package.load(out) if out.exists() else None, said.out + said.err

    return run


@pytest.fixture
def idf(tmp_path):
    """A folder as ESP-IDF leaves it, for an ESP32."""
    folder = tmp_path / "build"
    folder.mkdir()
    parts = {"boot.bin": (0x1000, 3000), "app.bin": (0x10000, 9000)}
    for name, (at, size) in parts.items():
        (folder / name).write_bytes(esp_image(f"{name} 1.0", size, at).content)
    spec = {
        "flash_files": {hex(at): name for name, (at, _) in parts.items()},
        "app": {"offset": "0x10000", "file": "app.bin"},
        "extra_esptool_args": {"chip": "esp32"},
    }
    (folder / "flasher_args.json").write_text(json.dumps(spec))
    return folder


@needs_compilers
def test_the_same_build_gives_the_same_bytes(pack, firmware, tmp_path):
    file = firmware("node-avr") / "node.hex"
    made = []
    for _ in range(2):
        assert pack(file, "--board", "uno", *WORDS)[0] == 0
        made.append((tmp_path / "out.efw").read_bytes())
    assert made[0] == made[1]


@needs_compilers
def test_avr_elf_and_hex_make_the_same_image(pack, firmware):
    images = [
        pack(firmware("node-avr") / name, "--board", "uno", *WORDS)[1].images["node.bin"]
        for name in ("node.elf", "node.hex")
    ]
    assert images[0] == images[1]


@needs_compilers
def test_an_arm_bin_is_packed_with_its_offset(pack, firmware):
    file = firmware("node-cortexm", BOARD="microbit") / "node.bin"
    _, made, _ = pack(file, "--offset", "0x4000", "--board", "microbit", *WORDS)
    assert made.images["node.bin"].offset == 0x4000
    assert made.images["node.bin"].content == file.read_bytes()


@needs_compilers
def test_an_arm_elf_is_packed_for_a_bluepill(pack, tmp_path):
    from tests.fixtures.emulators import tool

    (tmp_path / "a.c").write_text("void start(void) { for (;;) ; }\n")
    linker = ["-nostdlib", "-Wl,-Ttext=0x08000000", "-Wl,-estart"]
    arm = [tool("arm-none-eabi-gcc"), "-mcpu=cortex-m3", "-mthumb", "-Os"]
    subprocess.run([*arm, *linker, tmp_path / "a.c", "-o", tmp_path / "a.elf"], check=True)
    code, made, _ = pack(tmp_path / "a.elf", "--board", "bluepill", *WORDS)
    assert (code, made.manifest.flasher, made.images["a.bin"].offset) == (0, "stm32loader", 0x0800_0000)


def test_an_esp_idf_folder_is_packed_whole(pack, idf):
    code, made, _ = pack(idf, "--board", "esp32", *WORDS)
    assert code == 0
    assert [part.proof for part in made.manifest.parts] == [False, True]


def test_a_build_for_another_espressif_chip_is_refused(pack, idf):
    code, made, said = pack(idf, "--board", "esp32c3", *WORDS)
    assert (code, made) == (2, None)
    assert "esp32c3 has an esp32c3, and the build is for an esp32" in said


def test_an_mcuboot_image_brings_flasher_version_and_proof(pack, signed):
    code, made, _ = pack(signed("motor 1.2.3"), "--board", "nrf52840dk", "--name", "motor")
    assert (code, made.manifest.flasher, made.manifest.version) == (0, "mcuboot", "1.2.3")
    assert len(made.manifest.build) == 64


def test_a_signed_package_is_taken_by_the_key_that_signed_it(pack, tmp_path):
    for words in (
        ["genpkey", "-algorithm", "ed25519", "-out", "key.pem"],
        ["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"],
    ):
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "a.bin").write_bytes(image_of("a 1", 500, 0).content)
    words = [tmp_path / "a.bin", "--offset", "0", "--board", "uno", *WORDS]
    code, made, said = pack(*words, "--sign", tmp_path / "key.pem")
    assert (code, "signed" in said) == (0, True)
    assert package.load(tmp_path / "out.efw", tmp_path / "key.pub").digest == made.digest
    code, made, said = pack(*words, "--sign", tmp_path / "key.pub")
    assert (code, made) == (2, None)
    assert "PEM private key" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--board", "uno", "--name", "m"], "--version is missing"),
        (["--board", "toaster", *WORDS], "'toaster' is not a known one"),
        (["--board", "uno", *WORDS, "--set", "baud"], "--set: expected KEY=VALUE"),
        (["--board", "uno", *WORDS, "--set", "baud=fast"], "options.baud: expected a whole number"),
        (["--board", "uno", *WORDS, "--set", "limit=10"], "does not fit this board"),
        (["--board", "u no", *WORDS, "--flasher", "avrdude"], "board: expected 1 to 64"),
        (["--board", "uno", *WORDS, "--flasher", "hammer"], "no flasher 'hammer'"),
        (["--board", "bluepill", *WORDS], "expected 0x08000000"),
        (["--board", "uno", *WORDS, "--flasher", "mcuboot"], "expected an MCUboot image"),
    ],
)
def test_what_cannot_be_packed_is_told_and_leaves_no_file(pack, tmp_path, words, why):
    (tmp_path / "a.bin").write_bytes(b"firmware" * 10)
    code, made, said = pack(tmp_path / "a.bin", "--offset", "0", *words)
    assert (code, made) == (2, None)
    assert why in said


def test_a_place_that_cannot_be_written_is_told(tmp_path, capsys):
    (tmp_path / "a.bin").write_bytes(b"firmware")
    words = ["--offset", "0", "--board", "uno", *WORDS, "-o", str(tmp_path / "none" / "out.efw")]
    assert main(["firmware", "pack", str(tmp_path / "a.bin"), *words]) == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
