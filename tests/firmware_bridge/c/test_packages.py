"""The C library as its users take it: from CMake, as an Arduino library, for PlatformIO; and how small it is."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from firmware_bridge import messages as m
from firmware_bridge.message import parse_as
from tests.firmware_bridge.c.conftest import LIBRARY
from tests.firmware_bridge.c.wire import DESCRIBE, Talk
from tests.fixtures.emulators import EXAMPLES, ROOT, tool
from tests.waiting import wait_for

pytestmark = pytest.mark.slow  # needs compilers and emulators
CORE = ROOT / ".cache" / "arduino-avr"
SKETCH = EXAMPLES / "ArduinoNode" / "ArduinoNode.ino"


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


# --- size ------------------------------------------------------------------------------------------------


def sections(prefix: str, built: Path) -> dict[str, int]:
    """Bytes of each section of an object file."""
    rows = re.findall(r"^\.(\w+)\S*\s+(\d+)", run(tool(f"{prefix}-size"), "-A", built), re.MULTILINE)
    found: dict[str, int] = {}
    for name, size in rows:
        found[name] = found.get(name, 0) + int(size)
    return found


def sizes(tmp_path: Path, prefix: str, *flags: str) -> tuple[int, int]:
    """Bytes of code and constants, and of memory with two buffers of 128 bytes; on an AVR constants take up both."""
    probe = tmp_path / "probe.c"
    probe.write_text('#include "edgelink.h"\nedgelink link; uint8_t rx[128], tx[128];\n')
    code = memory = 0
    for source in (LIBRARY / "edgelink.c", probe):
        built = tmp_path / f"{source.stem}.o"
        strict = "-Os -std=c99 -fno-common -Wall -Wextra -Werror".split()
        run(tool(f"{prefix}-gcc"), *strict, *flags, f"-I{LIBRARY}", "-c", source, "-o", built)
        found = sections(prefix, built)
        constants = found.get("rodata", 0)
        code += found["text"] + constants + found.get("data", 0)
        memory += found.get("data", 0) + found.get("bss", 0) + (constants if prefix == "avr" else 0)
    print(f"{prefix}: {code} bytes of code, {memory} of memory")
    assert memory > 256, "the two buffers at least"
    return code, memory


def test_the_library_is_under_4_kb_of_code_and_512_bytes_of_memory_on_a_cortex_m0(tmp_path):
    code, memory = sizes(tmp_path, "arm-none-eabi", "-mcpu=cortex-m0", "-mthumb")
    assert code < 4096
    assert memory < 512


def test_the_library_is_under_6_kb_of_code_and_512_bytes_of_memory_on_an_avr(tmp_path):
    """Of 32 kB and 2 kB on an ATmega328P; 32-bit numbers cost an 8-bit core more code."""
    code, memory = sizes(tmp_path, "avr", "-mmcu=atmega328p")
    assert code < 6144
    assert memory < 512


def test_the_library_needs_nothing_but_string_h(tmp_path):
    """memcpy, memset and strlen; the rest are the compiler's own helpers."""
    sizes(tmp_path, "arm-none-eabi", "-mcpu=cortex-m0", "-mthumb")
    names = set(re.findall(r" U (\w+)", run(tool("arm-none-eabi-nm"), tmp_path / "edgelink.o")))
    assert {name for name in names if not name.startswith(("__aeabi_", "__gnu_"))} <= {
        "memcpy",
        "memset",
        "strlen",
    }


# --- CMake -----------------------------------------------------------------------------------------------


def test_cmake_builds_it_and_its_own_test_passes(tmp_path):
    run(tool("cmake"), "-S", LIBRARY, "-B", tmp_path)
    run(tool("cmake"), "--build", tmp_path)
    assert "100% tests passed, 0 tests failed out of 1" in run(
        tool("ctest"), "--output-on-failure", cwd=tmp_path
    )


def test_a_cmake_project_takes_it_with_add_subdirectory(tmp_path):
    (tmp_path / "main.c").write_text(
        '#include "edgelink.h"\nint main(void) { return edgelink_crc32(0, "a", 1) != 0xE8B7BE43u; }\n'
    )
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(yours C)\n"
        f"add_subdirectory({LIBRARY} edgelink)\nadd_executable(yours main.c)\ntarget_link_libraries(yours edgelink)\n"
    )
    run(tool("cmake"), "-S", tmp_path, "-B", tmp_path / "out")
    run(tool("cmake"), "--build", tmp_path / "out")
    run(tmp_path / "out" / "yours")


# --- Arduino and PlatformIO ------------------------------------------------------------------------------


def properties(path: Path) -> dict[str, str]:
    lines = (
        line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
    )
    return {name.strip(): value.strip() for name, value in (line.split("=", 1) for line in lines)}


def test_library_properties_has_the_fields_of_arduinos_specification():
    """Library specification rev. 2.2; `url` is for the Library Manager, in which the library is not."""
    found = properties(LIBRARY / "library.properties")
    assert {
        "name",
        "version",
        "author",
        "maintainer",
        "sentence",
        "paragraph",
        "category",
        "architectures",
    } <= set(found)
    assert found["category"] == "Communication"  # one of those that the specification lists
    assert found["architectures"] == "*"
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"])
    assert all((LIBRARY / name).exists() for name in found["includes"].split(","))


