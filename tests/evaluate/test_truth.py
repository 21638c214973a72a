import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.evaluate.truth import Matched, Timeline, match, read_truth, told_by
from edgeinfer.events import Decision
from tests.samples import at, frame, tick

TIMELINE = Timeline({"cam": [frame(n) for n in range(10)], "motor": [tick(12, "motor")]})
RULES = {"crossed": "cam", "hot": "motor"}
START = 1_700_000_000


def truth(tmp_path, text, usual="crossed"):
    (tmp_path / "t.csv").write_text(text)
    return [(h.rule, h.at_ns / 1e9 - START) for h in read_truth(tmp_path / "t.csv", TIMELINE, RULES, usual)]


def test_times_are_frames_seconds_or_moments(tmp_path):
    assert truth(tmp_path, "# by eye\nframe\n3\n1\n") == [("crossed", 1.0), ("crossed", 3.0)]
    assert truth(tmp_path, "at_s,rule\n2.5,hot\n") == [("hot", 2.5)]
    assert truth(tmp_path, "at,direction\n2023-11-14T22:13:24Z,left\n") == [("crossed", 4.0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("frame\n10\n", r"t.csv:2: frame 10, but the source 'cam' of the recording has frames 0 to 9"),
        ("frame,source\n1,motor\n", "'motor' of the recording has no frames"),
        ("at_s\n\n# late\n12.5\n", r"t.csv:4: 12.5 s, but the recording lasts 12.0 s"),
        (
            "at\n2026-01-01T00:00:00Z\n",
            "2026-01-01T00:00:00Z, but the recording lasts 12.0 s, from 2023-11-14T22:13:20",
        ),
        ("at\nyesterday\n", "expected a time such as"),
        ("at_s\nsoon\n", "expected seconds since the recording began, found 'soon'"),
        ("frame\n-1\n", "expected the number of a frame from 0 on, found '-1'"),
        ("frame,rule\n1,crosed\n", r"t.csv:2: no \[rule.crosed\] in this config; did you mean 'crossed'"),
        ("frames\n1\n", "one of the columns frame, at_s, at, found frames; did you mean 'frame'"),
        ("frame,at_s\n1,1\n", "one of the columns"),
        ("", "found nothing"),
        ("frame\n", "expected rows with what happened, found none"),
    ],
)
def test_what_is_wrong_with_a_truth_is_told_with_its_line(tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        truth(tmp_path, text)


def test_a_row_without_a_rule_is_told_where_several_are_swept(tmp_path):
    with pytest.raises(InputError, match="expected the column rule"):
        truth(tmp_path, "frame\n1\n", usual=None)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"none.csv: expected a CSV"):
        read_truth(tmp_path / "none.csv", TIMELINE, RULES, None)


def test_a_rule_tells_when_it_comes_on_or_its_number_grows():
    def of(rule, s, state):
        return Decision("p", rule, "cam", state, at(s), ("cam", 0))

    switched = [of("r", 1, "off"), of("r", 2, "on"), of("r", 3, "off"), of("r", 4, "on"), of("q", 5, "on")]
    counted = [
        of("r", 1, 0),
        of("r", 2, 1),
        of("r", 3, 3),
        of("r", 4, "unknown"),
        of("r", 5, 3),
        of("r", 6, 4),
    ]
    assert [ns / 1e9 - START for ns in told_by(switched, "r")] == [2, 4]
    assert [ns / 1e9 - START for ns in told_by(counted, "r")] == [2, 3, 3, 6]


def test_each_event_has_at_most_one_decision():
    assert match([10**9], [10**9, 10**9 + 1], 1.0) == Matched(1, 1, 0)
    assert match([0, 10**9], [5 * 10**8], 1.0) == Matched(1, 0, 1)
    assert match([10**9], [3 * 10**9], 1.0) == Matched(0, 1, 1)


def test_shares_that_there_are_not_are_none():
    nothing = Matched()
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    half = Matched(1, 1, 1)
    assert (half.precision, half.recall, half.f1) == (0.5, 0.5, 0.5)


TIMES = st.lists(st.integers(0, 12), max_size=6).map(sorted)


def largest(true, told, tolerance):
    """The largest matching, by trying all."""
    if not true:
        return 0
    rest = largest(true[1:], told, tolerance)
    for n, one in enumerate(told):
        if abs(one - true[0]) <= tolerance:
            rest = max(rest, 1 + largest(true[1:], told[:n] + told[n + 1 :], tolerance))
    return rest


@given(TIMES, TIMES, st.integers(0, 3))
def test_as_many_as_can_be_are_matched(true, told, tolerance):
    found = match(true, told, tolerance / 1e9)
    assert found.right == largest(true, told, tolerance)
    assert (found.right + found.missed, found.right + found.wrong) == (len(true), len(told))
