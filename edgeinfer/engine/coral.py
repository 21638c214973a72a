"""Why libedgetpu finds no device: it says nothing itself. Looks at the buses, opens nothing.

Sources: the accelerator's USB ids before and after its firmware is loaded (1a6e:089a, 18d1:9302) and its PCIe node
/dev/apex_N are those of Coral's udev rules.
"""

from __future__ import annotations

import os
from pathlib import Path

USB_IDS = {"1a6e:089a": "as it starts up", "18d1:9302": "ready"}


def whereabouts(root: Path = Path("/")) -> str:
    """One sentence about the Edge TPUs that this machine has, and what may keep us from them."""
    usb = [USB_IDS[found] for found in map(_ids, root.glob("sys/bus/usb/devices/*")) if found in USB_IDS]
    nodes = sorted((root / "dev").glob("apex_*"))
    closed = [str(node) for node in nodes if not os.access(node, os.R_OK | os.W_OK)]
    if closed:
        return f"{closed[0]} is there, and this user may not open it: put it into the group apex, or mend the udev rule"
    if nodes:
        return f"{nodes[0]} is there: does another program hold it, or is the driver (gasket, apex) too old for this kernel?"
    if usb:
        return (
            f"there is one on USB ({usb[0]}): may this user open it (group plugdev, Coral's udev rules for 1a6e and 18d1), "
            "does another program hold it, has the port enough power?"
        )
    return "there is none on USB (1a6e:089a or 18d1:9302) nor on PCIe (/dev/apex_0): is it plugged in?"


def _ids(device: Path) -> str:
    try:
        return f"{(device / 'idVendor').read_text().strip()}:{(device / 'idProduct').read_text().strip()}"
    except OSError:
        return ""
