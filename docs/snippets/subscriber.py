"""Decisions and valid states of all devices of a broker, one JSON object a line: python subscriber.py [HOST [PORT]].

Needs aiomqtt 2 (pip install aiomqtt).
"""

import asyncio
import json
import sys
import time
from collections import OrderedDict

import aiomqtt

ROOT = "edgeinfer/+"  # the topic of your sinks, with + for the device
FRESH_S = 15  # three heartbeats
REMEMBERED = 1000  # ids of each device: more than a device sends again after a crash


def say(**what):
    print(json.dumps(what), flush=True)


class Device:
    def __init__(self, root):
        self.root, self.seq, self.boot, self.ids = root, 0, "", OrderedDict()
        self.online, self.beat, self.beat_s, self.states, self.shown = False, None, None, {}, None

    def decision(self, told):
        if told["id"] in self.ids:
            return  # came before
        self.ids[told["id"]] = None
        if len(self.ids) > REMEMBERED:
            self.ids.popitem(last=False)
        if told["seq"] <= self.seq and told["boot"] != self.boot:
            self.seq = 0  # the device counts anew: it has a new outbox
        self.reach(told["seq"], told["seq"])
        self.boot = told["boot"]
        say(device=self.root, decision=told["rule"], state=told["state"], seq=told["seq"], id=told["id"])

    def gap(self, told):
        say(device=self.root, dropped=[told["first"], told["last"]])
        self.reach(told["first"], told["last"])

    def reach(self, first, last):
        if self.seq and first > self.seq + 1:
            say(device=self.root, missing=[self.seq + 1, first - 1])
        self.seq = max(self.seq, last)

    def heartbeat(self, count):
        if count != self.beat:  # it moves
            self.beat, self.beat_s = count, time.monotonic()

    def show(self):
        fresh = self.beat_s is not None and time.monotonic() - self.beat_s < FRESH_S
        valid = self.online and fresh
        now = {rule: state if valid else "unknown" for rule, state in self.states.items()}
        if now != self.shown:
            self.shown = now
            say(device=self.root, states=now)


def take(devices, topic, payload):
    levels = topic.split("/")
    rule = levels.pop() if levels[-2] in ("decision", "state") else ""
    kind = levels.pop()
    root = "/".join(levels)
    device = devices.setdefault(root, Device(root))
    if kind == "decision":
        device.decision(json.loads(payload))
    elif kind == "state" and not payload:
        device.states.pop(rule, None)  # the rule is gone
    elif kind == "state":
        device.states[rule] = json.loads(payload)["state"]
    elif kind == "gap":
        device.gap(json.loads(payload))
    elif kind == "status":
        device.online = payload == b"online"
    elif kind == "heartbeat":
        device.heartbeat(payload)
    device.show()


async def listen(devices, host, port):
    kinds = ("decision/+", "state/+", "gap", "status", "heartbeat")
    while True:
        try:
            # A name of its own and no clean session: the broker keeps for us what comes while we are away.
            async with aiomqtt.Client(host, port, identifier="floor-py", clean_session=False) as client:
                await client.subscribe([(f"{ROOT}/{kind}", 1) for kind in kinds])
                async for message in client.messages:
                    take(devices, str(message.topic), message.payload)
        except aiomqtt.MqttError as error:
            print(f"{error}; again in 1 s", file=sys.stderr)
            await asyncio.sleep(1)


async def watch(devices):
    while True:  # a heartbeat that stops sends nothing: so look
        await asyncio.sleep(1)
        for device in devices.values():
            device.show()


async def main(host="localhost", port=1883):
    devices = {}
    await asyncio.gather(listen(devices, host, int(port)), watch(devices))


asyncio.run(main(*sys.argv[1:]))
