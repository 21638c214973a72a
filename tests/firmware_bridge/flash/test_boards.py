"""Emulated boards: the real avrdude and Optiboot in simavr, our own bootloader in QEMU."""

from __future__ import annotations

import pytest

from firmware_bridge.flash import package
from firmware_bridge.flash.boards import BOARDS
from firmware_bridge.flash.job import Job
from firmware_bridge.flash.order import Order, World
from firmware_bridge.flash.sources import gather
from firmware_bridge.flash.wire import hello_at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


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


def flash(tmp_path, file, port, **more):
    verdict = Job(Order(file, port, tmp_path / "state", **more), World(hello_at(115_200))).run()
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


def test_our_bootloader_takes_a_first_image_and_an_upgrade_in_the_other_slot(tmp_path, firmware, qemu):
    board = qemu("microbit", firmware("bootloader-ab") / "boot.elf")
    for version in ("1.0.0", "2.0.0"):
        elfs = [
            (firmware("node-cortexm", BOARD="microbit", SLOT=n, VERSION=version) / "node.elf", slot)
            for n, slot in ((0, "a"), (1, "b"))
        ]
        file = pack(tmp_path / f"{version}.efw", "microbit", version, elfs)
        verdict = flash(tmp_path, file, board.port)
        assert (verdict.result, verdict.proof) == ("flashed", "image"), verdict
        assert version in verdict.runs_now
