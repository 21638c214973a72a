from __future__ import annotations

import logging
import os
import socket
import struct
from contextlib import closing

import pytest

from edgeinfer.runtime.journal import JournalHandler, encode, priority


def decoded(datagram: bytes) -> dict[str, str]:
    """The fields, as journald reads them."""
    found = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + size], datagram[8 + size + 1 :]
        found[key.decode()] = value.decode()
    return found


class Journal:
    """The other end of the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(10)

    def next(self):
        data, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
        for descriptor in descriptors:
            with os.fdopen(descriptor, "rb") as file:
                file.seek(0)
                data = file.read()
        return decoded(data)


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "socket")
    with closing(journal.socket):
        yield journal


@pytest.fixture
def log(tmp_path, journal):
    handler = JournalHandler(tmp_path / "socket")
    log = logging.Logger("edgeinfer.runtime.health")  # noqa: LOG001  # one of its own: nobody else hears it
    log.addHandler(handler)
    yield log
    handler.close()


def test_an_entry_has_priority_and_post_and_source(log, journal):
    log.warning("%s is degraded", "source.belt", extra={"post": "source.belt"})
    assert journal.next() == {
        "MESSAGE": "source.belt is degraded",
        "PRIORITY": "4",
        "LOGGER": "edgeinfer.runtime.health",
        "SYSLOG_IDENTIFIER": "edgeinfer",
        "POST": "source.belt",
        "SOURCE": "belt",
    }


@pytest.mark.parametrize(
    ("thread", "fields"),
    [
        ("pipeline.parts", {"POST": "pipeline.parts", "PIPELINE": "parts"}),
        ("sink.plant", {"POST": "sink.plant", "SINK": "plant"}),
        ("MainThread", {}),
        ("Thread-3 (run)", {}),
    ],
)
def test_a_post_is_known_by_the_thread_that_speaks(log, journal, thread, fields):
    log.handle(logging.makeLogRecord({"name": "x", "msg": "hello", "levelno": 20, "threadName": thread}))
    found = journal.next()
    assert {key: found[key] for key in ("POST", "PIPELINE", "SINK") if key in found} == fields


def test_a_text_of_several_lines_arrives_whole_and_forges_no_field(log, journal):
    log.error("first\nPRIORITY=0\nlast")
    found = journal.next()
    assert (found["MESSAGE"], found["PRIORITY"]) == ("first\nPRIORITY=0\nlast", "3")


def test_what_is_too_large_for_a_datagram_arrives_all_the_same(log, journal):
    log.info("x" * 3_000_000)
    assert len(journal.next()["MESSAGE"]) == 3_000_000


def test_a_journal_that_is_gone_raises_nothing_and_the_text_goes_to_stderr(log, journal, tmp_path, capsys):
    (tmp_path / "socket").unlink()
    log.error("the disk is full")
    assert capsys.readouterr().err == "ERROR the disk is full\n"


def test_levels_are_syslog_priorities():
    levels = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
    assert [priority(level) for level in levels] == [7, 6, 4, 3, 2]


def test_encoding_keeps_every_character():
    entry = {"MESSAGE": "82 °C\n", "POST": "a=b"}
    assert decoded(encode(entry)) == entry
