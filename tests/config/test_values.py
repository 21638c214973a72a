"""Sizes, seconds and device names."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.config import bytes_of, device_problem
from edgeinfer.config.values import check_seconds, legal_device
from edgeinfer.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64 MB", 64_000_000),
        ("512kB", 512_000),
        ("1.5 GiB", 1_610_612_736),
        ("0 B", 0),
        (" 2 mib ", 2_097_152),
    ],
)
def test_a_size_is_a_number_and_a_unit(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "64", "MB", "-1 MB", "64 megs", "1e3 MB", "64 MB x"])
def test_what_is_no_size_is_told(text):
    with pytest.raises(ValueError, match=r'expected a size such as "64 MB"'):
        bytes_of(text)


@given(st.integers(0, 10**9), st.sampled_from(["B", "kB", "MB", "GiB"]))
def test_a_whole_number_of_units_is_exact(n, unit):
    assert bytes_of(f"{n} {unit}") == n * {"B": 1, "kB": 1000, "MB": 10**6, "GiB": 2**30}[unit]


@pytest.mark.parametrize("name", ["", "a.b", "a/b", "a+", "#", "a\tb", " a", "a\u200b"])
def test_an_illegal_device_name_is_told(name):
    assert device_problem(name)


@given(st.text())
def test_any_host_name_becomes_a_legal_device_name(host):
    assert device_problem(legal_device(host)) is None


@pytest.mark.parametrize("value_s", [0.0, -3.0, math.inf, math.nan])
def test_a_time_out_that_is_none_is_refused(value_s):
    with pytest.raises(InputError, match="block_s: expected seconds"):
        check_seconds("block_s", value_s, least_s=0.2)
