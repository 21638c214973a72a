"""Windows: collected from blocks, and turned into features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.engine.window import band_weights, feature_count, features
from edgeinfer.engine.window_collect import Collector
from edgeinfer.errors import InferenceLost
from edgeinfer.events import Instant, Readings
from edgeinfer.store import WindowOptions

RATE = 12_800.0
BANDS = WindowOptions(length=2048, channels=("x",), rate_hz=RATE, features="bands")
RAW = WindowOptions(length=4, hop=2, channels=("x",), rate_hz=10.0)
AT = Instant("b", 0, 0)
TIME = np.arange(2048) / RATE


def block(values, *, first=0, gap=False, channels=("x",), period_ns=100_000_000) -> Readings:
    array = np.array(values, np.float64).reshape(len(values), len(channels))
    return Readings(("motor", first), AT.later(first * period_ns), channels, array, period_ns, gap)


def windows(options, *blocks) -> list[list[float]]:
    collector = Collector(options)
    return [window[:, 0].tolist() for b in blocks for _, window in collector.add(b)]


def test_windows_are_a_hop_apart() -> None:
    assert windows(RAW, block(range(8))) == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=20), st.integers(1, 6), st.integers(1, 9))
def test_how_readings_are_cut_into_blocks_does_not_matter(sizes, length, hop) -> None:
    options = WindowOptions(length=length, hop=hop, channels=("x",), rate_hz=10.0)
    starts = np.cumsum([0, *sizes])
    blocks = [block(range(a, b), first=int(a)) for a, b in zip(starts, starts[1:], strict=False)]
    assert windows(options, *blocks) == windows(options, block(range(int(starts[-1]))))


def test_a_window_has_the_moment_of_its_last_row() -> None:
    collector = Collector(RAW)
    assert list(collector.add(block([0, 1, 2]))) == []
    ((at, _),) = collector.add(block([3], first=3))
    assert at == AT.later(300_000_000)


def test_no_window_spans_a_gap() -> None:
    assert windows(RAW, block([0, 1, 2]), block([7, 8, 9], first=7, gap=True), block([10], first=10)) == [
        [7, 8, 9, 10]
    ]


def test_channels_are_taken_by_name_in_the_order_of_the_manifest() -> None:
    options = WindowOptions(length=1, channels=("z", "x"), rate_hz=10.0)
    ((_, window),) = Collector(options).add(block([[1, 2, 3]], channels=("x", "y", "z")))
    assert window.tolist() == [[3, 1]]


def test_a_channel_that_is_missing_is_told_with_the_nearest() -> None:
    options = WindowOptions(length=4, channels=("x", "z"), rate_hz=10.0)
    with pytest.raises(InferenceLost, match=r"needs the channel 'x'.*gives: z"):
        list(Collector(options).add(block([1], channels=("z",))))


def test_blocks_of_other_channels_may_stand_in_between() -> None:
    other = block([20], channels=("temperature",), period_ns=0)
    assert windows(RAW, other, block([0, 1]), other, block([2, 3], first=2)) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("before", [[], [block([0, 1])]])
def test_other_channels_and_none_of_the_models_are_told_after_a_while(before) -> None:
    collector = Collector(RAW)
    for ours in before:
        list(collector.add(ours))
    for second in range(10):
        assert list(collector.add(block([1], first=second * 10, channels=("y",)))) == []
    with pytest.raises(InferenceLost, match=r"needs the channel 'x'.*gives: y"):
        list(collector.add(block([1], first=110, channels=("y",))))


def test_a_slow_sensor_beside_a_fast_one_is_waited_for() -> None:
    options = WindowOptions(length=1, channels=("x",), rate_hz=10.0)
    fast = [block([1], first=10 * n, channels=("y",)) for n in range(1, 60)]
    slow = [block([n], first=300 * n) for n in range(3)]
    blocks = sorted([*fast[:5], *fast[31:], *slow], key=lambda b: b.at.mono_ns)
    assert windows(options, *blocks) == [[0], [1], [2]]


def test_another_rate_is_told_with_both() -> None:
    with pytest.raises(InferenceLost, match="needs 10 readings a second, the source gives 5"):
        list(Collector(RAW).add(block([1], period_ns=200_000_000)))


def test_raw_features_are_the_window_time_first() -> None:
    options = WindowOptions(length=2, channels=("x", "y"), rate_hz=10.0)
    found = features(np.array([[1.0, 2.0], [3.0, 4.0]]), options)
    assert found.dtype == np.float32
    assert found.tolist() == [1, 2, 3, 4]


def test_a_tone_stands_out_in_its_band() -> None:
    found = features(np.sin(2 * np.pi * 1000 * TIME)[:, None], BANDS)
    edges = np.geomspace(10.0, RATE / 2, 65)
    assert found.shape == (128,)
    assert edges[found[:64].argmax()] <= 1000 <= edges[found[:64].argmax() + 1]


def test_the_power_of_a_tone_is_found_again_in_the_bands() -> None:
    found = features(3 * np.sin(2 * np.pi * 1000 * TIME)[:, None], BANDS)
    widths = np.diff(np.geomspace(10.0, RATE / 2, 65))
    assert (10 ** found[:64].astype(float) * widths).sum() == pytest.approx(4.5, rel=0.01)  # A² / 2


def test_the_envelope_shows_the_rate_of_impacts_and_not_their_ringing() -> None:
    ringing = (1 + 0.8 * np.cos(2 * np.pi * 100 * TIME)) * np.sin(2 * np.pi * 4000 * TIME)
    envelope = features(ringing[:, None], BANDS)[64:]
    assert envelope.argmax() + 1 == 16  # 100 Hz in steps of 6.25 Hz
    assert 10 ** envelope.max() == pytest.approx(0.8, rel=0.01)


def test_a_constant_offset_changes_nothing() -> None:
    noise = np.random.default_rng(1).normal(size=(2048, 1))
    np.testing.assert_allclose(features(noise + 9.81, BANDS), features(noise, BANDS), atol=1e-4)


def test_channels_stand_one_after_another() -> None:
    options = WindowOptions(length=2048, channels=("x", "y"), rate_hz=RATE, features="bands")
    both = np.random.default_rng(1).normal(size=(2048, 2))
    found = features(both, options)
    assert len(found) == feature_count(options) == 256
    np.testing.assert_allclose(found[128:], features(both[:, 1:], BANDS), atol=1e-5)


def test_silence_gives_finite_features() -> None:
    assert np.isfinite(features(np.zeros((2048, 1)), BANDS)).all()


def test_every_band_has_a_share_of_the_spectrum() -> None:
    np.testing.assert_allclose(band_weights(BANDS).sum(axis=1), 1.0)
