"""Simulated peer: smpclient against our own writing of an SMP server and of MCUboot's swap (tests/fixtures/smp_node.py)."""

from __future__ import annotations

import sys

import pytest

from firmware_bridge.flash import package, smp
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.mcuboot import Mcuboot
from firmware_bridge.flash.sources import Found, gather
from tests.fixtures.flashing import flash, nothing
from tests.fixtures.smp_node import McubootNode

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BOARD = "nrf52840dk"


@pytest.fixture
def firmware(signed):
    """`firmware("motor 2.0.0")` is the package of that firmware."""

    def pack(name, board=BOARD, size=20_000, **options):
        found = gather(signed(name, size=size))
        digest = found[0].mcuboot.digest.hex()
        manifest = package.build(
            found, board=board, name="motor", version=found[0].mcuboot.version, flasher="mcuboot",
            build_digest=digest, options=options,
        )  # fmt: skip
        return package.read(package.pack(manifest, found), "package")

    return pack


@pytest.fixture
def node(tmp_path, signed, plugged):
    """`node()` runs motor 1.0.0, confirmed; `speaks` is what its firmware talks."""

    def make(**more):
        runs = more.pop("runs", signed("motor 1.0.0").read_bytes())
        return plugged(McubootNode(tmp_path / "node", runs, **more))

    return make


def test_an_upgrade_is_tried_proven_by_the_image_list_and_confirmed(tmp_path, node, firmware):
    board = node()
    verdict = flash(tmp_path, firmware("motor 2.0.0"), board.port)
    assert (verdict.result, verdict.proof) == ("flashed", "build"), verdict
    assert board.name == "motor 2.0.0"
    assert board.slots[0].confirmed
    board.reset()
    assert board.name == "motor 2.0.0"  # a confirmed image stays
    assert flash(tmp_path, firmware("motor 2.0.0"), board.port).result == "already"


def test_a_node_that_speaks_our_protocol_is_flashed_in_recovery_and_proves_length_and_crc(
    tmp_path, node, firmware
):
    board = node(speaks="edgelink")
    verdict = flash(tmp_path, firmware("motor 2.0.0"), board.port)
    assert (verdict.result, verdict.proof) == ("flashed", "image"), verdict
    assert board.uploads == [2]  # the second slot, by its number in serial recovery
    assert board.slots[0].confirmed


