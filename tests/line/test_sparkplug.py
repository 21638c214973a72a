"""A real daemon as a Sparkplug edge node, before a host application of packages that others wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.wire.sparkplug_payload import DataType, Metric, Payload, decode, encode
from tests.fixtures.brokers import Mosquitto, Subscriber, password_file
from tests.fixtures.sparkplug import Host, Told
from tests.line.conftest import Daemon
from tests.line.test_daemon import belt
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SINK = """
[sink.plant]
kind = "mqtt"
url = "{url}"
encoding = "sparkplug"
encodings.sparkplug = {{ group = "plant", {more} }}
"""
NAMES = {
    f"{rule}/{part}" for rule in ("any", "parts") for part in ("state", "id", "seq", "subject", "details")
}
ENOUGH = 6  # decisions


def node(broker: Mosquitto, more: str = "confirm_s = 25.0") -> str:
    return belt(SINK.format(url=broker.url, more=more))


def whole(numbers: set[int]) -> bool:
    return numbers == set(range(1, max(numbers, default=0) + 1))


def decided(host: Host, more_than: int = 0, **kind: bool) -> int:
    """The newest number once there are enough that are newer than `more_than`."""
    host.wait_for(lambda _: max(host.numbers(**kind), default=0) >= more_than + ENOUGH, what="decisions")
    return max(host.numbers(**kind))


def bdseqs(told: list[Told]) -> list[object]:
    return [one.value("bdSeq") for one in told]


@pytest.fixture
def broker(mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    return mosquitto()


@pytest.mark.parametrize("version", [3, 5])
def test_a_host_is_told_of_births_decisions_and_the_death_in_the_order_of_the_standard(
    daemon, broker, host, version
):
    seen = host(broker)
    run: Daemon = daemon(node(broker).replace("encoding =", f"version = {version}\nencoding ="))
    decided(seen)
    assert run.stop() == 0
    seen.wait_kind("NDEATH")
    kinds = [one.kind for one in seen.told if one.kind != "READY"]
    assert kinds[:2] == ["NBIRTH", "DBIRTH"]
    assert kinds[-2:] == ["DDEATH", "NDEATH"]
    assert set(kinds) == {"NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH", "NDEATH"}
    assert bdseqs(seen.of("NDEATH")) == bdseqs(seen.of("NBIRTH"))
    assert whole(seen.numbers())
    assert seen.problems() == []


def test_metrics_are_typed_and_have_aliases_and_null_is_what_is_unknown(daemon, broker, host):
    seen = host(broker)
    daemon(node(broker))
    (birth,) = seen.wait_kind("DBIRTH")
    assert (birth.device, set(birth.metrics)) == ("inspection", NAMES)
    types = {name: metric.type for name, metric in birth.metrics.items()}
    assert (types["any/state"], types["parts/state"], types["any/seq"]) == ("Boolean", "Double", "UInt64")
    assert len({metric.alias for metric in birth.metrics.values()}) == len(NAMES)
    assert birth.value("any/state") is None
    decided(seen)
    states = {one.value("any/state") for one in seen.of("DDATA") if "any/state" in one.metrics}
    assert {True, False} & states
    assert seen.wait_kind("NDATA")[0].value("heartbeat") == 1
    assert seen.problems() == []


def test_without_aliases_all_goes_by_name(daemon, broker, host):
    seen = host(broker)
    daemon(node(broker, "aliases = false"))
    decided(seen)
    assert {metric.alias for one in seen.told for metric in one.metrics.values()} == {None}
    assert seen.problems() == []


def test_a_rebirth_that_is_asked_for_is_answered_in_the_same_connection(daemon, broker, host):
    seen = host(broker)
    run = daemon(node(broker))
    decided(seen)
    seen.rebirth("press-07")
    again = seen.wait_kind("NBIRTH", 2)
    seen.wait_kind("DBIRTH", 2)
    assert len(set(bdseqs(again))) == 1
    assert seen.of("NDEATH") == []
    decided(seen, max(seen.numbers()))
    assert seen.problems() == []
    assert run.post("sink.plant").get("reconnects", 0) == 0


def test_a_killed_daemon_is_dead_by_its_will_and_nothing_is_lost(daemon, broker, host):
    seen = host(broker)
    run: Daemon = daemon(node(broker))
    for life in range(3):
        last = decided(seen, max(seen.numbers(), default=0))
        run.kill()
        seen.wait_kind("NDEATH", life + 1)
        run.start()
        seen.wait_kind("NBIRTH", life + 2)
        seen.wait_for(lambda _, last=last: max(seen.numbers(historical=True), default=0) >= last)
    decided(seen, max(seen.numbers()))
    births = bdseqs(seen.of("NBIRTH"))
    assert births == sorted(set(births))
    assert bdseqs(seen.of("NDEATH")) == births[:-1]
    assert whole(seen.numbers())
    assert seen.problems() == []


def test_a_broker_that_is_killed_costs_no_decision(daemon, broker, host):
    seen = host(broker)
    run: Daemon = daemon(node(broker, 'primary_host = "scada"'))
    for life in range(2):
        last = decided(seen, max(seen.numbers(), default=0))
        broker.kill()
        run.wait_post("sink.plant", "degraded")
        broker.start()
        seen.wait_kind("NBIRTH", life + 2)
        seen.wait_for(lambda _, last=last: max(seen.numbers(historical=True), default=0) >= last)
    decided(seen, max(seen.numbers()))
    assert whole(seen.numbers())
    assert seen.problems() == []


def test_what_a_frozen_broker_took_and_never_passed_on_is_told_again(daemon, broker, host):
    seen = host(broker)
    run: Daemon = daemon(node(broker, 'primary_host = "scada"'))
    decided(seen)
    broker.freeze()
    sent = run.post("sink.plant")["sent"]
    wait_for(lambda: run.post("sink.plant")["sent"] >= sent + ENOUGH)  # into a connection that is dead
    run.wait_post("sink.plant", "degraded", 40.0)
    broker.kill()
    broker.start()
    seen.wait_kind("NBIRTH", 2, 60.0)
    decided(seen, max(seen.numbers()))
    assert whole(seen.numbers())
    assert seen.problems() == []


def test_while_the_primary_host_is_away_nothing_is_said_and_then_all_is_told(
    daemon, broker, host, subscriber
):
    stranger: Subscriber = subscriber(broker, "spBv1.0/plant/#")
    run: Daemon = daemon(node(broker, 'primary_host = "scada"'))
    run.wait_post("sink.plant", "degraded")
    wait_for(lambda: run.health()["outbox"]["plant"] >= ENOUGH)
    assert "scada" in run.post("sink.plant")["reason"]
    assert stranger.messages == []
    first: Host = host(broker)
    last = decided(first)
    assert {1, 2, 3} <= first.numbers(historical=True)
    first.kill()
    stranger.wait_for(lambda seen: "/NDEATH/" in seen[-1].topic)
    said = len(stranger.messages)
    waiting = run.health()["outbox"]["plant"]
    wait_for(lambda: run.health()["outbox"]["plant"] >= waiting + ENOUGH)
    assert len(stranger.messages) == said
    second = host(broker)
    decided(second, last)
    assert whole(first.numbers() | second.numbers())
    assert second.numbers(historical=True) & set(range(last - 2, last + 1))  # not sure: told again
    assert first.problems() + second.problems() == []


def test_another_set_of_rules_is_another_birth(daemon, broker, host):
    seen = host(broker)
    run: Daemon = daemon(node(broker))
    decided(seen)
    run.write(
        run.path.read_text().partition("[state]")[0].replace('rules = ["parts", "any"]', 'rules = ["parts"]')
    )
    run.hang_up()
    seen.wait_for(
        lambda _: {n for n in NAMES if n.startswith("parts/")} == set(seen.of("DBIRTH")[-1].metrics)
    )
    decided(seen, max(seen.numbers()))
    assert whole(seen.numbers() | told_by_node(seen))
    assert seen.problems() == []


def told_by_node(seen: Host) -> set[int]:
    """Numbers of decisions whose rule had left."""
    return {
        json.loads(str(one.value("former")))["seq"] for one in seen.of("NDATA") if "former" in one.metrics
    }


def test_the_access_list_of_the_docs_is_enough(daemon, mosquitto, subscriber, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "sparkplug.md").read_text()
    (listed,) = [block for block in page.split("```\n") if block.startswith("pattern write")]
    host = "user host\ntopic readwrite spBv1.0/#\n"
    acl, passwords = tmp_path / "acl", password_file(tmp_path, {"press-07": "a", "host": "b"})
    acl.write_text(f"{host}\n{listed}")
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}\nacl_file {acl}")
    device = node(broker, 'primary_host = "scada"').replace(
        "encoding =", f'credentials_file = "{tmp_path}/login"\nencoding ='
    )
    (tmp_path / "login").write_text("press-07:a")
    (tmp_path / "login").chmod(0o600)
    seen: Subscriber = subscriber(broker, "spBv1.0/#", user="host", password="b")
    run: Daemon = daemon(device)
    run.wait_post("sink.plant", "degraded")
    seen.publish("spBv1.0/STATE/scada", b'{"online": true, "timestamp": 1}', retain=True)
    seen.wait_for(lambda m: any("/DDATA/" in one.topic for one in m))
    rebirth = encode(Payload(1, (Metric("Node Control/Rebirth", DataType.BOOLEAN, True),)))
    seen.publish("spBv1.0/plant/NCMD/press-07", rebirth)
    seen.wait_for(lambda m: len([one for one in m if "/NBIRTH/" in one.topic]) == 2)
    assert run.stop() == 0
    seen.wait_for(lambda m: any("/NDEATH/" in one.topic for one in m))


def test_a_stranger_sees_the_same_bytes(daemon, broker, subscriber):
    seen: Subscriber = subscriber(broker, "spBv1.0/plant/#")
    daemon(node(broker))
    messages = seen.wait_for(lambda m: len(m) > ENOUGH)
    seqs = [decode(message.payload).seq for message in messages]
    assert seqs == list(range(len(seqs)))
    assert not any(message.retain for message in messages)
