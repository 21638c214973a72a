"""What is plugged in, from trees as the kernel lays them out."""

from __future__ import annotations

import json

import pytest

from edgeinfer.cli.main import main
from edgeinfer.devices.accelerators import accelerators, library
from edgeinfer.devices.board import board_model
from edgeinfer.devices.cameras import cameras
from edgeinfer.devices.serial import serial_ports
from edgeinfer.devices.usb import usb_devices
from edgeinfer.errors import SourceLost
from firmware_bridge.port import group
from tests.devices import trees


@pytest.fixture
def tree(tmp_path) -> trees.Tree:
    return trees.Tree(tmp_path)


def never(_path) -> bool:
    return False


def test_a_camera_is_named_by_id_and_its_metadata_node_is_left_out(tree) -> None:
    tree.camera(0, "C920", by_id="usb-046d_C920-video-index0")
    tree.camera(1, "C920", index=1)
    tree.camera(2, "Other")
    found = cameras(tree.root, lambda _: ["640x480 MJPG"])
    assert [camera.name for camera in found] == ["/dev/v4l/by-id/usb-046d_C920-video-index0", "/dev/video2"]
    assert found[0].card == "C920"
    assert found[0].sizes == ("640x480 MJPG",)
    assert found[0].problem == ""


def test_a_camera_that_we_may_not_open_tells_its_group_and_is_not_opened(tree) -> None:
    tree.camera(0, "C920")
    asked: list[str] = []
    found = cameras(tree.root, lambda path: asked.append(path) or [], may=never)
    assert f"the group {group(tree.root / 'dev/video0')}" in found[0].problem
    assert asked == []


def test_a_camera_whose_opening_fails_says_why(tree) -> None:
    def broken(path):
        raise SourceLost(f"{path} is not there")

    tree.camera(0, "C920")
    assert "is not there" in cameras(tree.root, broken)[0].problem


def test_a_camera_tells_which_program_has_it(tree) -> None:
    tree.camera(0, "C920")
    tree.process(4711, "cheese", has_open="dev/video0")
    assert cameras(tree.root, lambda _: [])[0].problem == "open in cheese (process 4711)"


def test_a_serial_port_has_its_lasting_name_and_the_product_it_hangs_on(tree) -> None:
    tree.usb("1-1", "2341:0043", "Uno")
    tree.serial("ttyACM0", place="1-1", by_id="usb-Arduino_Uno-if00")
    (found,) = serial_ports(tree.root)
    assert (found.name, found.device) == ("/dev/serial/by-id/usb-Arduino_Uno-if00", "/dev/ttyACM0")
    assert (found.product, found.usb_id, found.stays) == ("Uno", "2341:0043", True)


def test_an_adapter_without_a_name_of_its_own_may_be_another_one_tomorrow(tree) -> None:
    tree.serial("ttyUSB0")
    tree.serial("ttyAMA0")
    assert {port.name: port.stays for port in serial_ports(tree.root)} == {
        "/dev/ttyUSB0": False,
        "/dev/ttyAMA0": True,
    }


def test_a_serial_port_tells_who_has_it_and_which_group_is_missing(tree) -> None:
    tree.serial("ttyUSB0")
    tree.process(12, "minicom", has_open="dev/ttyUSB0")
    assert serial_ports(tree.root)[0].problem == "open in minicom (process 12)"
    assert "belongs to the group" in serial_ports(tree.root, may=never)[0].problem


def test_a_coral_on_usb_is_told_before_and_after_its_firmware(tree) -> None:
    tree.usb("2-1", "1a6e:089a", speed=5000, node="2/3")
    tree.usb("2-2", "18d1:9302", speed=5000, node="2/5")
    found = accelerators(tree.root)
    assert [(one.state, one.node) for one in found] == [
        ("as it starts up", "/dev/bus/usb/002/003"),
        ("ready", "/dev/bus/usb/002/005"),
    ]


def test_a_coral_in_a_usb2_socket_is_told(tree) -> None:
    tree.usb("1-1", "18d1:9302", speed=480)
    assert "480 Mbit/s" in accelerators(tree.root)[0].problem


def test_a_coral_on_pcie_has_a_temperature(tree) -> None:
    tree.file("dev/apex_0")
    tree.file("sys/class/apex/apex_0/temp", "52250\n")
    (found,) = accelerators(tree.root)
    assert (found.bus, found.node, found.temp_c) == ("pci", "/dev/apex_0", 52.25)


@pytest.mark.parametrize("machine", trees.ELF)
def test_libedgetpu_is_found_with_the_machine_it_was_built_for(tree, machine) -> None:
    tree.file("usr/lib/aarch64-linux-gnu/libedgetpu.so.1.0", trees.library(machine))
    tree.link("usr/lib/aarch64-linux-gnu/libedgetpu.so.1", "libedgetpu.so.1.0")
    found = library(tree.root)
    assert found is not None
    assert found.path == "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1"
    assert found.machine == machine


def test_a_library_that_is_no_library_has_no_machine(tree) -> None:
    assert library(tree.root) is None
    tree.file("usr/lib/libedgetpu.so.1", "text")
    found = library(tree.root)
    assert found is not None
    assert found.machine == ""


def test_the_board_is_named_by_its_devicetree_or_its_firmware(tree) -> None:
    tree.file("sys/class/dmi/id/product_name", "NUC\n")
    assert board_model(tree.root).model == "NUC"
    tree.file("sys/firmware/devicetree/base/model", b"Raspberry Pi 4 Model B Rev 1.4\0")
    tree.file("proc/meminfo", "MemTotal:        1917508 kB\nMemFree: 1 kB\n")
    found = board_model(tree.root)
    assert found.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert found.memory_mb == 1963


def test_an_empty_machine_has_nothing(tree) -> None:
    assert usb_devices(tree.root) == ()
    assert accelerators(tree.root) == ()
    assert board_model(tree.root).model == "unknown"


def test_devices_lists_them_for_people_and_for_programs(tree, capsys) -> None:
    tree.usb("1-1", "18d1:9302", node="1/7")
    tree.serial("ttyUSB0")
    tree.file("dev/apex_0")
    assert main(["devices", "--root", str(tree.root)]) == 0
    said = capsys.readouterr().out
    assert "/dev/ttyUSB0" in said
    assert "after the next start" in said
    assert "Edge TPU on pci  /dev/apex_0" in said
    assert "libedgetpu: not found" in said
    assert main(["devices", "--json", "--root", str(tree.root)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["node"] for one in found["accelerators"]] == ["/dev/apex_0", "/dev/bus/usb/001/007"]
    assert found["serial"][0]["stays"] is False
    assert found["cameras"] == []
    assert found["libedgetpu"] is None


def test_devices_asks_each_port_and_tells_why_none_answers(tree, capsys) -> None:
    tree.serial("ttyUSB0")
    assert main(["devices", "--ask", "--root", str(tree.root)]) == 0
    assert "    there is no such port" in capsys.readouterr().out
