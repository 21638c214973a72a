from __future__ import annotations

import pytest

from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.journal import FILE, Journal


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path)


def wrote(journal, job, verdict="", port="p"):
    journal.write(job, port, "begin", "ok", who="anna@line3")
    journal.write(job, port, "keep", "ok", package="/x/package.efw", backup="/x/backup.efw")
    journal.write(job, port, "write", "begun")
    if verdict:
        journal.write(job, port, "verdict", verdict)


def test_a_run_that_wrote_and_has_no_verdict_was_broken_off(journal):
    wrote(journal, "a")
    broken = journal.broken("p")
    assert (broken.job, str(broken.package), str(broken.backup)) == ("a", "/x/package.efw", "/x/backup.efw")
    assert broken.summary["result"] == "broken off at write"
    assert broken.summary["who"] == "anna@line3"


def test_a_run_that_failed_leaves_the_board_as_unknown_as_one_that_was_killed(journal):
    wrote(journal, "a", "failed")
    assert journal.broken("p").job == "a"


@pytest.mark.parametrize("verdict", ["flashed", "rolled back"])
def test_a_later_run_that_came_to_its_end_settles_it(journal, verdict):
    wrote(journal, "a")
    wrote(journal, "b", verdict)
    assert journal.broken("p") is None


def test_a_later_proof_that_the_image_is_whole_settles_it(journal):
    wrote(journal, "a")
    journal.write("b", "p", "verdict", "already")
    assert journal.broken("p") is None


@pytest.mark.parametrize("verdict", ["refused", "would flash"])
def test_a_later_run_that_wrote_nothing_hides_nothing(journal, verdict):
    wrote(journal, "a")
    journal.write("b", "p", "verdict", verdict)
    assert journal.broken("p").job == "a"


def test_another_port_is_another_board(journal):
    wrote(journal, "a", port="q")
    assert journal.broken("p") is None


def test_a_port_is_the_same_by_whatever_link(journal, tmp_path):
    (tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").symlink_to("ttyACM0")
    wrote(journal, "a", port=str(tmp_path / "by-id"))
    assert journal.broken(str(tmp_path / "ttyACM0")).job == "a"


def test_a_line_that_a_power_cut_tore_is_left_out(journal, tmp_path):
    wrote(journal, "a")
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at": "2026-11-2')
    assert [run.job for run in journal.jobs()] == ["a"]


def test_a_line_after_a_torn_one_stands_alone(journal, tmp_path):
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at": "2026-11-2')
    wrote(journal, "b")
    assert [run.job for run in journal.jobs()] == ["b"]
    assert journal.broken("p").summary["who"] == "anna@line3"


def test_a_folder_that_cannot_be_written_stops_everything_and_is_told(tmp_path):
    (tmp_path / "state").touch()
    with pytest.raises(FlashError, match="give another --state"):
        Journal(tmp_path / "state").write("a", "p", "begin", "ok")
