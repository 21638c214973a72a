"""Judges discovery messages (a JSON list of texts on stdin) by Home Assistant's own schemas; run by its interpreter.

Says for each what is wrong with it, or nothing. Follows what discovery.py of its MQTT integration does with a message.
"""

import asyncio
import importlib
import json
import sys
import tempfile

import voluptuous
from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA, SHARED_OPTIONS
from homeassistant.core import HomeAssistant


def judge(text: str) -> str:
    body = json.loads(text)
    try:
        DEVICE_DISCOVERY_SCHEMA(body)
        for component in body["components"].values():
            judge_component(dict(component), body)
    except voluptuous.Invalid as error:
        return str(error)
    return ""


def judge_component(component: dict, body: dict) -> None:
    platform = importlib.import_module(f"homeassistant.components.mqtt.{component.pop('platform')}")
    if not component:
        return  # removed
    shared = {key: body[key] for key in SHARED_OPTIONS if key in body}
    platform.DISCOVERY_SCHEMA({**shared, **component, "device": body["device"], "origin": body["origin"]})


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)  # templates are judged in its loop alone
        print(json.dumps([judge(text) for text in json.load(sys.stdin)]))
        await hass.async_stop(force=True)


asyncio.run(main())
