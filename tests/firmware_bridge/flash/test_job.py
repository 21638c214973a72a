"""The flash matrix on the simulated board with two slots: after whatever happens, a whole known image or a plain word, and the next flash works."""

from __future__ import annotations

import subprocess

import pytest

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.flash.wire import hello_at
from firmware_bridge.framing import Deframer, Frame
from firmware_bridge.simulator import Noise
from tests.firmware_bridge.flash.bench import SIZE, Bench


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Nobody on this bench needs seconds to answer."""
    monkeypatch.setattr("firmware_bridge.flash.edgeboot._WATCHDOG_S", 0.6)
    monkeypatch.setattr("firmware_bridge.flash.edgeboot._ENTER_S", 0.6)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.line.close()


@pytest.fixture
def running(bench):
    """A board that runs 1.0.0."""
    assert bench.flash("1.0.0").result == "flashed"
    return bench


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)
        run("genpkey", "-algorithm", "ed25519", "-out", str(folder / name))
        run("pkey", "-in", str(folder / name), "-pubout", "-out", str(folder / f"{name}.pub"))
    return folder


def unchanged(bench, verdict, code=2):
    """Refused with one message, the board untouched, and the next flash works."""
    assert (verdict.result, verdict.exit_code) == ("refused", code), verdict
    assert verdict.why.count("nothing was written") == 1
    assert bench.runs_whole("1.0.0")
    assert bench.flash("2.0.0").result == "flashed"
    return verdict.why


def test_a_blank_board_gets_its_first_image_proven_and_accepted(bench):
    verdict = bench.flash("1.0.0")
    assert (verdict.result, verdict.proof, verdict.exit_code) == ("flashed", "image", 0)
    bench.power_cycle()
    assert bench.board.runs == "1.0.0"


def test_an_upgrade_and_a_downgrade_run_and_stay(running):
    for version in ("2.0.0", "1.0.0"):
        assert running.flash(version).result == "flashed"
        running.power_cycle()
        assert running.board.runs == version


def test_the_same_image_is_not_written_again(running):
    running.board.wrote = lambda count: pytest.fail(f"{count} bytes were written")
    verdict = running.flash("1.0.0")
    assert (verdict.result, verdict.proof, verdict.exit_code) == ("already", "image", 0)


def test_the_same_image_is_written_again_when_it_is_forced(running):
    assert running.flash("1.0.0", force=True).result == "flashed"


def test_the_same_version_with_another_content_is_written(running):
    other = running.pack("1.0.0", size=SIZE + 4)
    assert running.job(other).result == "flashed"


def test_an_image_for_another_board_is_refused(running):
    verdict = running.job(running.pack("2.0.0", board="nrf52dk"))
    why = unchanged(running, verdict)
    assert "the image is for nrf52dk" in why
    assert "is microbit" in why


def test_a_package_with_a_changed_byte_is_refused(running):
    file = running.pack("2.0.0")
    raw = bytearray(file.read_bytes())
    raw[raw.index(b"EDGESIM1") + 100] ^= 1
    file.write_bytes(raw)
    assert "copy" in unchanged(running, running.job(file))


def test_a_package_that_another_key_signed_is_refused(running, keys):
    file = running.pack("2.0.0", key=keys / "theirs")
    assert "does not fit" in unchanged(running, running.job(file, key=keys / "ours.pub"))


def test_an_unsigned_package_is_refused_where_there_is_a_key(running, keys):
    assert "not signed" in unchanged(running, running.flash("2.0.0", key=keys / "ours.pub"))


def test_a_package_that_our_key_signed_is_flashed(running, keys):
    file = running.pack("2.0.0", key=keys / "ours")
    assert running.job(file, key=keys / "ours.pub").result == "flashed"


def test_a_dry_run_says_what_runs_and_writes_nothing(running):
    running.board.wrote = lambda count: pytest.fail(f"{count} bytes were written")
    verdict = running.flash("2.0.0", dry_run=True)
    assert (verdict.result, verdict.exit_code) == ("would flash", 0)
    assert "node 1.0.0 on microbit" in verdict.runs_now
    assert running.board.runs == "1.0.0"


def test_an_image_that_hangs_is_rolled_back_by_the_watchdog(running):
    verdict = running.flash("9.0.0", "hangs")
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1)
    assert running.runs_whole("1.0.0")
    assert running.flash("2.0.0").result == "flashed"


@pytest.mark.slow
def test_an_image_that_hangs_where_no_watchdog_bites_is_told_and_a_reset_brings_the_old_one(tmp_path):
    bench = Bench(tmp_path, watchdog_s=1000.0)
    with bench.line:
        bench.flash("1.0.0")
        verdict = bench.flash("9.0.0", "hangs")
        assert (verdict.result, verdict.exit_code) == ("failed", 1)
        assert "press reset" in verdict.runs_now
        bench.press_reset()
        assert bench.runs_whole("1.0.0")
        assert bench.flash("2.0.0").result == "flashed"


def test_an_image_that_cannot_be_confirmed_is_rolled_back(running):
    verdict = running.flash("9.0.0", "refuses")
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1)
    assert "accepted" in verdict.why
    assert running.runs_whole("1.0.0")
    assert running.flash("2.0.0").result == "flashed"


def test_a_first_image_that_hangs_leaves_only_the_bootloader_and_that_is_said(bench):
    verdict = bench.flash("9.0.0", "hangs")
    assert verdict.result == "failed"
    assert "only its bootloader" in verdict.runs_now
    assert bench.flash("1.0.0").result == "flashed"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_a_cable_that_is_out_in_the_middle_is_told_and_put_in_again_the_next_flash_works(running, share):
    def pull(count):
        if count >= share * SIZE:
            running.board.wrote = lambda _count: None
            running.line.unplug()

    running.board.wrote = pull
    verdict = running.flash("2.0.0")
    assert (verdict.result, verdict.exit_code) == ("failed", 1)
    assert "cable" in verdict.runs_now
    running.line.replug()
    assert "only its bootloader" in str(hello_at(115_200)(running.port, 2.0))
    assert running.flash("2.0.0").result == "flashed"
    assert running.runs_whole("2.0.0")


def test_a_cable_that_comes_back_while_the_job_waits_is_rolled_back_at_once(running):
    def pull(_count):
        running.board.wrote = lambda _count: None
        running.line.unplug()

    running.board.wrote = pull
    running.on_tell = lambda text: running.line.replug() if text == "rolling back" else None
    verdict = running.flash("2.0.0", back_s=5.0)
    assert verdict.result == "rolled back"


@pytest.mark.slow
@pytest.mark.parametrize("changes", [0, 3, 100, 1500, 1512])
def test_a_power_cut_in_the_middle_costs_nothing_but_the_attempt(running, changes):
    running.board.flash.cut_after = changes
    verdict = running.flash("2.0.0")
    assert (verdict.result, verdict.exit_code) == ("failed", 1)
    assert "nothing answers" in verdict.runs_now
    with running.line.held():
        running.board.power_on()
    assert running.runs_whole("1.0.0", "2.0.0")
    assert running.flash("2.0.0").exit_code == 0
    running.power_cycle()
    assert running.runs_whole("2.0.0")


@pytest.mark.slow
def test_a_bad_cable_costs_time_and_nothing_else(running):
    running.line.spoil = Noise(flip=1e-3, drop=1e-3, insert=1e-3, seed=5)
    verdict = running.flash("2.0.0", hello_s=3.0, prove_s=5.0)
    assert (verdict.result, verdict.proof) == ("flashed", "image")
    running.line.spoil = bytes
    assert running.runs_whole("2.0.0")


@pytest.mark.parametrize(
    "answer", [m.Ack, boot.BootErased, boot.BootWritten, boot.BootChecked, boot.BootRuns]
)
def test_an_answer_that_is_lost_costs_a_repeat_and_nothing_else(running, answer):
    """The repeat of enter_bootloader meets the bootloader, that of BOOT_RUN the new image."""
    lost = []

    def lose_first(out: bytes) -> bytes:
        is_it = any(isinstance(f, Frame) and f.type == answer.type for f in Deframer().feed(out))
        if is_it and not lost:
            lost.append(out)
            return b""
        return out

    running.line.spoil = lose_first
    assert running.flash("2.0.0").result == "flashed"
    assert lost
    running.power_cycle()
    assert running.board.runs == "2.0.0"


def test_a_run_that_broke_off_between_start_and_acceptance_is_accepted_by_the_next(running):
    class Killed(BaseException):
        """Stands for the end of the process."""

    def kill(text):
        if "new image" in text:
            raise Killed

    file = running.pack("2.0.0")
    running.on_tell = kill
    with pytest.raises(Killed):
        running.job(file)
    running.on_tell = lambda _text: None
    assert running.board.runs == "2.0.0 on trial"
    assert running.journal.broken(running.port) is not None
    assert running.job(file).result == "already"
    running.power_cycle()
    assert running.board.runs == "2.0.0"
    assert running.journal.broken(running.port) is None


def test_stopping_before_the_write_writes_nothing(running):
    verdict = running.flash("2.0.0", stop=lambda: 1)
    assert "stopped" in unchanged(running, verdict, 1)


def test_stopping_in_the_middle_rolls_back_and_says_what_runs(running):
    asked = []
    running.board.wrote = lambda count: asked.append(1) if count > SIZE / 2 and not asked else None
    verdict = running.flash("2.0.0", stop=lambda: len(asked))
    assert (verdict.result, verdict.exit_code) == ("rolled back", 1)
    assert "stopped" in verdict.why
    assert running.runs_whole("1.0.0")


def test_stopping_twice_leaves_the_board_as_it_is_and_says_so(running):
    asked = []
    running.board.wrote = lambda count: asked.extend([1, 1]) if count > SIZE / 2 and not asked else None
    verdict = running.flash("2.0.0", stop=lambda: len(asked))
    assert verdict.result == "failed"
    assert "only its bootloader" in verdict.runs_now
    assert running.flash("2.0.0").result == "flashed"


def test_the_log_tells_every_step_before_and_after_it(running):
    run = running.journal.jobs()[-1]
    steps = [(r["step"], r["result"]) for r in run.records]
    assert steps == [
        ("begin", "ok"),
        *((step, "ok") for step in ("check", "lock", "borrow", "identify", "keep")),
        ("write", "begun"),
        ("write", "ok"),
        ("prove", "ok"),
        ("accept", "ok"),
        ("verdict", "flashed"),
    ]


def test_a_refused_run_after_a_broken_one_does_not_hide_it(running):
    running.board.wrote = lambda _count: running.line.unplug()
    assert running.flash("2.0.0").result == "failed"
    running.board.wrote = lambda _count: None
    running.line.replug()
    assert running.job(running.pack("3.0.0", board="nrf52dk")).result == "refused"
    assert running.journal.broken(running.port).summary["what"] == "node 2.0.0 for microbit"


def test_a_node_of_a_later_protocol_is_refused(running):
    running.board.versions = (2, 3)
    running.press_reset()
    verdict = running.flash("2.0.0")
    assert (verdict.result, verdict.exit_code) == ("refused", 1)
    assert "version 2 to 3" in verdict.why
    assert "update this program" in verdict.why
