// Decisions and valid states of all devices of a broker, one JSON object a line: node subscriber.mjs [URL]
// Needs mqtt 5 (npm install mqtt).
import mqtt from "mqtt";

const ROOT = "edgeinfer/+"; // the topic of your sinks, with + for the device
const FRESH_MS = 15000; // three heartbeats
const REMEMBERED = 1000; // ids of each device: more than a device sends again after a crash

const say = (what) => console.log(JSON.stringify(what));
const devices = new Map();

class Device {
  constructor(root) {
    Object.assign(this, { root, seq: 0, boot: "", ids: new Set(), online: false, states: {}, shown: "" });
  }

  decision(told) {
    if (this.ids.has(told.id)) return; // came before
    this.ids.add(told.id);
    if (this.ids.size > REMEMBERED) this.ids.delete(this.ids.values().next().value);
    if (told.seq <= this.seq && told.boot !== this.boot) this.seq = 0; // the device has a new outbox
    this.reach(told.seq, told.seq);
    this.boot = told.boot;
    say({ device: this.root, decision: told.rule, state: told.state, seq: told.seq, id: told.id });
  }

  gap(told) {
    say({ device: this.root, dropped: [told.first, told.last] });
    this.reach(told.first, told.last);
  }

  reach(first, last) {
    if (this.seq && first > this.seq + 1) say({ device: this.root, missing: [this.seq + 1, first - 1] });
    this.seq = Math.max(this.seq, last);
  }

  heartbeat(count) {
    if (count !== this.beat) [this.beat, this.beatMs] = [count, performance.now()]; // it moves
  }

  show() {
    const valid = this.online && performance.now() - this.beatMs < FRESH_MS;
    const rules = Object.entries(this.states);
    const states = Object.fromEntries(rules.map(([rule, state]) => [rule, valid ? state : "unknown"]));
    if (JSON.stringify(states) === this.shown) return;
    this.shown = JSON.stringify(states);
    say({ device: this.root, states });
  }
}

function take(topic, payload) {
  const levels = topic.split("/");
  const rule = ["decision", "state"].includes(levels.at(-2)) ? levels.pop() : "";
  const kind = levels.pop();
  const root = levels.join("/");
  if (!devices.has(root)) devices.set(root, new Device(root));
  const device = devices.get(root);
  if (kind === "decision") device.decision(JSON.parse(payload));
  else if (kind === "state" && payload === "") delete device.states[rule]; // the rule is gone
  else if (kind === "state") device.states[rule] = JSON.parse(payload).state;
  else if (kind === "gap") device.gap(JSON.parse(payload));
  else if (kind === "status") device.online = payload === "online";
  else if (kind === "heartbeat") device.heartbeat(payload);
  device.show();
}

// A name of its own and no clean session: the broker keeps for us what comes while we are away.
const client = mqtt.connect(process.argv[2] ?? "mqtt://localhost:1883", { clientId: "floor-js", clean: false });
const kinds = ["decision/+", "state/+", "gap", "status", "heartbeat"];
client.on("connect", () => client.subscribe(kinds.map((kind) => `${ROOT}/${kind}`), { qos: 1 }));
client.on("error", (error) => console.error(error.message)); // it connects again by itself
// The broker is told that we have it when `done` is called: after take, not before.
client.handleMessage = (packet, done) => {
  take(packet.topic, packet.payload.toString());
  done();
};
setInterval(() => devices.forEach((device) => device.show()), 1000); // a heartbeat that stops sends nothing: so look
