"""Which runtime runs."""

from __future__ import annotations

import pytest

from edgeinfer.engine.runtimes import choose, find_runtime, runtime_name
from edgeinfer.errors import InputError


def test_litert_is_taken_where_it_is_installed() -> None:
    assert choose("2.3.0", "2.14.0", "2.4.6").module == "ai_edge_litert.interpreter"
    assert str(find_runtime()) == runtime_name()
    assert runtime_name().startswith("ai-edge-litert 2")


def test_the_older_runtime_is_always_isolated() -> None:
    assert choose(None, "2.14.0", "1.26.4").must_isolate


def test_the_older_runtime_with_a_new_numpy_is_refused_before_it_breaks() -> None:
    with pytest.raises(
        InputError, match=r"tflite-runtime 2.14.0 works with numpy below 2 only, found numpy 2.4.6: pip"
    ):
        choose(None, "2.14.0", "2.4.6")


def test_without_a_runtime_the_message_says_what_to_install() -> None:
    with pytest.raises(InputError, match="no TFLite runtime is installed: pip install ai-edge-litert"):
        choose(None, None, "2.4.6")
