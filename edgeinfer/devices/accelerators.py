"""The Edge TPUs on USB and PCIe, and the library that speaks to them; opens neither.

Sources: Coral's udev rules (1a6e:089a before the firmware is loaded, 18d1:9302 after, class apex); the ELF header,
System V ABI, chapter 4 (e_ident[EI_CLASS] at 4, e_machine at 18).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.devices.access import May, may_open, trouble
from edgeinfer.devices.text import number
from edgeinfer.devices.usb import UsbDevice, usb_devices
from edgeinfer.engine.coral import USB_IDS

_LIBRARY = "libedgetpu.so.1"
_FOLDERS = (
    "lib",
    "lib64",
    "usr/lib",
    "usr/lib64",
    "usr/local/lib",
    "lib/*-linux-gnu*",
    "usr/lib/*-linux-gnu*",
)
_MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}


@dataclass(frozen=True, slots=True)
class Accelerator:
    """`bus`: "usb" or "pci"; `state`: "ready", or as it starts up; `temp_c` only on PCIe."""

    bus: str
    node: str
    state: str
    temp_c: float | None
    problem: str


@dataclass(frozen=True, slots=True)
class Library:
    """libedgetpu: where it lies, and for which machine it was built ("" where it is no ELF file)."""

    path: str
    machine: str


def accelerators(root: Path, may: May = may_open) -> tuple[Accelerator, ...]:
    """The Corals of this machine, those on PCIe first."""
    nodes = sorted((root / "dev").glob("apex_*"))
    usb = [device for device in usb_devices(root) if device.id in USB_IDS]
    return (*(_on_pci(root, node, may) for node in nodes), *(_on_usb(root, one, may) for one in usb))


def library(root: Path) -> Library | None:
    """The libedgetpu where the loader looks for it; None where there is none."""
    for folder in _FOLDERS:
        for path in sorted(root.glob(f"{folder}/{_LIBRARY}")):
            if path.exists():
                return Library(f"/{path.relative_to(root)}", machine_of(path))
    return None


def machine_of(path: Path) -> str:
    """For which machine an ELF file was built, as `uname -m` says it; "" when it is none."""
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError:
        return ""
    if len(head) < 20 or not head.startswith(b"\x7fELF"):
        return ""
    code = int.from_bytes(head[18:20], "little")
    return _MACHINES.get(code, f"machine {code}")


def _on_pci(root: Path, node: Path, may: May) -> Accelerator:
    milli_c = number(root / "sys/class/apex" / node.name / "temp")
    temp_c = None if milli_c is None else milli_c / 1000
    return Accelerator("pci", f"/dev/{node.name}", "ready", temp_c, trouble(root, node, may))


def _on_usb(root: Path, device: UsbDevice, may: May) -> Accelerator:
    problem = trouble(root, root / device.node.lstrip("/"), may) if device.node else ""
    slow = (
        "" if (device.speed_mbit_s or 5000) >= 5000 else f"it runs at {device.speed_mbit_s:.0f} Mbit/s: USB 2"
    )
    return Accelerator("usb", device.node, USB_IDS[device.id], None, problem or slow)