def test_library_json_has_the_fields_of_platformios_manifest_and_names_what_there_is():
    found = json.loads((LIBRARY / "library.json").read_text(encoding="utf-8"))
    assert {"name", "version", "description", "keywords", "authors", "license"} <= set(found)
    assert found["build"]["srcDir"] == "."  # the default is src, which there is not
    assert {entry[0] for entry in found["build"]["srcFilter"]} == {"+", "-"}
    for entry in found["build"]["srcFilter"]:
        assert list(LIBRARY.glob(entry[2:-1]))
    assert (LIBRARY / found["headers"]).exists()


def test_all_manifests_say_the_same_name_and_version():
    arduino = properties(LIBRARY / "library.properties")
    pio = json.loads((LIBRARY / "library.json").read_text(encoding="utf-8"))
    cmake = re.search(r"project\((\w+) VERSION ([\d.]+)", (LIBRARY / "CMakeLists.txt").read_text())
    assert cmake
    assert (arduino["name"], arduino["version"]) == (pio["name"], pio["version"]) == cmake.groups()


def recipe(folder: Path, platform: dict[str, str], compiler: str, flags: str, source: Path) -> Path:
    """One file through the compiler, with the flags of the platform's own table, as the IDE does it."""
    built = folder / f"{source.name}.o"
    words = re.sub(r"\{compiler\.warning_flags\}", "-w", platform[flags]).split()
    words = [word for word in words if "{" not in word]
    board = "-mmcu=atmega328p -DF_CPU=16000000L -DARDUINO=10819 -DARDUINO_AVR_UNO -DARDUINO_ARCH_AVR".split()
    board.append(
        "-DDECIMAL_DIG=9"
    )  # the core's String wants it of float.h; Debian's avr-gcc 5 has it for C only
    includes = [f"-I{CORE}/cores/arduino", f"-I{CORE}/variants/standard", f"-I{LIBRARY}"]
    run(tool(compiler), *words, *board, *includes, source, "-o", built)
    return built


@pytest.fixture(scope="module")
def sketch(tmp_path_factory) -> Path:
    """ArduinoNode as the IDE builds it: the sketch as C++, the library's sources in its root, the core, link-time optimised."""
    if not (CORE / "platform.txt").exists():
        pytest.fail(f"{CORE} is missing: run scripts/firmware-tools")
    folder, platform = tmp_path_factory.mktemp("sketch"), properties(CORE / "platform.txt")
    cpp = folder / "ArduinoNode.ino.cpp"
    cpp.write_text(f'#include <Arduino.h>\n#line 1 "{SKETCH}"\n{SKETCH.read_text()}')
    core = sorted((CORE / "cores" / "arduino").iterdir())
    sources = [cpp, *LIBRARY.glob("*.c"), *(f for f in core if f.suffix in {".c", ".cpp"})]
    objects = [
        recipe(folder, platform, "avr-gcc", "compiler.c.flags", source)
        if source.suffix == ".c"
        else recipe(folder, platform, "avr-g++", "compiler.cpp.flags", source)
        for source in sources
    ]
    elf = folder / "sketch.elf"
    link = "-w -Os -g -flto -fuse-linker-plugin -Wl,--gc-sections -mmcu=atmega328p".split()
    run(tool("avr-gcc"), *link, "-o", elf, *objects, "-lm")
    for form, name in (("ihex", "sketch.hex"), ("binary", "sketch.bin")):
        run(tool("avr-objcopy"), "-R", ".eeprom", "-O", form, elf, folder / name)
    return folder


def test_the_sketch_fits_an_uno(sketch):
    (row,) = run(tool("avr-size"), sketch / "sketch.elf").splitlines()[1:]
    text, data, bss = map(int, row.split()[:3])
    assert text + data < 32_256  # boards.txt: uno.upload.maximum_size
    assert data + bss < 1_536  # of 2048: half a kilobyte is left to the stack


def test_the_sketch_runs_on_an_uno_greets_describes_and_streams(sketch, unosim):
    board = unosim()
    words = "-q -q -c arduino -p m328p -b 115200 -D -P".split()
    run(tool("avrdude"), *words, board.port, "-U", f"flash:w:{sketch / 'sketch.hex'}:i")
    image, talk = (sketch / "sketch.bin").read_bytes(), Talk(board.port)
    hello = talk.hello()
    assert (hello.board, hello.name, hello.version) == ("uno", "voltage", "1.0.0")
    assert (hello.length, hello.crc32) == (len(image), zlib.crc32(image))
    channel = parse_as(m.Channel, talk.ask(DESCRIBE, b"\0").body)
    assert (channel.name, channel.unit, channel.rate_mhz, channel.format) == ("a0", "V", 10_000, "H")
    assert talk.command(m.Order.START) == 0
    wait_for(lambda: talk.unasked.extend(talk.hear(0.05)) or len(talk.readings(0)) >= 3, 20.0, "three blocks")
    talk.close()
    blocks = talk.readings(0)
    assert [number for number, *_ in blocks] == list(range(len(blocks)))
    assert {b[1] - a[1] for a, b in zip(blocks, blocks[1:], strict=False)} == {500_000}
    assert all(max(struct.unpack("<5H", values)) <= 1023 for *_, values in blocks)
