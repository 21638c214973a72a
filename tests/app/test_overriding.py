import pytest

from edgeinfer.app.override_file import FILE, Overrides, read, write
from edgeinfer.app.overriding import check_value, draw_overridden
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError, InputError

CONFIG = """
device = "press-07"
[source.motor]
kind = "synthetic"
[rule.hot]
kind = "threshold"
value = "temp"
on_above = 80.0
off_below = 70.0
{adjustable}
[pipeline.watch]
source = "motor"
rules = ["hot"]
[sink.out]
kind = "console"
[state]
dir = "{dir}"
"""
LIMITS = "adjustable = { on_above = [75.0, 95.0], off_below = [60.0, 80.0] }"


@pytest.fixture
def drawn(tmp_path):
    def draw(adjustable=LIMITS):
        return draw_overridden(loads(CONFIG.format(adjustable=adjustable, dir=tmp_path), "c.toml"))

    return draw


def test_a_value_that_was_set_is_laid_over_the_config(drawn, tmp_path):
    plain = drawn()
    write(tmp_path, Overrides({"rule.hot.on_above": 90.0}))
    blueprint = drawn()
    assert blueprint.rules["hot"].options.on_above == 90.0
    assert blueprint.ignored == ()
    assert blueprint.config.digest != plain.config.digest
    assert blueprint.written.digest == plain.config.digest


def test_a_pause_is_no_other_config(drawn, tmp_path):
    plain = drawn()
    write(tmp_path, Overrides(paused=("watch",)))
    assert drawn().config.digest == plain.config.digest
    assert drawn().overrides.paused == ("watch",)


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (Overrides({"rule.hot.on_above": 99.0}), "75 to 95"),
        (Overrides({"rule.hot.for_s": 1.0}), "may not be set"),
        (Overrides({"rule.gone.score": 0.5}), "rule.NAME.KEY"),
        (Overrides({"nonsense": 0.5}), "rule.NAME.KEY"),
        (Overrides(paused=("gone",)), "no such pipeline"),
    ],
)
def test_what_no_longer_fits_is_told_and_ignored(drawn, tmp_path, overrides, why):
    write(tmp_path, overrides)
    blueprint = drawn()
    assert why in blueprint.ignored[0]
    assert not blueprint.overrides


def test_of_values_that_do_not_fit_together_those_hold_that_do(drawn, tmp_path):
    write(tmp_path, Overrides({"rule.hot.on_above": 76.0, "rule.hot.off_below": 79.0}))
    blueprint = drawn()
    assert blueprint.overrides.values == {"rule.hot.on_above": 76.0}
    assert "off_below" in blueprint.ignored[0]


def test_a_damaged_file_is_told_and_ignored(drawn, tmp_path):
    (tmp_path / FILE).write_text("{")
    assert FILE in drawn().ignored[0]


def test_what_was_written_is_read_back(tmp_path):
    overrides = Overrides({"rule.hot.on_above": 90, "rule.hot.off_below": 65.5}, ("watch",))
    write(tmp_path, overrides)
    assert read(tmp_path) == (overrides, "")


@pytest.mark.parametrize("value", [74.9, 95.1, True, "80", float("nan"), float("inf")])
def test_only_numbers_within_the_limits_may_be_set(drawn, value):
    with pytest.raises(InputError, match=r"rule.hot.on_above: expected"):
        check_value(drawn(), "rule.hot.on_above", value)


@pytest.mark.parametrize(
    ("adjustable", "why"),
    [
        ("adjustable = { on_abov = [75, 95] }", "did you mean 'on_above'"),
        ("adjustable = { value = [1, 2] }", "only numbers can be set"),
        ("adjustable = { on_above = [95, 75] }", "the first is lower"),
        ("adjustable = { on_above = 90 }", "the first is lower"),
        ("adjustable = { on_above = [85.0, 95.0] }", "not within"),
        ("adjustable = { on_above = [60.0, 95.0] }", "on and off at once"),
        ("adjustable = { for_s = [-1.0, 5.0] }", "does not take for_s = -1"),
        ("adjustable = [1]", "expected a table"),
    ],
)
def test_limits_that_make_no_sense_are_a_problem_of_the_config(drawn, adjustable, why):
    with pytest.raises(ConfigError, match=why):
        drawn(adjustable)


def test_the_name_of_what_tells_of_commands_is_taken(tmp_path):
    text = (
        CONFIG.format(adjustable="", dir=tmp_path)
        .replace("rule.hot", "rule.command")
        .replace('"hot"', '"command"')
    )
    with pytest.raises(ConfigError, match="this name is taken"):
        draw_overridden(loads(text, "c.toml"))
