"""Flashes nodes with MCUboot over SMP: the new image goes into the second slot and gets one start on trial.

Two kinds of node: firmware that speaks our protocol and leaves for MCUboot's serial recovery on `enter_bootloader`,
and firmware that has an SMP server itself (Zephyr's mcumgr), which only its image list can prove.
"""

from __future__ import annotations

from firmware_bridge import messages as m
from firmware_bridge.flash import entry, smp, wire
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Options, Probe, Progress, Traits, number
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.mcuboot_image import parse_mcuboot
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Hello, Running
from firmware_bridge.flash.smp import Slot, Smp

_HELLO_S, _LIST_S = 1.0, 1.0
_LEAVES_S = 1.0  # Zephyr restarts 250 ms after its reply
_BACK_S = 60.0  # a swap of 512 KB may take half a minute


class Mcuboot:
    """The confirmed image is kept until the new one is confirmed: a cut, a bad image or a hang costs a reset.

    Options: `baud`; `assume` (the board's name, for firmware whose SMP server does not tell it); `image` (the number
    under which the firmware's server takes an upload: 0) and `recovery_image` (the same for serial recovery: 2, which
    is the second slot where MCUboot was built with direct upload).
    """

    traits = Traits(
        name="mcuboot",
        tool="smpclient (library)",
        entry="command enter_bootloader where it speaks our protocol; else its own SMP server; else MCUboot's button",
        reads_back=False,
        keeps_old=True,
        proven="simulated peer: smpclient against our own writing of an SMP server and of MCUboot's swap",
    )

    def __init__(self, options: Options) -> None:
        self._baud = number(options, "baud", 115_200)
        self._image, self._recovery = number(options, "image", 0), number(options, "recovery_image", 2)
        self._assume = str(options.get("assume", ""))
        self._digest = b""

    def fit(self, package: Package) -> None:
        digest = _image(package)[1]
        if package.manifest.build != digest.hex():
            raise PackageError(
                f"the package's build digest is {package.manifest.build or 'missing'}, expected the image's own hash "
                f"{digest.hex()}: pack it without --build"
            )

    def asking(self, hello: Hello) -> Hello:
        """HELLO, else what the SMP server tells: the build digest is then the hash of the image that it runs."""

        def asked(port: str, timeout_s: float) -> Running | None:
            return hello(port, min(_HELLO_S, timeout_s)) or self._listed(port)

        return asked

    def probe(self, port: str) -> Probe:
        said = self._listed(port)
        if said is None:
            return Probe(
                "silent", "no SMP server answers, neither the firmware's nor that of serial recovery"
            )
        return Probe("right", f"an SMP server answers: {said}")

    def read(self, port: str, progress: Progress) -> Image | None:
        """The board keeps its old image itself."""

    def write(self, port: str, package: Package, progress: Progress) -> None:
        content, self._digest = _image(package)
        self._enter(port)

        async def work(server: Smp) -> None:
            before = await server.slots()  # whoever does not answer this is not waited for as one who erases
            where = self._image if smp.active(before) else self._recovery
            await server.upload(content, where, progress)
            if _to_be_tried(port, before, await server.slots(), self._digest):
                await server.test(self._digest)
            await server.reset()

        smp.talk(port, self._baud, work)
        _wait_restart(port)
        progress(1.0)

    def accept(self, port: str) -> None:
        if self._command(port, m.Order.CONFIRM_IMAGE, "the new image could not be accepted"):
            return

        async def work(server: Smp) -> None:
            runs = smp.active(await server.slots())
            if runs is None or runs.digest != self._digest:
                raise FlashError(f"{port}: the new image does not run any more; it was not accepted")
            now = smp.active(await server.confirm(self._digest))
            if now is None or not now.confirmed:
                raise FlashError(f"{port}: the node did not keep the acceptance of its new image")

        smp.talk(port, self._baud, work)

    def revert(self, port: str) -> None:
        """A reset without acceptance brings the old image back; one that hangs needs the watchdog or the button."""
        if not self._command(port, m.Order.REBOOT, "the node did not restart"):
            try:
                smp.talk(port, self._baud, Smp.reset)
            except FlashError as error:
                raise FlashError(f"{error}; press reset, and the old image comes back") from error
        _wait_restart(port)

    def _listed(self, port: str) -> Running | None:
        async def work(server: Smp) -> Running:
            runs, board = smp.active(await server.slots()), await server.board() or self._assume or "unknown"
            if runs is None:  # in serial recovery nothing runs
                return Running(board, "MCUboot", "serial-recovery", bootloader=True)
            return Running(
                board, "MCUboot-image", runs.version, build=runs.digest.hex(), confirmed=runs.confirmed
            )

        smp.need()
        try:
            with wire.opened(port, self._baud) as line:
                line.end_line()  # of what we asked in our own words
            return smp.talk(port, self._baud, work, _LIST_S)
        except FlashError:
            return None  # asked again by whoever waits for it

    def _enter(self, port: str) -> None:
        """Into serial recovery, where the firmware speaks our protocol; else it has the server itself."""
        failed = "the node does not enter its bootloader"
        if self._command(port, m.Order.ENTER_BOOTLOADER, failed, m.magic_arguments()):
            _wait_restart(port)

    def _command(self, port: str, order: m.Order, failed: str, arguments: bytes = b"") -> bool:
        """Whether the node speaks our protocol; it has then done as it was told."""
        with wire.opened(port, self._baud) as line:
            if line.hello(_HELLO_S) is None:
                line.end_line()
                return False
            if result := line.command(order, arguments):
                raise FlashError(f"{port}: {failed} (result {result})")
        return True


def _wait_restart(port: str) -> None:
    """A node with USB of its own leaves the bus when it restarts, and comes back; a port that stays is taken as it is."""
    entry.wait_gone(port, _LEAVES_S)
    entry.wait_back(port, _BACK_S)


def _image(package: Package) -> tuple[bytes, bytes]:
    """Content of the one image and its hash."""
    if len(package.images) != 1:
        raise PackageError(f"mcuboot writes one image, the package holds {len(package.images)}")
    ((name, image),) = package.images.items()
    return image.content, parse_mcuboot(image.content, name).digest


def _to_be_tried(port: str, before: list[Slot], after: list[Slot], digest: bytes) -> bool:
    """Whether the image that was sent lies where it can be tried and taken back; not so on a board that was blank.

    Raises:
        FlashError: it is not there, or it lies where another one was.
    """
    found = next((one for one in after if one.digest == digest), None)
    if found is None:
        raise FlashError(f"{port}: the node does not list the image that it was sent; its old one runs on")
    if found.slot != 0 or found.active:
        return True
    if any(one.slot == 0 and one.digest != digest for one in before):
        raise FlashError(
            f"{port}: this bootloader wrote over the running slot: the old image is gone, and the new one runs after "
            "a reset; build MCUboot with CONFIG_MCUBOOT_SERIAL_DIRECT_IMAGE_UPLOAD to keep both"
        )
    return False
