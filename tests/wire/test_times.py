from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.wire.times import iso


def test_milliseconds_are_cut_not_rounded():
    assert iso(1_795_517_973_120_999_999) == "2026-11-24T10:59:33.120Z"


@given(st.integers(0, 4_102_444_800_000))
def test_a_time_comes_back_to_the_millisecond(unix_ms):
    back = datetime.fromisoformat(iso(unix_ms * 1_000_000).replace("Z", "+00:00"))
    assert round(back.timestamp() * 1000) == unix_ms
