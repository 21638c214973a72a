import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.audit.chain import GENESIS, Broken, parse, seal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(min_size=1).filter(lambda name: name not in {"n", "at", "kind", "prev", "hash"})


@given(st.integers(1, 2**53), st.text(), st.dictionaries(NAMES, JSON, max_size=4))
def test_what_was_sealed_is_read_back(n, kind, facts):
    raw, own = seal(n, "2026-11-24T10:59:33.120Z", kind, facts, GENESIS)
    line = parse(raw)
    assert (line.n, line.kind, line.facts, line.prev, line.hash) == (n, kind, facts, GENESIS, own)
    assert b"\n" not in raw


@given(st.data())
def test_no_byte_can_be_another(data):
    raw, _ = seal(3, "2026-11-24T10:59:33.120Z", "command", {"who": "anna", "ok": True}, GENESIS)
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    with pytest.raises(Broken):
        parse(raw[:at] + bytes([other]) + raw[at + 1 :])


def test_a_fact_cannot_take_the_name_of_what_each_line_has():
    with pytest.raises(ValueError, match="'prev'"):
        seal(1, "", "start", {"prev": "0"}, GENESIS)


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"n":1}', b"\xff" * 100])
def test_what_is_no_line_is_told(raw):
    with pytest.raises(Broken, match="no line of the log"):
        parse(raw)
