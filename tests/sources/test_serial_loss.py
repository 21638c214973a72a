from edgeinfer.meters import Meters
from edgeinfer.sources.protocols.listening import Listening
from edgeinfer.sources.serial_loss import Loss
from edgeinfer.testing.sources import Reports

S = 10**9


def lossy():
    protocol, reports = Listening(0.0), Reports()
    return protocol, reports, Loss(protocol, reports, Meters())


def test_loss_is_told_by_channel_at_most_every_ten_seconds():
    protocol, reports, loss = lossy()
    for second in range(12):
        protocol.lost["x"] += 1
        loss.tell(second * S)
    assert [text for _, text in reports.said] == ["lost rows: x 1", "lost rows: x 11"]


def test_loss_is_taken_back_after_a_minute_without_and_told_again_when_it_comes_back():
    protocol, reports, loss = lossy()
    protocol.bad["frame"] += 1
    loss.tell(0)
    loss.tell(59 * S)
    assert reports.now == {"loss": "bad: frame 1"}
    loss.tell(60 * S)
    assert reports.now == {}
    protocol.bad["frame"] += 1
    loss.tell(61 * S)
    assert reports.now == {"loss": "bad: frame 2"}


def test_notes_of_the_protocol_are_passed_on_and_taken_back():
    protocol, reports, loss = lossy()
    protocol.notes["link"] = "another version"
    loss.tell(0)
    assert reports.now == {"link": "another version"}
    protocol.notes.clear()
    loss.tell(S)
    assert reports.now == {}
