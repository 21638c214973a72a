"""What a flasher asks of an SMP server over a serial line: images, upload, test, confirm, reset; by smpclient.

It decides nothing; every failure of the line, of the server and of the library leaves as a FlashError.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.flasher import Progress

if TYPE_CHECKING:
    from smpclient import SMPClient

T = TypeVar("T")
_HOW = 'MCUboot nodes need the package smpclient: pip install "edgeinfer[firmware]"'
_CONNECT_S, _REPLY_S, _ERASE_S = (
    5.0,
    2.5,
    40.0,
)  # a port may come back first; the first chunk is answered after a whole slot was erased


@dataclass(frozen=True, slots=True)
class Slot:
    """One image as the server lists it; `digest` is MCUboot's own hash of it."""

    slot: int
    version: str
    digest: bytes
    active: bool
    confirmed: bool
    pending: bool


class Smp:
    """A connected server; use `talk`."""

    def __init__(self, port: str, client: SMPClient) -> None:
        self.port, self._client = port, client

    async def slots(self) -> list[Slot]:
        from smpclient.requests.image_management import ImageStatesRead

        return _slots(await self._ask(ImageStatesRead(), "list its images"))

    async def upload(self, content: bytes, image: int, progress: Progress) -> None:
        """Raises FlashError when the server refuses a chunk, or finds another hash than the file's."""
        async for done in self._client.upload(content, slot=image, first_timeout_s=_ERASE_S):
            progress(min(done / len(content), 0.99))

    async def test(self, digest: bytes) -> list[Slot]:
        """The image gets one start on trial at the next reset."""
        return await self._mark(digest, confirm=False)

    async def confirm(self, digest: bytes) -> list[Slot]:
        """The image stays for good."""
        return await self._mark(digest, confirm=True)

    async def reset(self) -> None:
        from smpclient.requests.os_management import ResetWrite

        await self._ask(ResetWrite(), "reset")

    async def board(self) -> str:
        """The hardware platform, such as nrf52840dk; "" where the server does not tell it."""
        from smpclient.requests.os_management import OSApplicationInfoRead

        said: Any = await self._client.request(OSApplicationInfoRead(format="i"))
        return str(said.output).strip() if _done(said) else ""

    async def _mark(self, digest: bytes, *, confirm: bool) -> list[Slot]:
        from smpclient.requests.image_management import ImageStatesWrite

        what = "confirm the new image" if confirm else "try the new image"
        return _slots(await self._ask(ImageStatesWrite(hash=digest, confirm=confirm), what))

    async def _ask(self, request: Any, what: str) -> Any:
        client: Any = self._client  # a request's type says its reply's; all are alike here
        said = await client.request(request)
        if not _done(said):
            raise FlashError(f"{self.port}: the node does not {what}: {_reason(said)}")
        return said


def _done(said: Any) -> bool:
    from smp.message import ResponseType

    return bool(said.RESPONSE_TYPE is ResponseType.SUCCESS)


def need() -> None:
    """Raises FlashError where smpclient is not installed."""
    if find_spec("smpclient") is None:
        raise FlashError(_HOW)


def talk(port: str, baud: int, work: Callable[[Smp], Awaitable[T]], reply_s: float = _REPLY_S) -> T:
    """`work` with a connected server; opens and closes the port. An answer may take `reply_s`.

    Raises:
        FlashError: no port, no server, the cable out, or what the server refused.
    """
    need()
    from smpclient import SMPClient, exceptions
    from smpclient.transport import SMPTransportDisconnected
    from smpclient.transport.serial import SMPSerialTransport

    logging.getLogger("smpclient").addHandler(
        logging.NullHandler()
    )  # else it writes between our progress bars

    async def whole() -> T:
        client = SMPClient(SMPSerialTransport(baudrate=baud, exclusive=True), port, timeout_s=reply_s)
        await client.connect(_CONNECT_S)
        try:
            return await work(Smp(port, client))
        finally:
            await client.disconnect()

    try:
        return asyncio.run(whole())
    except (TimeoutError, asyncio.TimeoutError) as error:  # two classes until Python 3.11
        raise FlashError(f"{port}: {_silent(str(error))}") from error
    except exceptions.SMPUploadError as error:
        raise FlashError(f"{port}: the node refused the image: {_reason(*error.args[:1])}") from error
    except exceptions.SMPClientException as error:
        raise FlashError(
            f"{port}: the node answers what is no SMP: {str(error).strip().splitlines()[0]}"
        ) from error
    except (SMPTransportDisconnected, OSError) as error:
        raise FlashError(
            f"{port}: the port went away in the middle: is the cable in, has the board power?"
        ) from error


def _silent(said: str) -> str:
    if "Failed to connect" in said:
        return "the port cannot be opened: is the cable in, does somebody else have it open?"
    return "the node does not answer SMP: does it run, or wait in MCUboot's serial recovery?"


def _slots(said: Any) -> list[Slot]:
    return [
        Slot(
            one.slot,
            one.version,
            bytes(one.hash or b""),
            bool(one.active),
            bool(one.confirmed),
            bool(one.pending),
        )
        for one in said.images
        if not one.image  # of the first image only; further ones belong to other cores
    ]


_MEANINGS = {
    "EBUSY": "it is busy with another request; try again",
    "EBADSTATE": "its last image is still on trial: reset it, or confirm that one first",
    "ENOMEM": "the image has no room",
    "ENOTSUP": "its firmware was built without that",
    "NO_FREE_SLOT": "no slot is free: its last image is still on trial, or waits to be tried",
    "IMAGE_ALREADY_PENDING": "an image waits to be tried already; reset the node first",
    "INVALID_IMAGE_TOO_LARGE": "the image is larger than the slot",
    "INVALID_IMAGE_HEADER_MAGIC": "it is no MCUboot image",
    "CURRENT_VERSION_IS_NEWER": "what it runs is newer, and it only takes upgrades",
}


def _reason(said: Any) -> str:
    """From an SMP error of version 1 or 2, by the names that the protocol gives them."""
    code = getattr(getattr(said, "err", said), "rc", None)
    if code is None:
        return "what arrived does not have the hash of what was sent" if "SHA256" in str(said) else str(said)
    name = getattr(code, "name", str(code))
    return f"{_MEANINGS.get(name, 'see the SMP specification')} ({name})"


def active(slots: Sequence[Slot]) -> Slot | None:
    """The one that runs now."""
    return next((one for one in slots if one.active), None)
