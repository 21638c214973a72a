"""A small right config, and ways to spoil it."""

from __future__ import annotations

GOOD = """\
device = "press-07"

[source.belt]
kind = "synthetic"
fps = 10

[model.parts]
bundle = "parts"

[rule.scratched]
kind = "presence"
label = "scratched"
score = 0.6
for_s = 0.3
clear_s = 1.0

[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["scratched"]

[sink.out]
kind = "console"

[state]
dir = "{state}"
"""


def good(tmp_path) -> str:
    return GOOD.format(state=tmp_path / "state")
