"""One slot: the real avrdude and Optiboot on an emulated Uno, when things go wrong; a rollback writes the copy that was kept."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edgeinfer.cli.main import main
from firmware_bridge.flash import package
from firmware_bridge.flash.avrdude import Avrdude
from firmware_bridge.flash.boards import BOARDS
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.job import Job
from firmware_bridge.flash.journal import Journal
from firmware_bridge.flash.order import Order, World
from firmware_bridge.flash.sources import Found, gather
from firmware_bridge.flash.wire import hello_at
from firmware_bridge.port import holders
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

HANGS = Image(0, b"\xff\xcf" * 2000)  # rjmp .-2: jumps to itself for ever
ALSO_HANGS = Image(0, b"\x00\x00\xff\xcf" * 200)
PAGE = 128
# Another compiler level moves everything: a new version whose pages are not those of the old one.
MOVED = (
    "-O1 -std=gnu99 -mmcu=atmega328p -DF_CPU=16000000UL -ffunction-sections -fdata-sections -I../.. -I../common "
    """'-DVERSION="2.0.0"' '-DBUILD="moved"'"""
)


class Bench:
    """An Uno, packages for it, and jobs."""

    def __init__(self, folder, uno, firmware) -> None:
        self.folder, self.state, self.uno = folder, folder / "state", uno
        self._firmware = firmware

    def image(self, version: str) -> Image:
        settings = {"CFLAGS": MOVED} if version == "2.0.0" else {"VERSION": version}
        (found,) = gather(self._firmware("node-avr", **settings) / "node.hex")
        return found.image

    def pack(self, version: str, image: Image | None = None):
        found = [Found("app.bin", image or self.image(version))]
        known = BOARDS["uno"]
        manifest = package.build(
            found, board="uno", name="node", version=version, flasher=known.flasher, options=known.options
        )
        path = self.folder / f"{version}.efw"
        path.write_bytes(package.pack(manifest, found))
        return path

    def flash(self, file, tell=lambda text, share: None, **more):
        order = Order(file, self.uno.port, self.state, **{"prove_s": 4.0, "back_s": 2.0, **more})
        verdict = Job(order, World(hello_at(115_200), tell=tell)).run()
        print(verdict.sentence)
        return verdict

    def step(self, name: str) -> dict:
        """The last line of this step in the log."""
        return [r for r in Journal(self.state).records() if r["step"] == name and r["result"] != "begun"][-1]

    def pages_of(self, image: Image) -> int:
        """How many pages of the flash hold this image's bytes."""
        flash = self.uno.flash.read_bytes()
        pages = range(0, len(image.content) - PAGE, PAGE)
        return sum(flash[at : at + PAGE] == image.content[at : at + PAGE] for at in pages)

    def holds(self, image: Image) -> bool:
        return self.uno.flash.read_bytes().startswith(image.content)


@pytest.fixture
def bench(tmp_path, unosim, firmware):
    return Bench(tmp_path, unosim(), firmware)


@pytest.fixture
def running(bench):
    """An Uno that runs 1.0.0, as it came from the factory."""
    bench.uno.power_off()
    raw = bytearray(bench.uno.flash.read_bytes())
    image = bench.image("1.0.0").content
    raw[: len(image)] = image
    bench.uno.flash.write_bytes(raw)
    bench.uno.power_on()
    return bench


