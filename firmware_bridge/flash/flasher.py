"""What a flasher is: one way into a board's flash, with progress; and the table of those that we know.

A flasher writes and reads; it decides nothing. The job decides, and proves what runs afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, Protocol, runtime_checkable

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Hello

Progress = Callable[[float], None]
"""`progress(share)`: how much is done, 0 to 1; called from the flasher's thread, often."""

Options = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a technician should know before choosing.

    `keeps_old`: the running image stays on the board until the new one is accepted, so that a power cut or a bad
    image costs nothing. `weaker`: nothing on the board keeps the old image; a cut leaves its bootloader alive only.
    """

    name: str
    tool: str
    entry: str
    reads_back: bool
    keeps_old: bool
    proven: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What the bootloader says: `right` board, `wrong` board, or `silent` (none answers)."""

    board: Literal["right", "wrong", "silent"]
    text: str


class Flasher(Protocol):
    """Built as `cls(options)` from a package's [options]; every method opens and closes the port by itself."""

    traits: Traits

    def __init__(self, options: Options) -> None: ...

    def fit(self, package: Package) -> None:
        """Raises PackageError when this flasher cannot write such a package; touches nothing."""
        ...

    def probe(self, port: str) -> Probe:
        """Asks the bootloader what it stands on; writes nothing, may reset the board."""
        ...

    def read(self, port: str, progress: Progress) -> Image | None:
        """The application that is in flash now; None where that cannot be read.

        Raises:
            FlashError: reading failed half-way.
        """
        ...

    def write(self, port: str, package: Package, progress: Progress) -> None:
        """Writes and starts the image; may be called again after any failure.

        Raises:
            FlashError: it is not known to be complete.
        """
        ...

    def accept(self, port: str) -> None:
        """The new image was proven: keep it for good. Nothing to do where there is only one slot."""
        ...

    def revert(self, port: str) -> None:
        """Where `keeps_old`: start the image that ran before. Others are reverted by writing the backup."""
        ...


@runtime_checkable
class Asks(Protocol):
    """A flasher whose nodes are asked in another way: by other modem lines, or not in our protocol."""

    def asking(self, hello: Hello) -> Hello:
        """What a job uses instead of `hello`."""
        ...


def hello_by(flasher: Flasher, hello: Hello) -> Hello:
    """How to ask a node that `flasher` writes."""
    return flasher.asking(hello) if isinstance(flasher, Asks) else hello


FLASHERS: Mapping[str, str] = {
    "avrdude": "firmware_bridge.flash.avrdude:Avrdude",
    "edgeboot": "firmware_bridge.flash.edgeboot:Edgeboot",
    "stm32loader": "firmware_bridge.flash.stm32loader:Stm32loader",
    "esptool": "firmware_bridge.flash.esptool:Esptool",
    "mcuboot": "firmware_bridge.flash.mcuboot:Mcuboot",
}


def kind(name: str) -> type[Flasher]:
    """The class of a flasher, imported here and not before.

    Raises:
        PackageError: there is none of this name.
    """
    if name not in FLASHERS:
        raise PackageError(f"no flasher {name!r} (there are: {', '.join(FLASHERS)})")
    module, _, cls = FLASHERS[name].partition(":")
    found: type[Flasher] = getattr(import_module(module), cls)
    return found


def number(options: Options, key: str, default: int) -> int:
    """A whole number from [options]; raises PackageError when it is something else."""
    value = options.get(key, default)
    if not isinstance(value, int):
        raise PackageError(f"options.{key}: expected a whole number, found {value!r}")
    return value
