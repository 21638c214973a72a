"""Emulated boards: the real avrdude and Optiboot in simavr, our own bootloader in QEMU; what goes right, and what does not."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from firmware_bridge.flash import package
from firmware_bridge.flash.boards import BOARDS
from firmware_bridge.flash.job import Job
from firmware_bridge.flash.journal import Journal
from firmware_bridge.flash.order import Order, World
from firmware_bridge.flash.sources import gather
from firmware_bridge.flash.wire import hello_at
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def pack(path, board, version, files, board_name=None):
    found = [one for file, slot in files for one in gather(file, slot=slot)]
    known = BOARDS[board]
    manifest = package.build(
        [type(one)(f"{one.slot or 'app'}.bin", one.image, one.slot) for one in found],
        board=board_name or board,
        name="node",
        version=version,
        flasher=known.flasher,
        options=known.options,
    )
    path.write_bytes(
        package.pack(manifest, [type(o)(f"{o.slot or 'app'}.bin", o.image, o.slot) for o in found])
    )
    return path


def flash(tmp_path, file, port, tell=lambda text, share: None, **more):
    world = World(hello_at(115_200), tell=tell)
    verdict = Job(Order(file, port, tmp_path / "state", **more), world).run()
    print(verdict.sentence)
    return verdict


def test_a_blank_uno_is_flashed_upgraded_and_downgraded_and_knows_what_it_runs(tmp_path, firmware, unosim):
    uno = unosim()
    files = {}
    for version in ("1.0.0", "2.0.0"):
        hexfile = firmware("node-avr", VERSION=version) / "node.hex"
        files[version] = pack(tmp_path / f"{version}.efw", "uno", version, [(hexfile, "")])
    for version in ("1.0.0", "2.0.0", "1.0.0"):
        verdict = flash(tmp_path, files[version], uno.port)
        assert (verdict.result, verdict.proof) == ("flashed", "image"), verdict
    assert flash(tmp_path, files["1.0.0"], uno.port).result == "already"
    wrong = pack(
        tmp_path / "w.efw", "uno", "9", [(firmware("node-avr", VERSION="2.0.0") / "node.hex", "")], "nano"
    )
    refused = flash(tmp_path, wrong, uno.port)
    assert (refused.result, refused.exit_code) == ("refused", 2)


@pytest.fixture
def microbit(tmp_path, firmware, qemu):
    """Our bootloader in QEMU, and `packed(version)` for it."""
    board = qemu("microbit", firmware("bootloader-ab", PATIENCE_US=8_000_000) / "boot.elf")

    def packed(version, **more):
        elfs = [
            (firmware("node-cortexm", BOARD="microbit", SLOT=n, VERSION=version, **more) / "node.elf", slot)
            for n, slot in ((0, "a"), (1, "b"))
        ]
        return pack(tmp_path / f"{version}.efw", "microbit", version, elfs)

    board.packed = packed
    return board


def runs(board, version) -> bool:
    running = hello_at(115_200)(board.port, 2.0)
    return running is not None and not running.bootloader and running.version == version


def test_our_bootloader_takes_a_first_image_an_upgrade_a_downgrade_and_the_same_once(tmp_path, microbit):
    for version in ("1.0.0", "2.0.0", "1.0.0"):
        verdict = flash(tmp_path, microbit.packed(version), microbit.port)
        assert (verdict.result, verdict.proof) == ("flashed", "image"), verdict
        assert version in verdict.runs_now
    assert flash(tmp_path, microbit.packed("1.0.0"), microbit.port).result == "already"
    microbit.reset()
    wait_for(lambda: runs(microbit, "1.0.0"), 10.0, "what was accepted does not stay")


def test_an_image_that_hangs_on_the_emulated_board_comes_back_by_reset(tmp_path, microbit):
    """QEMU has no watchdog for this board: somebody presses reset, here while the job waits for a HELLO."""
    flash(tmp_path, microbit.packed("1.0.0"), microbit.port)

    def press(text, _share):
        if text == "rolling back":
            microbit.reset()

    verdict = flash(
        tmp_path, microbit.packed("9.0.0", MORE="-DHANG"), microbit.port, press, prove_s=3.0, hello_s=1.0
    )
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1)
    assert runs(microbit, "1.0.0")
    assert flash(tmp_path, microbit.packed("2.0.0"), microbit.port).result == "flashed"


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_reset_in_the_middle_of_a_transfer_costs_the_emulated_board_nothing(tmp_path, microbit, share):
    flash(tmp_path, microbit.packed("1.0.0"), microbit.port)
    pressed = []

    def press(_text, done):
        if done is not None and done > share and not pressed:
            pressed.append(done)
            microbit.reset()

    verdict = flash(tmp_path, microbit.packed("2.0.0"), microbit.port, press, prove_s=5.0)
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1), verdict
    assert runs(microbit, "1.0.0")
    assert flash(tmp_path, microbit.packed("2.0.0"), microbit.port).result == "flashed"


def test_after_a_flasher_was_killed_the_emulated_board_starts_what_it_has_by_itself(tmp_path, microbit):
    flash(tmp_path, microbit.packed("1.0.0"), microbit.port)
    file, state = microbit.packed("2.0.0"), tmp_path / "state"
    words = ["firmware", "flash", str(file), "--port", microbit.port, "--state", str(state)]
    with (tmp_path / "log").open("wb") as log:
        flasher = subprocess.Popen([sys.executable, "-m", "edgeinfer", *words], stdout=log, stderr=log)
    wait_for(lambda: "writing" in (tmp_path / "log").read_text(), 60.0)
    flasher.kill()
    assert flasher.wait() == -signal.SIGKILL
    assert Journal(state).broken(microbit.port) is not None
    wait_for(lambda: runs(microbit, "1.0.0") or runs(microbit, "2.0.0"), 30.0)
    assert flash(tmp_path, file, microbit.port).exit_code == 0
    microbit.reset()
    wait_for(lambda: runs(microbit, "2.0.0"), 10.0)
