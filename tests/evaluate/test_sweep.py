import pytest

from edgeinfer.config import loads
from edgeinfer.errors import InputError
from edgeinfer.evaluate.sweep import check, grid, parse, with_values

CONFIG = """
[rule.scratched]
kind = "presence"
label = "scratched"
[rule.people]
kind = "count"
[pipeline.watch]
source = "s"
rules = ["scratched"]
track = { hits = 2 }
"""


def config():
    return loads(CONFIG, "c.toml", problems=[])


def test_a_range_has_its_end_and_no_rounding():
    axis = parse("rule.scratched.score=0.4:0.9:0.05")
    assert axis.values == (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
    assert str(axis) == "rule.scratched.score"


def test_values_may_be_listed_and_whole_numbers_stay_whole():
    assert parse("rule.a.b=0.5,0.9").values == (0.5, 0.9)
    assert [type(v) for v in parse("pipeline.watch.track.hits=1:3:1").values] == [int, int, int]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("score=1:2:1", "expected rule.NAME.KEY=START:END:STEP"),
        ("rule.a.b", "expected rule.NAME.KEY"),
        ("model.a.threads=1:2:1", "expected rule.NAME.KEY"),
        (
            "pipeline.watch.max_fps=1:2:1",
            "of a pipeline only track.KEY can be swept, found 'pipeline.watch.max_fps'",
        ),
        ("rule.a.b=1:2", "expected a range START:END:STEP or values A,B,C, found '1:2'"),
        ("rule.a.b=x,y", "found 'x,y'"),
        ("rule.a.b=2:1:1", "START below END"),
        ("rule.a.b=1:2:0", "STEP above 0"),
        ("rule.a.b=0:nan:1", "found '0:nan:1'"),
        ("rule.a.b=0:1:0.0001", "10001 values, at most 500 are tried; take a larger step"),
    ],
)
def test_what_is_no_sweep_is_told(text, told):
    with pytest.raises(InputError, match=told):
        parse(text)


def test_a_grid_is_all_combinations_and_bounded():
    axes = [parse("rule.a.b=1,2"), parse("rule.a.c=3,4")]
    assert grid(axes) == [(1, 3), (1, 4), (2, 3), (2, 4)]
    with pytest.raises(InputError, match="900 combinations, at most 500"):
        grid([parse("rule.a.b=1:30:1"), parse("rule.a.c=1:30:1")])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule.scrached.score=1,2", r"no \[rule.scrached\] in the config; did you mean 'scratched'"),
        ("rule.scratched.scroe=1,2", "unknown key 'scroe'; did you mean 'score'"),
        ("pipeline.watch.track.hit=1,2", "unknown key 'hit'; did you mean 'hits'"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(text, told):
    with pytest.raises(InputError, match=told):
        check(config(), [parse(text)])


def test_values_take_the_place_of_the_configs_own():
    axes = [parse("rule.scratched.score=0.7"), parse("pipeline.watch.track.hits=3")]
    check(config(), axes)
    changed = with_values(config(), axes, (0.7, 3))
    assert changed.of("rule")["scratched"].options == {"label": "scratched", "score": 0.7}
    assert changed.of("pipeline")["watch"].options["track"] == {"hits": 3}
    assert changed.of("rule")["people"] is not None
    assert config().of("pipeline")["watch"].options["track"] == {"hits": 2}
