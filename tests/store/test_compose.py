"""The manifest that `add` writes is one that we read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.config.syntax import parse as parse_toml
from edgeinfer.store.compose import Recipe, compose, value
from edgeinfer.store.manifest import Golden, Tolerance, parse

SUM = "0" * 64
TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x7f"))


@given(TEXT, TEXT, st.dictionaries(TEXT.filter(bool), st.booleans() | st.integers(-(2**40), 2**40) | TEXT))
def test_every_text_and_option_comes_back(summary: str, licence: str, options: dict) -> None:
    options.pop("kind", None)
    options.pop("labels", None)
    recipe = Recipe(
        name="m",
        version="1",
        variants={"cpu": "m.tflite"},
        input={"fit": "crop", "mean": [1.0, 2.0, 3.0], "std": 255.0},
        outputs={"scores": "out"},
        decoder={"kind": "classify", "labels": "l.txt", **options},
        summary=summary,
        licence=licence,
        golden=(Golden("l.txt", "l.txt", "noise"),),
        tolerance={"edgetpu": Tolerance(0.8, 0.1)},
    )
    table = parse_toml(compose(recipe, {"m.tflite": SUM, "l.txt": SUM}))
    assert table["decoder"] == {"kind": "classify", "labels": "l.txt", **options}
    assert table["licence"] == licence


def test_it_is_a_manifest() -> None:
    recipe = Recipe(
        name="m",
        version="1",
        variants={"cpu": "m.tflite"},
        input={"fit": "crop"},
        outputs={"scores": "out"},
        decoder={"kind": "classify", "labels": "l.txt"},
        golden=(Golden("l.txt", "l.txt", "noise"),),
        tolerance={"edgetpu": Tolerance(0.8, 0.1)},
    )
    manifest, problems = parse(compose(recipe, {"m.tflite": SUM, "l.txt": SUM}), "manifest.toml")
    assert not problems
    assert manifest is not None
    assert (manifest.licence, manifest.provenance) == ("unknown", "unknown")
    assert manifest.golden[0].made_of == "noise"
    assert manifest.tolerance["edgetpu"].score == 0.1


def test_lists_and_tables_are_written_inline() -> None:
    assert value({"a": [1, 2.5], "b c": True}) == '{ a = [1, 2.5], "b c" = true }'
