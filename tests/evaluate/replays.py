"""A short recording of the belt, and a config for it."""

from __future__ import annotations

from edgeinfer.events import Frame
from edgeinfer.recording import Writer
from edgeinfer.sources.belt import Belt
from tests.samples import at

FPS = 15
CONFIG = """
device = "press"
[source.belt]
kind = "camera"
from = "rtsp://10.0.0.7/stream"
[model.parts]
bundle = "parts"
[rule.parts]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
score = {score}
for_s = 0.0
[rule.passed]
kind = "line"
line = [[0.5, 0.0], [0.5, 1.0]]
[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["parts", "passed"]
track = {{}}
"""


def belt(path, pictures=60):
    """Pictures of the belt, 15 a second, lossless."""
    writer = Writer(path, "press", at())
    for frame in belt_frames(pictures):
        writer.write(frame)
    writer.close()
    return path


def belt_frames(pictures=60):
    drawn = Belt()
    for n in range(pictures):
        yield Frame(("belt", n), at(n / FPS), drawn.render(n / FPS))


def passed(pictures=60):
    """The pictures in which the middle of a part has come past the middle of the picture."""
    drawn, found = Belt(), []
    for n in range(1, pictures):
        before, now = ({p.number: p.centre[0] for p in drawn.truth(m / FPS)} for m in (n - 1, n))
        found += [n for number, x in now.items() if x > 0.5 >= before.get(number, 1.0)]
    return found
