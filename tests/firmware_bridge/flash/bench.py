"""A simulated board with our bootloader on a bench: packages for it, and jobs that are impatient."""

from __future__ import annotations

from pathlib import Path

from firmware_bridge.flash import package
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.job import Job
from firmware_bridge.flash.journal import Journal
from firmware_bridge.flash.order import Order, Verdict, World
from firmware_bridge.flash.sources import Found
from firmware_bridge.flash.wire import hello_at
from firmware_bridge.simulator import Board, Line, Program
from firmware_bridge.simulator.slots import Layout

SIZE = 6000


def images(version: str, behaviour: str = "runs", size: int = SIZE) -> list[bytes]:
    """One for each slot."""
    return [Program("node", version, Layout().start(n), size, behaviour).image() for n in (0, 1)]


def pack(
    path: Path, version: str, behaviour: str = "runs", board: str = "microbit", key=None, size: int = SIZE
) -> Path:
    found = [
        Found(f"{slot}.bin", Image(Layout().start(n), image), slot)
        for n, (slot, image) in enumerate(zip("ab", images(version, behaviour, size), strict=True))
    ]
    manifest = package.build(found, board=board, name="node", version=version, flasher="edgeboot")
    path.write_bytes(package.pack(manifest, found, key))
    return path


class Bench:
    """`flash(version)` packs and flashes; `board` and `line` are for the hand that presses, cuts and pulls."""

    def __init__(self, folder: Path, name: str = "port", size: int = SIZE, **board) -> None:
        self.folder, self.state, self.size = folder, folder / "state", size
        self.board = Board(**{"watchdog_s": 0.3, **board})
        self.line = Line([self.board], folder / name)
        self.told: list[str] = []
        self.on_tell = lambda _text: None

    @property
    def port(self) -> str:
        return self.line.port

    def pack(self, version: str, behaviour: str = "runs", **more) -> Path:
        return pack(
            self.folder / f"{version}-{behaviour}.efw", version, behaviour, **{"size": self.size, **more}
        )

    def order(self, file: Path, **more) -> Order:
        impatient = {"hello_s": 0.6, "prove_s": 0.9, "back_s": 0.3}
        return Order(file, self.port, self.state, **{**impatient, **more})

    def job(self, file: Path, stop=lambda: 0, **more) -> Verdict:
        world = World(hello_at(115_200), tell=self._tell, stop=stop)
        verdict = Job(self.order(file, **more), world).run()
        print(verdict.sentence)
        return verdict

    def _tell(self, text: str, _share: float | None) -> None:
        self.told.append(text)
        self.on_tell(text)

    def flash(self, version: str, behaviour: str = "runs", **more) -> Verdict:
        return self.job(self.pack(version, behaviour), **more)

    @property
    def journal(self) -> Journal:
        return Journal(self.state)

    def press_reset(self) -> None:
        with self.line.held():
            self.board.reset()

    def power_cycle(self) -> None:
        with self.line.held():
            self.board.power_off()
            self.board.power_on()

    def runs_whole(self, *versions: str) -> bool:
        """Whether it runs one of these to the last byte, as its own HELLO and the true image say."""
        running = hello_at(115_200)(self.port, 2.0)
        known = {(v, Image(0, image).crc32) for v in versions for image in images(v, size=self.size)}
        return running is not None and (running.version, running.crc32) in known
