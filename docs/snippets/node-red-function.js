// The function "judge". Outputs: decisions, each once and in order · holes · states, unknown unless they are valid.
const FRESH_MS = 15000; // three heartbeats
const REMEMBERED = 1000; // ids of each device: more than a device sends again after a crash

const devices = context.get("devices") ?? {};
context.set("devices", devices);

function show(device) {
    const valid = device.online && Date.now() - device.beatMs < FRESH_MS;
    const states = {};
    for (const rule in device.states) states[rule] = valid ? device.states[rule] : "unknown";
    if (JSON.stringify(states) === device.shown) return;
    device.shown = JSON.stringify(states);
    node.send([null, null, { topic: device.root, payload: states }]);
}

function hole(device, kind, first, last) {
    node.send([null, { topic: device.root, payload: { [kind]: [first, last] } }, null]);
}

function reach(device, first, last) {
    if (device.seq && first > device.seq + 1) hole(device, "missing", device.seq + 1, first - 1);
    device.seq = Math.max(device.seq, last);
}

function decision(device, told) {
    if (device.ids.includes(told.id)) return; // came before
    device.ids.push(told.id);
    if (device.ids.length > REMEMBERED) device.ids.shift();
    if (told.seq <= device.seq && told.boot !== device.boot) device.seq = 0; // the device has a new outbox
    reach(device, told.seq, told.seq);
    device.boot = told.boot;
    node.send([{ topic: device.root, payload: told }, null, null]);
}

if (msg.topic === "look") { // each second: a heartbeat that stops sends nothing
    Object.values(devices).forEach(show);
    return null;
}
const levels = msg.topic.split("/");
const rule = ["decision", "state"].includes(levels.at(-2)) ? levels.pop() : "";
const kind = levels.pop();
const root = levels.join("/");
const device = (devices[root] ??= { root, seq: 0, boot: "", ids: [], online: false, beatMs: 0, states: {}, shown: "" });
if (kind === "decision") decision(device, JSON.parse(msg.payload));
if (kind === "state" && msg.payload === "") delete device.states[rule]; // the rule is gone
if (kind === "state" && msg.payload !== "") device.states[rule] = JSON.parse(msg.payload).state;
if (kind === "gap") {
    const told = JSON.parse(msg.payload);
    hole(device, "dropped", told.first, told.last);
    reach(device, told.first, told.last);
}
if (kind === "status") device.online = msg.payload === "online";
if (kind === "heartbeat" && msg.payload !== device.beat) { // it moves
    device.beat = msg.payload;
    device.beatMs = Date.now();
}
show(device);
return null;
