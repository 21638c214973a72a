"""Parts to Options: everything wrong is told, at its key, with what was expected and found."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from edgeinfer.config import blame, decode, loads
from edgeinfer.errors import InputError


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    w: int
    h: int = 0


class Options(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
    from_: str | int
    score: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    anchor: Literal["centre", "foot"] = "centre"
    zone: tuple[tuple[float, float], ...] = ()
    labels: list[str] = []
    size: Size | None = None
    ca: Path | None = None
    quick: bool = False
    n: int = 1
    sizes: Annotated[tuple[Size, ...], msgspec.Meta(max_length=3)] = ()
    ranks: dict[str, int | None] = {}
    tables: tuple[dict[str, int], ...] = ()
    sides: tuple[Literal["left", "right"], ...] | None = None

    def __post_init__(self) -> None:
        if self.n > 5:
            raise ValueError("n must be at most 5")


def part_of(text):
    return loads(f'[source.a]\nkind = "x"\n{text}', "c.toml").of("source")["a"]


def decoded(text):
    problems = []
    options = decode(part_of(text), Options, problems)
    return options, [str(problem) for problem in problems]


def test_right_options_are_decoded_with_renamed_nested_and_path_fields():
    options, problems = decoded('from = 0\nscore = 1\nzone = [[0, 1]]\nsize = {w = 3}\nca = "/etc/ca.pem"')
    assert problems == []
    assert options == Options(from_=0, score=1.0, zone=((0, 1),), size=Size(w=3), ca=Path("/etc/ca.pem"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fro = 1", ["c.toml:3 source.a.fro: unknown key; did you mean 'from'?"]),
        ("scroe = 1", ["c.toml:3 source.a.scroe: unknown key; did you mean 'score'?"]),
        ("score = 'hi'", ["c.toml:3 source.a.score: expected a number of at least 0 and at most 1, found text 'hi'"]),
        ("score = 2", ["c.toml:3 source.a.score: expected a number of at least 0 and at most 1, found the whole number 2"]),
        ("anchor = 'center'", ["c.toml:3 source.a.anchor: expected one of \"centre\", \"foot\", found text 'center'; did you mean 'centre'?"]),
        ("zone = [\n[0, 1],\n[0, true]]", ["c.toml:5 source.a.zone[1][1]: expected a number, found true"]),
        ("zone = [[0, 1, 2]]", ["c.toml:3 source.a.zone[0]: expected a list [a number, a number], found a list of 3"]),
        ("labels = ['a', 3]", ["c.toml:3 source.a.labels[1]: expected text, found the whole number 3"]),
        ("labels = 'a'", ["c.toml:3 source.a.labels: expected a list (each text), found text 'a'"]),
        ("size = {w = '1', x = 2}", ["c.toml:3 source.a.size.w: expected a whole number, found text '1'", "c.toml:3 source.a.size.x: unknown key (there are: w, h)"]),
        ("size = {}", ["c.toml:3 source.a.size: the key 'w' is missing; expected a whole number"]),
        ("size = 3", ["c.toml:3 source.a.size: expected a table, found the whole number 3"]),
        ("ca = 3", ["c.toml:3 source.a.ca: expected text, found the whole number 3"]),
        ("quick = 1", ["c.toml:3 source.a.quick: expected true or false, found the whole number 1"]),
        ("n = 1.5", ["c.toml:3 source.a.n: expected a whole number, found the number 1.5"]),
        ("n = 2026-11-24", ["c.toml:3 source.a.n: expected a whole number, found the date or time 2026-11-24"]),
        ("sizes = [{w = 1}, {w = '1'}]", ["c.toml:3 source.a.sizes[1].w: expected a whole number, found text '1'"]),
        ("ranks = {a = 1, b = 'x'}", ["c.toml:3 source.a.ranks.b: expected a whole number, found text 'x'"]),
        ("tables = [{a = 1}, {b = 'x'}]", ["c.toml:3 source.a.tables[1].b: expected a whole number, found text 'x'"]),
        ("sides = ['left', 'rigth']", ["c.toml:3 source.a.sides[1]: expected one of \"left\", \"right\", found text 'rigth'; did you mean 'right'?"]),
        ("n = 6", ["c.toml:3 source.a.n: n must be at most 5"]),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told(text, told):
    options, problems = decoded(f"{text}\nfrom = 'a'")
    assert options is None
    assert problems == told


def test_a_missing_key_is_told_at_the_part():
    options, problems = decoded("n = 1")
    assert options is None
    assert problems == ["c.toml:1 source.a: the key 'from' is missing; expected text or a whole number"]


def test_all_that_is_wrong_comes_at_once():
    assert len(decoded("x = 1\nscore = 2\nanchor = 3\nn = 'a'")[1]) == 5


def test_an_error_of_a_constructor_stands_at_the_key_that_it_names():
    part = part_of("score = 0.1\nzone = []")
    assert blame(part, Options, InputError("zone has 0 points")).where == "c.toml:4 source.a.zone"
    assert blame(part, Options, InputError("'from' is no camera")).where == "c.toml:1 source.a.from"
    assert blame(part, Options, InputError("no such thing")).where == "c.toml:1 source.a"


def test_the_name_of_the_key_is_not_said_twice():
    problem = blame(part_of("zone = []"), Options, InputError("zone: a polygon has at least 3 corners"))
    assert str(problem) == "c.toml:3 source.a.zone: a polygon has at least 3 corners"
