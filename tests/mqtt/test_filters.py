import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from edgeinfer.errors import InputError
from edgeinfer.mqtt.filters import check, matches, meet

LEVELS = st.lists(st.sampled_from(["a", "b", "", "$x"]), min_size=1, max_size=4)
TOPICS = LEVELS.map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(st.sampled_from(["a", "b", "", "+", "$x"]), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@given(FILTERS, TOPICS)
def test_a_filter_matches_what_paho_says_that_it_matches(asked, topic):
    assert matches(asked, topic) == topic_matches_sub(asked, topic)


@given(FILTERS, FILTERS, TOPICS)
def test_filters_that_share_a_topic_meet_from_both_sides(one, other, topic):
    if topic_matches_sub(one, topic) and topic_matches_sub(other, topic):
        assert meet(one, other)
    assert meet(one, other) == meet(other, one)


@pytest.mark.parametrize("text", ["a", "+", "#", "a/+/b", "a/#", "/a/", "$SYS/#"])
def test_a_filter_is_taken(text):
    check("topics", text)


@pytest.mark.parametrize("text", ["", "a#", "#/a", "a/#/b", "a+/b", "a\0"])
def test_what_is_no_filter_is_refused_with_its_key(text):
    with pytest.raises(InputError, match=r"^topics: expected a topic"):
        check("topics", text)
