from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.events import Decision, Entry, Instant
from edgeinfer.geometry import Box
from edgeinfer.runtime.outbox_rows import enveloped, pack, unpack
from tests.runtime.decisions import decided

TEXT = st.text(max_size=20)
STATES = st.sampled_from(["unknown", "on", "off"]) | st.floats(allow_nan=False)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT
DETAILS = st.dictionaries(
    TEXT, st.recursive(PLAIN, lambda d: st.lists(d) | st.dictionaries(TEXT, d), max_leaves=8)
)


@given(TEXT, TEXT, STATES, st.integers(0, 2**62), st.integers(0, 2**62), DETAILS)
@settings(deadline=None)
def test_what_is_packed_comes_back(rule, subject, state, mono_ns, unix_ns, details):
    at = Instant("feedc0de", mono_ns, unix_ns)
    decision = Decision("p", rule, subject, state, at, ("belt", 3), details)
    (entry,) = enveloped([decision], "dev", at, 5, "m", "c")
    assert unpack(5, pack(entry)) == entry


def test_a_box_comes_back_as_json_would_have_it(clock):
    (entry,) = enveloped([decided(clock, box=Box(0, 0, 1, 1))], "dev", clock.now(), 1, "", "")
    back = unpack(1, pack(entry))
    assert isinstance(back, Entry)
    assert back.decision.details == {"box": [0, 0, 1, 1]}
