"""The serial ports by the name that stays, whose they are and who has them open; opens none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.devices.access import May, may_open, trouble
from edgeinfer.devices.links import links
from edgeinfer.devices.text import text
from edgeinfer.devices.usb import parent

# Adapters, boards with USB of their own, and the pins of a board; ttyS* stand there without a line behind them.
_KINDS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyTHS*", "ttymxc*")


@dataclass(frozen=True, slots=True)
class SerialPort:
    """`name` goes into `port` of a source; `stays`: whether it names the same device after the next start."""

    name: str
    device: str
    product: str
    usb_id: str
    stays: bool
    problem: str


def serial_ports(root: Path, may: May = may_open) -> tuple[SerialPort, ...]:
    """Those of adapters, boards and pins, in the order of their names.

    Args:
        root: "/" but in tests.
        may: whether a device may be opened.
    """
    names = links(root, "dev/serial/by-id")
    nodes = sorted(node for kind in _KINDS for node in (root / "dev").glob(kind))
    return tuple(_port(root, node, names, may) for node in nodes)


def _port(root: Path, node: Path, names: dict[str, str], may: May) -> SerialPort:
    usb = parent(root / "sys/class/tty" / node.name / "device")
    return SerialPort(
        name=names.get(node.name, f"/dev/{node.name}"),
        device=f"/dev/{node.name}",
        product=usb.product if usb else text(root / "sys/class/tty" / node.name / "device/of_node/name"),
        usb_id=usb.id if usb else "",
        stays=node.name in names or not node.name.startswith(("ttyUSB", "ttyACM")),
        problem=trouble(root, node, may),
    )
