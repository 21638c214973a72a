import logging

from edgeinfer.runtime.machine import claim, identity

MACHINE_ID = "0123456789abcdef0123456789abcdef"


def root(tmp_path, serial=None):
    (tmp_path / "etc").mkdir(parents=True)
    (tmp_path / "etc/machine-id").write_text(MACHINE_ID + "\n")
    if serial:
        tree = tmp_path / "sys/firmware/devicetree/base"
        tree.mkdir(parents=True)
        (tree / "serial-number").write_bytes(serial + b"\0")
    return tmp_path


def test_a_machine_without_a_serial_number_is_its_machine_id(tmp_path):
    assert identity(root(tmp_path)) == MACHINE_ID


def test_two_boards_with_copies_of_one_card_are_two_machines(tmp_path):
    a = identity(root(tmp_path / "a", b"10000000aaaaaaaa"))
    b = identity(root(tmp_path / "b", b"10000000bbbbbbbb"))
    assert a != b
    assert len(a) == len(b) == 32
    assert a == identity(tmp_path / "a")


def test_a_system_without_a_machine_id_is_nobody(tmp_path):
    assert identity(tmp_path) == ""


def test_an_empty_folder_is_claimed_in_silence(tmp_path, caplog):
    assert claim(tmp_path, "a" * 32) is None
    assert claim(tmp_path, "a" * 32) is None
    assert not caplog.records


def test_a_copied_card_begins_with_an_empty_outbox_and_says_so_once(tmp_path, caplog):
    claim(tmp_path, "a" * 32)
    (tmp_path / "outbox.sqlite").write_text("theirs")
    (tmp_path / "outbox.sqlite-wal").write_text("theirs too")
    (tmp_path / "models").mkdir()

    with caplog.at_level(logging.WARNING):
        told = claim(tmp_path, "b" * 32)

    assert "another machine" in told
    assert len(caplog.records) == 1
    assert not list(tmp_path.glob("outbox.*"))
    assert (tmp_path / "of-another-machine/outbox.sqlite").read_text() == "theirs"
    assert (tmp_path / "of-another-machine/outbox.sqlite-wal").exists()
    assert (tmp_path / "models").exists()
    assert claim(tmp_path, "b" * 32) is None


def test_a_machine_that_nobody_can_tell_keeps_what_is_there(tmp_path):
    claim(tmp_path, "a" * 32)
    (tmp_path / "outbox.sqlite").write_text("ours")
    assert claim(tmp_path, "") is None
    assert (tmp_path / "outbox.sqlite").exists()
