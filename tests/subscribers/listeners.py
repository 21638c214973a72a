"""The subscribers of docs/snippets as processes, each with what it said so far: decisions, holes and states."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.brokers import Mosquitto, Subscriber, free_port

REPOSITORY = Path(__file__).parents[2]
SNIPPETS = REPOSITORY / "docs/snippets"
NPM = REPOSITORY / ".cache/node/node_modules"
HOME_ASSISTANT = REPOSITORY / ".cache/homeassistant/bin/python"


def needed(path: Path) -> str:
    if not path.exists():
        pytest.fail(f"{path.name} is missing: run scripts/peers")
    return str(path)


@dataclass
class Said:
    """What a subscriber made of the stream; `shown` are the states that it showed of the rule `scratched`."""

    decisions: list[int] = field(default_factory=list)
    holes: list[tuple[str, int, int]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def take(self, line: dict[str, Any]) -> None:
        if "decision" in line:
            self.decisions.append(line["seq"])
        for kind in ("missing", "dropped"):
            if kind in line:
                self.holes.append((kind, *line[kind]))
        if line.get("states"):
            self.shown.append(line["states"].get("scratched", "?"))


class Listener:
    """A process that listens to a broker; `ready` is what the broker's log says once it does."""

    ready = ""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.folder = folder
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self.process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err)

    def said(self) -> Said:
        said = Said()
        for line in self.lines():
            said.take(line)
        return said

    def lines(self) -> list[dict[str, Any]]:
        return whole_lines(self.folder / "out")

    def log(self) -> str:
        return "".join((self.folder / name).read_text() for name in ("out", "err"))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """The objects in `path`, without a line that is being written."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


class Python(Listener):
    ready = "floor-py 1 edgeinfer/+/gap"

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        super().__init__(
            folder, [sys.executable, str(SNIPPETS / "subscriber.py"), broker.host, str(broker.port)]
        )


class JavaScript(Listener):
    ready = "floor-js 1 edgeinfer/+/gap"

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        needed(NPM / "mqtt")
        (folder / "node_modules").symlink_to(NPM)
        (folder / "subscriber.mjs").write_text((SNIPPETS / "subscriber.mjs").read_text())
        super().__init__(folder, ["node", "subscriber.mjs", broker.url])


class NodeRed(Listener):
    """The flow as a user imports it; the broker's address is ours, and each output also goes to a file."""

    ready = "floor-node-red 1 edgeinfer/+/gap"

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        flow = json.loads((SNIPPETS / "node-red.json").read_text())
        [place] = [node for node in flow if node["type"] == "mqtt-broker"]
        place |= {"broker": broker.host, "port": str(broker.port)}
        [judge] = [node for node in flow if node["type"] == "function"]
        for n, wires in enumerate(judge["wires"]):
            wires.append(f"text-{n}")
            flow += self._file(n, judge["z"], folder / f"output-{n}")
        (folder / "flows.json").write_text(json.dumps(flow))
        (folder / "settings.js").write_text(
            f"module.exports = {{ uiHost: '127.0.0.1', uiPort: {free_port()}, flowFile: 'flows.json', "
            "httpAdminRoot: false, httpNodeRoot: false }\n"
        )
        super().__init__(folder, ["node", needed(NPM / "node-red/red.js"), "--userDir", str(folder)])

    @staticmethod
    def _file(n: int, tab: str, path: Path) -> list[dict[str, Any]]:
        return [
            {"id": f"text-{n}", "type": "json", "z": tab, "property": "payload", "action": "str", "wires": [[f"file-{n}"]]},
            {
                "id": f"file-{n}", "type": "file", "z": tab, "filename": str(path), "filenameType": "str",
                "appendNewline": True, "overwriteFile": "false", "createDir": False, "encoding": "utf8", "wires": [[]],
            },
        ]  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        decisions, holes, states = (whole_lines(self.folder / f"output-{n}") for n in range(3))
        return [{"decision": d["rule"], **d} for d in decisions] + holes + [{"states": s} for s in states]


class HomeAssistant(Listener):
    """The package in a real Home Assistant; an automation and `mqtt_statestream` tell the broker what it made of it."""

    ready = "1 edgeinfer/press-07/gap"

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._witness = Subscriber(broker, "witness/#", client_id="witness")
        (folder / "edgeinfer.yaml").write_text((SNIPPETS / "home-assistant.yaml").read_text())
        (folder / "configuration.yaml").write_text(_CONFIGURATION % free_port())
        (folder / ".storage").mkdir()
        (folder / ".storage/core.config_entries").write_text(json.dumps(_entries(broker)))
        command = [needed(HOME_ASSISTANT), str(Path(__file__).parent / "home_assistant.py"), str(folder)]
        super().__init__(folder, command)

    def lines(self) -> list[dict[str, Any]]:
        lines = []
        for message in list(self._witness.messages):
            kind = message.topic.rpartition("/")[2]
            body = message.payload.decode()
            if message.topic == "witness/binary_sensor/press_07_scratched_valid/state":
                lines.append({"states": {"scratched": "unknown" if body == "unavailable" else body}})
            elif kind == "edgeinfer_decision":
                lines.append({"decision": json.loads(body)["rule"], **json.loads(body)})
            elif kind in {"edgeinfer_missing", "edgeinfer_dropped"}:
                hole = json.loads(body)
                lines.append({kind.removeprefix("edgeinfer_"): [hole["first"], hole["last"]]})
        return lines

    def close(self) -> None:
        super().close()
        self._witness.close()


_CONFIGURATION = """\
homeassistant:
  packages:
    edgeinfer: !include edgeinfer.yaml
http:
  server_host: 127.0.0.1
  server_port: %d
mqtt_statestream:
  base_topic: witness
automation:
  - id: witness
    alias: witness
    mode: queued
    max: 1000
    triggers:
      - trigger: event
        event_type: [edgeinfer_decision, edgeinfer_missing, edgeinfer_dropped]
    actions:
      - action: mqtt.publish
        data:
          topic: "witness/{{ trigger.event.event_type }}"
          payload: "{{ trigger.event.data | to_json }}"
          qos: 1
"""


def _entries(broker: Mosquitto) -> dict[str, Any]:
    """What its dialog "add MQTT" writes."""
    entry = {
        "entry_id": "broker", "version": 1, "minor_version": 2, "domain": "mqtt", "title": "broker", "options": {},
        "data": {"broker": broker.host, "port": broker.port}, "source": "user", "unique_id": None, "disabled_by": None,
        "pref_disable_new_entities": False, "pref_disable_polling": False,
    }  # fmt: skip
    return {
        "version": 1,
        "minor_version": 1,
        "key": "core.config_entries",
        "data": {"entries": [entry]},
    }


ALL = {"python": Python, "javascript": JavaScript, "node-red": NodeRed, "home-assistant": HomeAssistant}
