import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.mqtt.pace import Pace


def rate_of(pace: Pace, sizes: list[int]) -> float:
    """How long it takes to send `sizes`, each as early as it may."""
    now_s = 0.0
    for size in sizes:
        now_s += pace.wait_s(now_s)
        pace.spent(size, now_s)
    return now_s


def test_without_limits_nothing_waits():
    pace = Pace()
    assert not pace.limited
    assert rate_of(pace, [10_000] * 100) == 0.0


def test_messages_are_spread_over_time():
    assert rate_of(Pace(messages_s=10), [1] * 111) == pytest.approx(9.9, abs=0.21)


def test_bytes_are_spread_over_time():
    assert rate_of(Pace(bytes_s=1000), [100] * 111) == pytest.approx(10.0, abs=0.21)


def test_the_tighter_limit_holds():
    assert rate_of(Pace(10, 1e9), [1] * 51) == pytest.approx(rate_of(Pace(10), [1] * 51))


def test_a_pause_saves_no_more_than_a_second():
    pace = Pace(messages_s=10)
    pace.spent(1, 0.0)
    waits = []
    for _ in range(12):
        waits.append(pace.wait_s(1000.0))
        pace.spent(1, 1000.0)
    assert waits[:11] == [0.0] * 11
    assert waits[11] == pytest.approx(0.1)


def test_what_is_larger_than_the_credit_is_paid_afterwards_but_not_for_ever():
    pace = Pace(bytes_s=1000)
    pace.spent(10_000, 0.0)
    assert pace.wait_s(0.0) == pytest.approx(9.0)
    pace.spent(10_000_000, 0.0)
    assert pace.wait_s(0.0) == pytest.approx(30.0)


@given(st.floats(0.5, 1000), st.lists(st.integers(1, 500), min_size=2, max_size=200))
def test_no_pace_is_faster_than_it_may_be(rate, sizes):
    took_s = rate_of(Pace(bytes_s=rate), sizes)
    # Less what was saved up, the last one that is still owed for, and what is forgiven of a debt beyond 30 s.
    owed = [min(size, 30 * rate) for size in sizes[:-1]]
    assert took_s >= (sum(owed) - max(rate, 1.0) - max(owed)) / rate - 1e-6 - sum(
        (max(rate, 1.0) for size in sizes if size > 30 * rate), 0.0
    )


@pytest.mark.parametrize(
    ("messages_s", "bytes_s", "batch"), [(0, 0, 256), (0.1, 0, 1), (20, 0, 10), (0, 5000, 5), (20, 5000, 5)]
)
def test_a_batch_is_about_a_second(messages_s, bytes_s, batch):
    assert Pace(messages_s, bytes_s).batch(256) == batch


def test_a_batch_of_large_messages_is_smaller():
    pace = Pace(bytes_s=10_000)
    assert pace.batch(256) == 10
    for n in range(60):
        pace.spent(2500, float(n))
    assert pace.batch(256) == 2