def killed_in_the_middle(bench, file, image: Image, share: float) -> None:
    """Kills `edgeinfer firmware flash` when so much of the image stands in flash that did not stand there before."""
    same, all_pages = bench.pages_of(image), len(image.content) // PAGE
    command = [sys.executable, "-m", "edgeinfer", "firmware", "flash", str(file)]
    command += ["--port", bench.uno.port, "--state", str(bench.state)]
    with (bench.folder / "cli.log").open("wb") as log:
        flasher = subprocess.Popen(command, stdout=log, stderr=log)
    wanted = same + max(1, round(share * (all_pages - same)))
    wait_for(lambda: bench.pages_of(image) >= wanted or flasher.poll() is not None, 60.0)
    flasher.kill()
    flasher.wait()
    wait_for(lambda: not holders(bench.uno.port), 5.0, "its avrdude goes on")
    assert not bench.holds(image), "it was through before it was killed"


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_half_an_image_of_a_killed_flasher_is_recognised_and_the_copy_from_before_goes_back(
    running, share, capsys
):
    old, new = running.image("1.0.0"), running.image("2.0.0")
    killed_in_the_middle(running, running.pack("2.0.0"), new, share)
    assert Journal(running.state).broken(running.uno.port) is not None
    says = hello_at(115_200)(running.uno.port, 4.0)
    if says is not None:  # by name and version it may look like either
        assert main(["firmware", "info", running.uno.port, "--state", str(running.state)]) == 0
        assert "probably half of it" in capsys.readouterr().out
    verdict = running.flash(running.pack("9.0.0", HANGS))
    assert "half of a broken run's image" in running.step("keep")["found"]
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1)
    assert running.holds(old)


def test_a_killed_run_is_resumed_with_the_package_that_it_had_kept(running):
    file, new = running.pack("2.0.0"), running.image("2.0.0")
    killed_in_the_middle(running, file, new, 0.5)
    file.unlink()
    command = [sys.executable, "-m", "edgeinfer", "firmware", "flash", "--resume", "--json"]
    command += ["--port", running.uno.port, "--state", str(running.state)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"] == "flashed"
    assert running.holds(new)


def test_an_image_that_hangs_is_replaced_by_the_copy_of_what_ran(running):
    verdict = running.flash(running.pack("9.0.0", HANGS))
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1)
    assert "what it ran before: node 1.0.0" in verdict.runs_now or "1.0.0 on uno" in verdict.runs_now
    assert running.holds(running.image("1.0.0"))


def test_somebody_elses_firmware_is_kept_and_put_back_though_it_says_no_hello(bench):
    foreign = package.load(bench.pack("0", ALSO_HANGS))
    Avrdude(BOARDS["uno"].options).write(bench.uno.port, foreign, lambda _share: None)
    verdict = bench.flash(bench.pack("9.0.0", HANGS))
    assert verdict.result == "rolled back"
    assert "read back and compared" in verdict.runs_now
    assert bench.holds(ALSO_HANGS)


def test_a_first_image_that_hangs_leaves_only_the_bootloader_and_that_is_said(bench):
    verdict = bench.flash(bench.pack("9.0.0", HANGS))
    assert verdict.result == "failed"
    assert "only its bootloader is alive" in verdict.runs_now
    assert bench.flash(bench.pack("1.0.0")).result == "flashed"


def test_a_board_that_loses_power_in_the_middle_is_told_and_the_next_flash_works(running):
    new = running.image("2.0.0")

    def tell(_text, _share):
        if running.pages_of(new) > 5:
            running.uno.power_off()

    verdict = running.flash(running.pack("2.0.0"), tell)
    assert (verdict.result, verdict.exit_code) == ("failed", 1)
    assert "cable" in verdict.runs_now
    running.uno.power_on()
    assert running.flash(running.pack("2.0.0")).result == "flashed"
    assert "half of a broken run's image" in running.step("keep")["found"]


def test_stopping_in_the_middle_ends_avrdude_and_puts_the_copy_back(running):
    new = running.image("2.0.0")
    order = Order(running.pack("2.0.0"), running.uno.port, running.state, prove_s=4.0)
    stop = lambda: int(running.pages_of(new) > 10)
    before = running.pages_of(new)
    assert before <= 10, "the two images have too much in common for this test"
    verdict = Job(order, World(hello_at(115_200), stop=stop)).run()
    assert verdict.result == "rolled back", verdict
    assert "stopped" in verdict.why
    assert running.holds(running.image("1.0.0"))
