"""The Video4Linux cameras by the name that stays; the camera of a Pi's ribbon cable is libcamera's and not among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.devices.access import May, may_open, missing_group, trouble
from edgeinfer.devices.links import links
from edgeinfer.devices.text import number, text
from edgeinfer.errors import SourceLost

Sizes = Callable[[str], Iterable[object]]


@dataclass(frozen=True, slots=True)
class Camera:
    """`name` goes into `from` of a source; `problem` says why it gives no picture now, "" when nothing is known."""

    name: str
    device: str
    card: str
    sizes: tuple[str, ...]
    problem: str


def cameras(root: Path, sizes: Sizes, may: May = may_open) -> tuple[Camera, ...]:
    """One entry a camera: UVC cameras have a second node for metadata (index 1 and up), which is left out.

    Args:
        root: "/" but in tests.
        sizes: what a device offers, as `sources.v4l2_formats.sizes`.
        may: whether a device may be opened.
    """
    names = links(root, "dev/v4l/by-id") or links(root, "dev/v4l/by-path")
    nodes = sorted(
        (root / "sys/class/video4linux").glob("video*"), key=lambda node: (len(node.name), node.name)
    )
    return tuple(_camera(root, node, names, sizes, may) for node in nodes if not number(node / "index"))


def _camera(root: Path, node: Path, names: dict[str, str], sizes: Sizes, may: May) -> Camera:
    device = root / "dev" / node.name
    offers, problem = _offers(root, device, sizes, may)
    return Camera(
        name=names.get(node.name, f"/dev/{node.name}"),
        device=f"/dev/{node.name}",
        card=text(node / "name"),
        sizes=offers,
        problem=problem,
    )


def _offers(root: Path, device: Path, sizes: Sizes, may: May) -> tuple[tuple[str, ...], str]:
    if not device.exists():
        return (), f"there is no /dev/{device.name}, though its driver is loaded"
    problem = trouble(root, device, may)
    if missing_group(device, may):
        return (), problem
    try:
        return tuple(map(str, sizes(str(device)))), problem
    except SourceLost as error:
        return (), str(error)
