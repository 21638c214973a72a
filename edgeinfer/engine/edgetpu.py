"""The backend `edgetpu`: a Coral on USB or PCIe through libedgetpu; runs in a child process unless told otherwise."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta

from edgeinfer.engine.external import open_with
from edgeinfer.engine.isolated import ALONE
from edgeinfer.ports import BackendPlace, Delegate, ModelFile, Session

_DEVICE = re.compile(r"(usb|pci)?(:\d+)?")


class Edgetpu:
    """Takes files that the Edge TPU compiler made (the variant `edgetpu` of a bundle)."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`device`: "" the first one, "usb", "pci", ":0", "usb:1", as libedgetpu understands it."""

        device: str = ""
        library: Annotated[str, Meta(min_length=1)] = "libedgetpu.so.1"

        def __post_init__(self) -> None:
            if not _DEVICE.fullmatch(self.device):
                raise ValueError(
                    f'device: expected "" (the first one), "usb", "pci", ":1" or "usb:0", found {self.device!r}'
                )

    files = ("edgetpu",)
    isolates = accelerates = True

    def __init__(self, options: Options, place: BackendPlace | None = None) -> None:
        self._place = place or ALONE
        device = {"device": options.device} if options.device else {}
        self._delegate = Delegate(options.library, device)

    def open(self, model: ModelFile) -> Session:
        """As the port says; see delegates.py for what is raised."""
        return open_with(replace(model, delegate=self._delegate), self._place)
