"""A machine under a folder: files and links as the kernel lays them out in /sys, /dev and /proc."""

from __future__ import annotations

import os
from pathlib import Path


class Tree:
    """`root` is what the rooms take instead of "/"."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, name: str, content: str | bytes = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def link(self, name: str, to: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(to)

    def usb(self, place: str, id_: str, product: str = "", *, speed: int = 480, node: str = "1/4") -> None:
        folder = f"sys/devices/usb1/{place}"
        bus, number = node.split("/")
        vendor, _, kind = id_.partition(":")
        for key, value in {
            "idVendor": vendor, "idProduct": kind, "product": product, "speed": str(speed), "busnum": bus,
            "devnum": number,
        }.items():  # fmt: skip
            self.file(f"{folder}/{key}", f"{value}\n")
        self.file(f"dev/bus/usb/{int(bus):03}/{int(number):03}")
        self.link(
            f"sys/bus/usb/devices/{place}",
            os.path.relpath(self.root / folder, self.root / "sys/bus/usb/devices"),
        )

    def camera(self, n: int, card: str, *, index: int = 0, by_id: str = "") -> None:
        self.file(f"sys/class/video4linux/video{n}/name", f"{card}\n")
        self.file(f"sys/class/video4linux/video{n}/index", f"{index}\n")
        self.file(f"dev/video{n}")
        if by_id:
            self.link(f"dev/v4l/by-id/{by_id}", f"../../video{n}")

    def serial(self, name: str, *, place: str = "", by_id: str = "") -> None:
        self.file(f"dev/{name}")
        self.file(f"sys/class/tty/{name}/dev", "166:0\n")
        if place:
            folder = self.root / f"sys/devices/usb1/{place}/{place}:1.0"
            folder.mkdir(parents=True, exist_ok=True)
            self.link(f"sys/class/tty/{name}/device", str(folder))
        if by_id:
            self.link(f"dev/serial/by-id/{by_id}", f"../../{name}")

    def process(self, pid: int, name: str, has_open: str) -> None:
        self.file(f"proc/{pid}/comm", f"{name}\n")
        self.link(f"proc/{pid}/fd/3", str(self.root / has_open))


ELF = {"x86_64": 62, "aarch64": 183, "arm": 40}


def library(machine: str) -> bytes:
    """The head of a shared library for a machine (System V ABI, chapter 4)."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + ELF[machine].to_bytes(2, "little")
