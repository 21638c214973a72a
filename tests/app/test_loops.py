"""A source that would hear its own device, as `check` sees it."""

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError

CONFIG = """
device = "press-07"
[source.a]
kind = "mqtt"
topics = ["{topic}"]
channels = {{ x = "" }}
[rule.r]
kind = "threshold"
value = "x"
on_above = 1.0
[pipeline.p]
source = "a"
rules = ["r"]
[sink.plant]
kind = "mqtt"
topic = "edge/{{device}}"
[sink.out]
kind = "console"
"""


def drawn(topic):
    return draw(loads(CONFIG.format(topic=topic), "c.toml"))


@pytest.mark.parametrize("topic", ["edge/press-08/state/r", "edge/+", "line3/#", "edgeinfer/press-07/#"])
def test_what_others_publish_may_be_asked_for(topic):
    assert drawn(topic).sources


@pytest.mark.parametrize("topic", ["edge/press-07/decision/r", "edge/+/state/+", "#", "edge/press-07/#"])
def test_what_the_device_itself_publishes_is_refused(topic):
    with pytest.raises(ConfigError, match="would hear itself") as caught:
        drawn(topic)
    (problem,) = caught.value.problems
    assert "source.a.topics" in str(problem)
    assert "[sink.plant]" in str(problem)
