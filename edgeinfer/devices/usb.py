"""The USB devices, as the kernel lists them under /sys/bus/usb/devices; opens none of them.

Source: Linux, Documentation/ABI/testing/sysfs-bus-usb and ABI/stable/sysfs-bus-usb (idVendor, idProduct, busnum,
devnum, speed in Mbit/s).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.devices.text import number, text


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """`place`: bus and ports, as the kernel names it ("1-1.2"); `id`: "vendor:product"; `node`: under /dev."""

    place: str
    id: str
    product: str
    speed_mbit_s: float | None
    node: str


def usb_devices(root: Path) -> tuple[UsbDevice, ...]:
    """All of them, root hubs too, in the order of their places."""
    folders = sorted((root / "sys/bus/usb/devices").glob("*"), key=lambda f: f.name)
    return tuple(_device(folder) for folder in folders if text(folder / "idVendor"))


def parent(folder: Path) -> UsbDevice | None:
    """The USB device that a device of the kernel (`/sys/class/…/device`) hangs on; None when it hangs on none."""
    found = folder.resolve()
    for above in (found, *found.parents):
        if text(above / "idVendor"):
            return _device(above)
    return None


def _device(folder: Path) -> UsbDevice:
    bus, device = number(folder / "busnum"), number(folder / "devnum")
    product = " ".join(filter(None, [text(folder / "manufacturer"), text(folder / "product")]))
    return UsbDevice(
        place=folder.name,
        id=f"{text(folder / 'idVendor')}:{text(folder / 'idProduct')}",
        product=product,
        speed_mbit_s=number(folder / "speed"),
        node="" if bus is None or device is None else f"/dev/bus/usb/{bus:03.0f}/{device:03.0f}",
    )
