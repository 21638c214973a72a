"""Who may command: the broker's config and access list of docs/commands.md, as they stand there, over TLS with certificates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fixtures.brokers import make_certificates
from tests.line.test_daemon import belt
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
ROOT = "edgeinfer/press-07"
SINK = """
[sink.plant]
kind = "mqtt"
url = "mqtts://localhost:{port}"
ca = "{ca}"
cert = "{cert}"
key = "{key}"
commands = ["pause", "resume"]
"""


@pytest.fixture
def hall(tmp_path, mosquitto):
    """The broker of the page; its certificates."""
    listener, access = (text for kind, text in re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL) if not kind)
    certificates = make_certificates(tmp_path / "tls")
    acl = tmp_path / "acl"
    acl.write_text(access)
    acl.chmod(0o600)
    for name, path in {
        "ca.crt": certificates.ca, "server.crt": certificates.cert, "server.key": certificates.key, "acl": acl,
    }.items():  # fmt: skip
        assert f"/etc/mosquitto/{name}" in listener
        listener = listener.replace(f"/etc/mosquitto/{name}", str(path))
    for_all = [line for line in listener.splitlines() if re.match("allow_anonymous|acl_file", line)]
    of_one = [line for line in listener.splitlines()[1:] if line not in for_all]
    return mosquitto("\n".join(for_all), "\n".join(of_one)), certificates


def test_the_control_room_may_command_and_a_viewer_and_another_device_may_not(hall, daemon, commander):
    broker, certificates = hall
    cert, key = certificates.client("press-07")
    run = daemon(belt(SINK.format(port=broker.port, ca=certificates.ca, cert=cert, key=key)))
    run.wait_post("sink.plant", "ok", 40)
    run.wait_post("pipeline.inspection", "ok", 40)
    wait_for(lambda: f"{ROOT}/command/+ (QoS 1)" in broker.log(), 20)

    def somebody(name):
        own_cert, own_key = certificates.client(name)
        login = {"ca": certificates.ca, "cert": own_cert, "key": own_key, "host": "localhost"}
        return commander(broker, ROOT, 5, name, **login)

    for name in ("viewer", "press-08"):
        somebody(name).command("pause", f"of-{name}", pipeline="inspection")
    room = somebody("control-room")
    assert room.ask("pause", "of-the-room", pipeline="inspection")["ok"]
    assert [body["id"] for _, body, _ in room.replies] == ["of-the-room"]
    assert run.post("commands")["done"] == 1
    assert "refused" not in run.post("commands")
    assert run.post("pipeline.inspection")["condition"] == "paused"
    assert "listening" not in run.post("sink.plant").get("notes", {})
