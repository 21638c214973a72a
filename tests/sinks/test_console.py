import io

import pytest

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Sent
from edgeinfer.ports import SinkPlace, no_will
from edgeinfer.sinks.console import Console
from tests.runtime.decisions import Board

BODY = (
    b'{"rule":"scratched","subject":"belt","state":"on","at":"2026-11-24T10:59:33.120Z",'
    b'"details":{"label":"scratched","score":0.8312,"box":[0.1,0.25]}}'
)


class Failing(io.StringIO):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def console(out: io.StringIO, board: Board | None = None, form: str = "text") -> Console:
    place = SinkPlace("screen", "dev", "m", no_will, board or Board())
    return Console(Console.Options(format=form), place, out)


def test_a_decision_is_a_line_for_people():
    out = io.StringIO()
    assert console(out).send([Message("t", BODY, seq=1)]) == [Acked()]
    assert (
        out.getvalue() == "10:59:33.120  scratched  on  belt  label=scratched score=0.831 box=[0.1, 0.25]\n"
    )


def test_json_lines_are_for_programs():
    out = io.StringIO()
    console(out, form="json").send([Message("t", BODY, seq=1)])
    assert out.getvalue() == BODY.decode() + "\n"


def test_what_settles_no_entry_is_not_printed():
    out = io.StringIO()
    assert console(out).send([Message("t/status", b"online")]) == [Sent()]
    assert out.getvalue() == ""


@pytest.mark.parametrize("payload", [b"not json", b"[1]", b'{"first":3,"last":9}'])
def test_what_is_no_decision_is_printed_as_it_is(payload):
    out = io.StringIO()
    console(out).send([Message("t", payload, seq=1)])
    assert out.getvalue() == payload.decode() + "\n"


def test_a_reader_that_left_is_told_once_and_stops_nothing():
    board = Board()
    sink = console(Failing(BrokenPipeError()), board)
    assert sink.send([Message("t", BODY, seq=1)]) == [Acked()]
    assert sink.send([Message("t", BODY, seq=2)]) == [Acked()]
    assert len(board.said) == 1


def test_a_full_disk_behind_standard_output_is_waited_for():
    with pytest.raises(DeliveryError, match="No space"):
        console(Failing(OSError(28, "No space left on device"))).send([Message("t", BODY, seq=1)])
