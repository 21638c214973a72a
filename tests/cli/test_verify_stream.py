"""The subscriber's view, over a real broker."""

from __future__ import annotations

import json
import subprocess

import paho.mqtt.client as paho
import pytest

from tests.fixtures.passwords import password_file
from tests.line.conftest import EDGEINFER
from tests.wire.test_stream import decision, gap

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


def watch(broker, messages, *options, wait_s=3):
    """What the command says when a device sends `messages` meanwhile."""
    watching = subprocess.Popen(
        [*EDGEINFER, "verify-stream", broker.url, "--for", str(wait_s), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    assert "listening" in watching.stderr.readline()
    for topic, payload in messages:
        client.publish(topic, payload, 1).wait_for_publish(5)
    out, err = watching.communicate(timeout=30)
    client.loop_stop()
    return watching.returncode, out, err


def test_a_whole_stream_is_told_as_one(mosquitto):
    code, out, err = watch(
        mosquitto(), [decision(1), decision(2), decision(2), gap(3, 5), decision(6)], "--json"
    )
    assert code == 0, err
    [device] = json.loads(out)["devices"]
    assert (device["decisions"], device["repeats"], device["told_gaps"], device["holes"]) == (3, 1, 3, [])


def test_a_hole_is_named_and_the_exit_code_says_so(mosquitto):
    code, out, _ = watch(mosquitto(), [decision(1), decision(2), decision(9)])
    assert code == 1
    assert "press: 3 to 8 never came and nobody said why" in out


@pytest.mark.parametrize("deeper", ["belt", "a/b/c/belt"])
def test_a_hole_among_decisions_in_a_deeper_place_is_found(mosquitto, deeper):
    messages = [
        (topic.replace("/decision/", f"/{deeper}/decision/"), payload)
        for topic, payload in map(decision, (1, 2, 9))
    ]
    code, out, _ = watch(mosquitto(), [*messages, gap(10, 12), decision(13)])
    assert code == 1
    assert "press: 3 to 8 never came and nobody said why" in out
    assert out.splitlines()[1].split()[:5] == ["press", "4", "6", "0", "0"]


def test_no_broker_a_wrong_url_and_a_refusal_are_one_message_each(mosquitto, tmp_path):
    def say(*arguments):
        done = subprocess.run(
            [*EDGEINFER, "verify-stream", *arguments], capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    code, text = say("mqtt://127.0.0.1:1", "--for", "1")
    assert (code, "cannot be reached" in text) == (1, True)
    code, text = say("http://broker")
    assert (code, "expected mqtt://HOST:PORT" in text) == (2, True)
    passwords = password_file(tmp_path, {"anna": "secret"})
    closed = mosquitto(f"allow_anonymous false\npassword_file {passwords}")
    code, text = say(closed.url, "--for", "5")
    assert (code, "refuses the connection" in text) == (1, True)


@pytest.mark.parametrize("command", ["verify-stream", "fleet"])
def test_topics_of_sparkplug_are_told_to_be_none_of_this_commands(command):
    done = subprocess.run(
        [*EDGEINFER, command, "mqtt://127.0.0.1:1", "--topic", "spBv1.0/line3"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "these are Sparkplug's" in done.stderr
    assert "Traceback" not in done.stderr
