from __future__ import annotations

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.encoding import describes, encoder_of
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
PLUG = 'encoding = "sparkplug"\nencodings.sparkplug.group = "plant"\n'


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
        (
            PLUG.replace('"plant"', '"plant/a"'),
            "sink.s.encodings: sparkplug: group 'plant/a': expected a name",
        ),
        ('encoding = "sparkplug"', "sink.s.encodings: sparkplug: .*group"),
        (
            PLUG + 'also = ["homeassistant"]',
            "sink.s.also: not with encoding = 'sparkplug'.*a sink of its own",
        ),
        (PLUG + 'topic = "a/b"', "sink.s.topic: not with encoding = 'sparkplug'.*group and edge_node"),
        (PLUG + "rules.a.qos = 1\nrules.a.retain = true", "sink.s.rules: not with .*QoS 0"),
        (PLUG + "session_expiry_s = 60", "sink.s.session_expiry_s: .*a clean session"),
        (PLUG + 'encodings.sparkplug.version = "2.2"', "sink.s.encodings: sparkplug: .*version"),
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


@pytest.mark.parametrize("kind", ['kind = "console"', 'kind = "jsonl"\npath = "x"'])
def test_sparkplug_needs_a_broker(kind):
    config = CONFIG.replace('kind = "mqtt"', kind) + 'encoding = "sparkplug"'
    with pytest.raises(ConfigError, match="sink.s.encoding: 'sparkplug' is for a broker"):
        draw(loads(config, "c.toml"))


def test_a_sparkplug_node_knows_the_rules_of_the_config():
    sink = draw(loads(CONFIG + PLUG, "c.toml")).sinks["s"]
    assert describes(sink.options)
    encoder = encoder_of(sink.options, EncoderPlace("press-07", "t", "s", rules={"a": "binary"}))
    encoder.will()
    assert [m.topic for m in encoder.birth([entry(1, "a")], [])] == [
        "spBv1.0/plant/NBIRTH/press-07",
        "spBv1.0/plant/DBIRTH/press-07/inspection",
    ]
