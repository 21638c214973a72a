from __future__ import annotations

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.encoding import encoder_of
from edgeinfer.app.plan import rule_kinds
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError
from edgeinfer.ports import EncoderPlace
from tests.wire.test_json import entry

CONFIG = """
[source.belt]
kind = "synthetic"
[rule.a]
kind = "presence"
label = "good"
[rule.b]
kind = "count"
labels = ["good"]
[model.parts]
bundle = "parts"
[pipeline.p]
source = "belt"
model = "parts"
rules = ["a", "b"]
[sink.s]
kind = "mqtt"
"""


def test_a_rule_says_whether_its_state_is_a_number():
    assert rule_kinds(draw(loads(CONFIG, "c.toml"))) == {"a": "binary", "b": "number"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('encoding = "jason"', "sink.s.encoding: .*did you mean 'json'"),
        ('also = ["homeasistant"]', "sink.s.also: .*did you mean 'homeassistant'"),
        ('also = ["plain"]', "sink.s.also: 'plain' does not go here: it is an encoding of its own"),
        ('encoding = "homeassistant"', "sink.s.encoding: 'homeassistant' does not go here"),
        ('encodings.plain = { on = "1" }', "sink.s.encodings: 'plain' is neither the encoding"),
        ("rules.aa.qos = 0", r"sink.s.rules.aa: no \[rule.aa\] in this config; did you mean 'a'"),
        ("rules.a.qos = 2", "sink.s.rules.a.qos: expected"),
        ("rules.a.quos = 1", "sink.s.rules.a.quos: .*did you mean 'qos'"),
        ("expire_s = -1", "sink.s.expire_s: expected"),
        ("max_bytes_s = -1.0", "sink.s.max_bytes_s: expected"),
        ('decision_topic = "{sorce}/decision/{rule}"', "sink.s.decision_topic: .*did you mean 'source'"),
        ('decision_topic = "events/{rule}"', "sink.s.decision_topic: .*must end in decision/{rule}"),
        ('decision_topic = "decision/+/{rule}"', "sink.s.decision_topic: .*no wildcard"),
        ('urls = ["http://b"]', "sink.s.url.*expected mqtt://"),
        ('encoding = "plain"\nencodings.plain = { oh = "1" }', "sink.s.encodings: plain: .*oh"),
    ],
)
def test_a_wrong_encoding_is_told_at_its_key(line, told):
    with pytest.raises(ConfigError, match=told):
        draw(loads(CONFIG + line, "c.toml"))


def test_the_encoder_of_a_sink_knows_how_each_rule_is_sent():
    lines = 'rules.a = { qos = 0, retain = true }\ndecision_topic = "{source}/decision/{rule}"'
    options = draw(loads(CONFIG + lines, "c.toml")).sinks["s"].options
    encoder = encoder_of(options, EncoderPlace("press-07", "t", "s"))
    sent = encoder.encode([entry(1, "a"), entry(2, "b")])
    assert [(m.topic, m.qos, m.retain) for m in sent] == [
        ("t/belt/decision/a", 0, True),
        ("t/belt/decision/b", 1, False),
    ]
