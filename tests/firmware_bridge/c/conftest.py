"""The C library on the host, built with sanitizers, as a node on a pipe."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware_bridge.c.wire import Heard, parse
from tests.fixtures.emulators import ROOT, tool

LIBRARY = ROOT / "firmware_bridge" / "c"


def sanitized(name: str, folder: Path) -> Path:
    """`name`.c of this folder and the library as a program that ends at the first thing that C does not define."""
    binary = folder / name
    flags = "-std=gnu99 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all".split()
    sources = (str(Path(__file__).parent / f"{name}.c"), str(LIBRARY / "edgelink.c"))
    done = subprocess.run(
        [tool("gcc"), *flags, f"-I{LIBRARY}", *sources, "-o", binary],
        check=False,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return binary


@pytest.fixture(scope="session")
def pipe_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sanitized("pipe_node", tmp_path_factory.mktemp("pipe"))


@pytest.fixture(scope="session")
def cross_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sanitized("cross_node", tmp_path_factory.mktemp("cross"))


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sanitized("pair", tmp_path_factory.mktemp("pair"))


@pytest.fixture
def node(pipe_node: Path) -> Callable[..., list[Heard]]:
    """`node(bytes, frame=512, address=0)` gives what the node says to all of that; a sanitizer's report fails the test."""

    def run(sent: bytes, frame: int = 512, address: int = 0) -> list[Heard]:
        done = subprocess.run(
            [pipe_node, str(frame), str(address)], input=sent, check=False, capture_output=True, timeout=100
        )
        assert not done.returncode, done.stderr.decode(errors="replace")
        said = [parse(line) for line in done.stdout.split(b"\0") if line]
        assert None not in said, "the node sent a frame that does not parse"
        return said

    return run
