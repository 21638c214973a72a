"""What a job asks of the board: which it is, and at the end, plainly, what it runs. Writes nothing to it."""

from __future__ import annotations

import time
from typing import Final

from firmware_bridge.flash.before import Before
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Flasher
from firmware_bridge.flash.order import Order, World
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Running, proof_of

AGAIN: Final = "what it ran before"
_AGAIN_S = 0.2  # a board with native USB takes its port away while it restarts


def identify(order: Order, world: World, package: Package, flasher: Flasher) -> tuple[Running | None, str]:
    """Its HELLO, and what it or its bootloader says.

    Raises:
        PackageError: the image is for another board.
        FlashError: nobody answers who could say which board it is, or only in a later protocol.
    """
    running = world.hello(order.port, order.hello_s)
    if running is None:
        return None, _ask_bootloader(order, package, flasher)
    if running.board != package.manifest.board:
        raise PackageError(
            f"the image is for {package.manifest.board}, and {order.port} is {running.board} "
            f"running {running.name} {running.version}: wrong image or wrong port"
        )
    return running, str(running)


def _ask_bootloader(order: Order, package: Package, flasher: Flasher) -> str:
    probe = flasher.probe(order.port)
    if probe.board == "wrong":
        raise PackageError(
            f"the image is for {package.manifest.board}, and on {order.port} {probe.text}: "
            "wrong image or wrong port"
        )
    if probe.board == "silent":
        raise FlashError(
            f"neither our firmware nor a bootloader answers on {order.port}: {probe.text}; "
            f"this board's bootloader is entered by: {flasher.traits.entry}"
        )
    return probe.text


def hello_if_there(port: str, world: World, timeout_s: float) -> Running | None:
    """Its HELLO; None also while the port is away."""
    begun = time.monotonic()
    try:
        return world.hello(port, timeout_s)
    except FlashError:
        time.sleep(max(0.0, min(_AGAIN_S, timeout_s - (time.monotonic() - begun))))
        return None


def lies_there(port: str, flasher: Flasher, copy: Package) -> bool:
    """Whether flash holds `copy`, by reading it back: the proof for what never says HELLO.

    What lies behind it is not looked at: some bootloaders erase only what they write.
    """
    (image,) = copy.images.values()
    found = flasher.read(port, lambda _share: None)
    return found is not None and found.offset == image.offset and found.content.startswith(image.content)


def runs_now(
    order: Order, world: World, package: Package, flasher: Flasher, before: Before, *, restored: bool = False
) -> str:
    """Plainly: which image the node runs, or that only its bootloader is alive. Begins with AGAIN for the old one."""
    if restored:
        return f"{AGAIN} (it says no HELLO; its flash was read back and compared)"
    try:
        running = world.hello(order.port, order.hello_s)
        if running is None:
            return _bootloader_only(flasher.probe(order.port).board)
    except (FlashError, OSError) as error:
        return f"unknown: {error}; put the cable in and flash again"
    return _told(running, package, before)


def _told(running: Running, package: Package, before: Before) -> str:
    if running.bootloader:
        return f"{running}; flash again"
    if proof_of(package, running) != "none":
        return f"the new image: {running}"
    if before.is_again(running):
        return f"{AGAIN}: {running}"
    return f"an image that is neither the new nor the old one, probably incomplete: {running}; flash again"


def _bootloader_only(board: str) -> str:
    if board == "right":
        return "only its bootloader is alive; flash again"
    return "nothing answers, neither firmware nor bootloader; press reset, then flash again"
