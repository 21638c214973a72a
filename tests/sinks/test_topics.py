import pytest

from edgeinfer.errors import InputError
from edgeinfer.sinks.mqtt import Mqtt
from edgeinfer.sinks.topics import check_below, fill


def test_the_default_root_names_the_device():
    assert Mqtt.topic_root(Mqtt.Options(), "press-07") == "edgeinfer/press-07"


def test_a_unified_namespace_is_a_template():
    options = Mqtt.Options(topic="{site}/{line}/edge/{device}", site="ulm", line="line3")
    assert Mqtt.topic_root(options, "press-07") == "ulm/line3/edge/press-07"


@pytest.mark.parametrize(
    "template", ["decision/{rule}", "{source}/decision/{rule}", "by/{source}/decision/{rule}"]
)
def test_a_decision_may_stand_deeper_below_the_root(template):
    check_below(template)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("decision", "must end in decision/{rule}"),
        ("my-decision/{rule}", "must end in decision/{rule}"),
        ("{rule}/decision/{source}", "must end in decision/{rule}"),
        ("{device}/decision/{rule}", "no placeholder {device}"),
        ("/decision/{rule}", "no empty level"),
    ],
)
def test_a_topic_by_which_nobody_would_know_a_decision_is_explained(template, message):
    with pytest.raises(InputError, match=f"decision_topic .*{message}"):
        check_below(template)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a/{devise}", "did you mean 'device'"),
        ("a/{site}", "{site} has no value"),
        ("a/#", "no wildcard"),
        ("+/{device}", "no wildcard"),
        ("/a", "no slash at its ends"),
        ("a//b", "no empty level"),
        ("", "no empty level"),
        ("a/{", "a placeholder is a name in braces"),
    ],
)
def test_a_wrong_template_is_explained(template, message):
    with pytest.raises(InputError, match=message):
        fill(template, {"device": "press-07", "site": ""})
