import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeinfer.events import Message
from edgeinfer.mqtt.properties import Packed

# U+FEFF is text to MQTT 5 (1.5.4-3), and an error to the reader that we compare with.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=40)


def read(packed: Packed) -> Properties:
    found = Properties(PacketTypes.PUBLISH)
    found.unpack(packed.pack())
    return found


def test_a_message_without_any_costs_one_byte():
    assert Packed(Message("t", b"")).pack() == b"\0"


def test_what_stays_at_the_broker_does_not_expire():
    assert Packed(Message("t", b"", retain=True), 60).pack() == b"\0"


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=8), st.integers(0, 2**32 - 1))
def test_another_reader_finds_the_same_properties(content_type, user, expire_s):
    found = read(Packed(Message("t", b"", content_type=content_type, user=tuple(user)), expire_s))
    assert getattr(found, "ContentType", "") == content_type
    assert list(getattr(found, "UserProperty", [])) == user
    assert getattr(found, "MessageExpiryInterval", 0) == expire_s


@pytest.mark.parametrize("size", [0, 100, 127, 128, 16_383, 16_384])
def test_the_length_counts_what_is_sent(size):
    packed = Packed(Message("t", b"", user=(("n", "x" * size),)))
    assert len(packed) == len(packed.pack())
    assert read(packed).UserProperty == [("n", "x" * size)]
