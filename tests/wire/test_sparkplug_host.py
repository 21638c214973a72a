import pytest

from edgeinfer.wire.sparkplug_host import PrimaryHost

ON, OFF = b'{"online":true,"timestamp":%d}', b'{"online":false,"timestamp":%d}'


@pytest.fixture
def host() -> PrimaryHost:
    made = PrimaryHost("scada")
    made.connecting()
    return made


def test_it_is_awaited_until_it_says_that_it_is_online(host):
    assert "'scada' has not said" in host.awaits()
    host.take(ON % 5)
    assert host.awaits() == ""


def test_one_that_goes_offline_is_awaited_on_another_connection(host):
    host.take(ON % 5)
    host.born()
    host.take(OFF % 5)
    host.take(ON % 9)
    assert "is online" not in host.awaits()
    assert host.awaits()
    host.connecting()
    host.take(ON % 9)
    assert host.awaits() == ""


def test_one_that_was_offline_before_anything_was_said_may_come_on_the_same_connection(host):
    host.take(OFF % 5)
    assert "is offline" in host.awaits()
    host.take(ON % 6)
    assert host.awaits() == ""


def test_an_old_will_that_comes_late_is_passed_over(host):
    host.take(ON % 7)
    host.born()
    host.take(OFF % 6)
    assert host.awaits() == ""


def test_the_will_of_the_connection_that_said_online_counts(host):
    host.take(ON % 7)
    host.take(OFF % 7)
    assert host.awaits()


def test_what_the_connection_before_heard_counts_for_nothing(host):
    host.take(ON % 7)
    host.connecting()
    assert host.awaits()


@pytest.mark.parametrize(
    "payload", [b"", b"ONLINE", b'{"online":1,"timestamp":3}', b'{"online":true}', b"\xff"]
)
def test_what_is_no_state_of_version_3_is_passed_over(host, payload):
    host.take(payload)
    assert "has not said" in host.awaits()


def test_nobody_is_awaited_where_none_is_named():
    assert PrimaryHost("").topics == ()
    assert PrimaryHost("").awaits() == ""