def test_progress_grows_to_the_whole(node, firmware):
    shares, board, what = [], node(), firmware("motor 2.0.0")
    Mcuboot({}).write(board.port, what, shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 20
    assert shares[-1] == 1.0


def test_an_image_that_is_not_confirmed_is_gone_after_a_reset(node, firmware):
    board = node()
    flasher = Mcuboot({})
    flasher.write(board.port, firmware("motor 2.0.0"), nothing)
    assert board.name == "motor 2.0.0"
    flasher.revert(board.port)
    assert board.name == "motor 1.0.0"
    with pytest.raises(FlashError, match="not accepted"):
        flasher.accept(board.port)


def test_firmware_that_speaks_our_protocol_is_reverted_by_its_own_restart(node, firmware):
    board = node(speaks="edgelink")
    flasher = Mcuboot({})
    flasher.write(board.port, firmware("motor 2.0.0"), nothing)
    assert board.name == "motor 2.0.0"
    flasher.revert(board.port)
    assert board.name == "motor 1.0.0"


def test_an_image_that_hangs_is_left_by_a_reset_and_the_message_says_so(tmp_path, node, firmware):
    board = node()
    verdict = flash(tmp_path, firmware("hang 2.0.0"), board.port, prove_s=1.0)
    assert verdict.result == "failed"
    assert "press reset, and the old image comes back" in verdict.why
    board.reset()
    assert board.name == "motor 1.0.0"
    assert flash(tmp_path, firmware("motor 2.0.0"), board.port).result == "flashed"


def test_a_cable_pulled_while_uploading_leaves_the_old_image_and_the_next_flash_works(
    tmp_path, node, firmware
):
    board = node()
    board.cut_at_chunk = 20
    verdict = flash(tmp_path, firmware("motor 2.0.0"), board.port, prove_s=1.0)
    assert verdict.result == "failed"
    assert "went away in the middle" in verdict.why
    board.start()
    board.reset()
    assert board.name == "motor 1.0.0"
    assert flash(tmp_path, firmware("motor 2.0.0"), board.port).result == "flashed"


def test_an_image_larger_than_the_slot_is_refused_by_the_node(node, firmware):
    board = node()
    board.slot_size = 0x4000
    with pytest.raises(FlashError, match="larger than the slot"):
        Mcuboot({}).write(board.port, firmware("motor 2.0.0"), nothing)
    assert board.name == "motor 1.0.0"


def test_a_byte_that_goes_wrong_on_the_way_into_flash_is_found_before_the_reset(node, firmware):
    board = node()
    board.damage_chunk = 10
    with pytest.raises(FlashError, match="does not have the hash"):
        Mcuboot({}).write(board.port, firmware("motor 2.0.0"), nothing)
    assert board.boots == 0


def test_a_busy_node_is_told(node, firmware):
    board = node()
    board.busy = True
    with pytest.raises(FlashError, match="busy"):
        Mcuboot({}).write(board.port, firmware("motor 2.0.0"), nothing)


def test_a_node_whose_last_image_is_still_on_trial_is_told(node, firmware):
    board = node()
    board.slots[0].confirmed = False
    with pytest.raises(FlashError, match="still on trial"):
        Mcuboot({}).write(board.port, firmware("motor 2.0.0"), nothing)


def test_a_recovery_that_writes_over_the_running_slot_is_told(node, firmware):
    board = node(speaks="edgelink")
    board.direct_upload = False
    with pytest.raises(FlashError, match="SERIAL_DIRECT_IMAGE_UPLOAD"):
        Mcuboot({}).write(board.port, firmware("motor 2.0.0"), nothing)


@pytest.mark.parametrize("direct_upload", [True, False])
@pytest.mark.parametrize("speaks", ["smp", "edgelink"])
def test_a_blank_board_with_only_mcuboot_gets_its_first_image(
    tmp_path, node, firmware, speaks, direct_upload
):
    board = node(runs=b"", speaks=speaks)
    board.direct_upload = direct_upload
    verdict = flash(tmp_path, firmware("motor 2.0.0", assume=BOARD), board.port)
    assert verdict.result == "flashed", verdict
    board.reset()
    assert board.name == "motor 2.0.0"


def test_a_node_in_serial_recovery_by_its_button_is_flashed_and_keeps_its_old_image(tmp_path, node, firmware):
    board = node()
    board.reset(recovery=True)
    verdict = flash(tmp_path, firmware("motor 2.0.0", assume=BOARD), board.port)
    assert (verdict.result, verdict.proof) == ("flashed", "build"), verdict
    assert board.uploads == [2]
    assert board.slots[1].image.version == "1.0.0"


def test_an_image_for_another_board_is_refused_before_anything_is_written(tmp_path, node, firmware):
    board = node(board="nrf9160dk")
    verdict = flash(tmp_path, firmware("motor 2.0.0"), board.port)
    assert (verdict.result, verdict.exit_code) == ("refused", 2)
    assert "nrf9160dk" in verdict.why
    assert board.uploads == []


def test_a_node_that_does_not_tell_its_board_needs_the_packages_word_for_it(tmp_path, node, firmware):
    board = node()
    board.tells_board = False
    assert flash(tmp_path, firmware("motor 2.0.0"), board.port).result == "refused"
    assert flash(tmp_path, firmware("motor 2.0.0", assume=BOARD), board.port).result == "flashed"


def test_a_silent_port_is_told(tmp_path, node, firmware):
    board = node()
    board.slots[0].content = board.slots[0].content.replace(b"motor", b"hang ")
    assert Mcuboot({}).probe(board.port).board == "silent"
    with pytest.raises(FlashError, match="does not answer SMP"):
        Mcuboot({}).write(board.port, firmware("motor 2.0.0"), nothing)


def test_a_package_without_the_images_own_hash_is_refused(signed):
    found = gather(signed("motor 2.0.0"))
    manifest = package.build(found, board=BOARD, name="m", version="1", flasher="mcuboot", build_digest="abc")
    with pytest.raises(PackageError, match="pack it without --build"):
        Mcuboot({}).fit(package.read(package.pack(manifest, found), "p"))


def test_what_is_no_mcuboot_image_is_refused():
    found = [Found("a.bin", Image(0, b"plain firmware"))]
    manifest = package.build(found, board=BOARD, name="m", version="1", flasher="mcuboot")
    with pytest.raises(PackageError, match=r"0x96f3b83d.*imgtool"):
        Mcuboot({}).fit(package.read(package.pack(manifest, found), "p"))


@pytest.mark.parametrize("speaks", ["smp", "edgelink"])
def test_a_port_that_leaves_the_bus_at_each_restart_is_waited_for(tmp_path, node, firmware, speaks):
    board = node(speaks=speaks)
    board.usb = True
    verdict = flash(tmp_path, firmware("motor 2.0.0"), board.port)
    assert verdict.result == "flashed", verdict
    assert board.slots[0].confirmed


def test_without_smpclient_it_is_told_what_to_install(tmp_path, node, firmware, monkeypatch):
    board = node()
    monkeypatch.setitem(sys.modules, "smpclient", None)
    verdict = flash(tmp_path, firmware("motor 2.0.0"), board.port)
    assert verdict.result == "refused"
    assert 'pip install "edgeinfer[firmware]"' in verdict.why


def test_a_port_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FlashError, match="cannot be opened: is the cable in"):
        smp.talk(str(tmp_path / "none"), 115_200, smp.Smp.reset)
