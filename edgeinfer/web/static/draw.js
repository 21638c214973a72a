// The page "Draw zones": corners by mouse, finger, keyboard or numbers; out comes text for the config. It writes nothing.
import { svg } from "/plots.js";

const $ = (id) => document.getElementById(id);
const LEAST = { zone: 3, line: 2 };
const STEP = 0.02, FINE = 0.002;
const NEAR_PX = 22; // a finger on a corner moves it
let corners = [];
let cross = [0.5, 0.5];
let dragged = -1;
let about;

const within = (value) => Math.min(1, Math.max(0, value));
const rounded = (value) => Math.round(value * 1000) / 1000;

// --- shape --------------------------------------------------------------------------------------------------

function add(point) {
  if ($("shape").value === "line" && corners.length === 2) corners = [corners[0]];
  corners.push(point.map(rounded));
  show();
}

function show() {
  const line = $("shape").value === "line";
  const points = corners.map((corner) => corner.join(",")).join(" ");
  const shape = svg(line || corners.length < 3 ? "polyline" : "polygon", { points, class: "shape" });
  const [x, y] = cross, size = 0.03;
  const marks = [svg("line", { x1: x - size, x2: x + size, y1: y, y2: y, class: "cross" }), svg("line", { x1: x, x2: x, y1: y - size, y2: y + size, class: "cross" })];
  $("overlay").replaceChildren(shape, ...marks);
  for (const old of document.querySelectorAll(".corner")) old.remove();
  for (const corner of corners) {
    const dot = document.createElement("span");
    dot.className = "corner";
    dot.style.left = `${corner[0] * 100}%`; // set by script, which the policy allows; an attribute would not be
    dot.style.top = `${corner[1] * 100}%`;
    $("canvas").append(dot);
  }
  showNumbers();
  showToml();
}

function showNumbers() {
  const list = $("corners");
  if (list.children.length !== corners.length) list.replaceChildren(...corners.map((_, n) => numbers(n)));
  corners.forEach((corner, n) => {
    const inputs = list.children[n].querySelectorAll("input");
    corner.forEach((value, axis) => { if (inputs[axis] !== document.activeElement) inputs[axis].value = value; });
  });
}

function numbers(n) {
  const item = document.createElement("li");
  for (const [axis, name] of ["from left", "from top"].entries()) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "number", min: 0, max: 1, step: 0.001 });
    input.addEventListener("input", () => {
      if (input.value === "" || !Number.isFinite(input.valueAsNumber)) return;
      corners[n][axis] = rounded(within(input.valueAsNumber));
      show();
    });
    label.append(`Corner ${n + 1} ${name} `, input);
    item.append(label);
  }
  const button = document.createElement("button");
  button.textContent = "Remove";
  button.setAttribute("aria-label", `Remove corner ${n + 1}`);
  button.addEventListener("click", () => { corners.splice(n, 1); $("corners").replaceChildren(); show(); });
  item.append(button);
  return item;
}

function showToml() {
  const shape = $("shape").value, rule = $("rule").value;
  if (corners.length < LEAST[shape]) {
    $("where").textContent = `A ${shape} has ${LEAST[shape]} corners${shape === "zone" ? " or more" : ""}; there are ${corners.length}.`;
    $("toml").textContent = "";
    return;
  }
  const value = `${shape} = [${corners.map((corner) => `[${corner.join(", ")}]`).join(", ")}]`;
  $("where").textContent = rule ? `Put it in place of the line "${shape} = …" of [rule.${rule}], and reload.` : "Put it into the config or into a file in conf.d beside it, name the rule in a pipeline, and reload.";
  $("toml").textContent = rule ? `${value}\n` : `[rule.my-${shape}]\nkind = "${shape}"\n${value}\n`;
}

// --- mouse, finger, keyboard --------------------------------------------------------------------------------

function place(event) {
  const box = $("canvas").getBoundingClientRect();
  return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
}

function nearest(event) {
  const box = $("canvas").getBoundingClientRect();
  const away = corners.map(([x, y]) => Math.hypot(box.left + x * box.width - event.clientX, box.top + y * box.height - event.clientY));
  const n = away.indexOf(Math.min(...away));
  return n >= 0 && away[n] < NEAR_PX ? n : -1;
}

$("canvas").addEventListener("pointerdown", (event) => {
  event.preventDefault();
  $("canvas").focus();
  $("canvas").setPointerCapture(event.pointerId);
  dragged = nearest(event);
  if (dragged < 0) {
    add(place(event));
    dragged = corners.length - 1;
  }
});
$("canvas").addEventListener("pointermove", (event) => {
  if (dragged < 0) return;
  corners[dragged] = place(event).map(rounded);
  show();
});
for (const end of ["pointerup", "pointercancel"]) $("canvas").addEventListener(end, () => { dragged = -1; });

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
$("canvas").addEventListener("keydown", (event) => {
  const move = MOVES[event.key], step = event.shiftKey ? FINE : STEP;
  if (move) cross = cross.map((value, axis) => rounded(within(value + move[axis] * step)));
  else if (event.key === "Enter") add(cross);
  else if (event.key === "Backspace") corners.pop();
  else return;
  event.preventDefault();
  $("cross").textContent = `${move ? "Cross at" : `${corners.length} corners, cross at`} ${cross[0]} from left, ${cross[1]} from top`;
  show();
});

// --- the rest -----------------------------------------------------------------------------------------------

function take() {
  $("picture").alt = `Picture of ${$("source").value}`;
  $("picture").src = `/picture/${$("source").value}?${Date.now()}`;
}

function load() {
  const rule = about.rules[$("rule").value];
  if (rule) $("shape").value = rule.line.length ? "line" : "zone";
  corners = rule ? [...(rule.line.length ? rule.line : rule.zone)].map((corner) => [...corner]) : [];
  show();
}

function option(select, text, value = text) {
  const element = document.createElement("option");
  Object.assign(element, { textContent: text, value });
  $(select).append(element);
}

$("shape").addEventListener("change", () => { if ($("shape").value === "line") corners = corners.slice(0, 2); show(); });
$("source").addEventListener("change", take);
$("rule").addEventListener("change", load);
$("fresh").addEventListener("click", take);
$("clear").addEventListener("click", () => { corners = []; show(); });
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("toml").textContent);
    $("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren($("toml"));
    $("copied").textContent = "Marked: copy it with Ctrl-C.";
  }
});

about = await (await fetch("/api/about")).json();
$("device").textContent = about.device;
for (const [name, source] of Object.entries(about.sources)) if (source.pictures) option("source", name);
for (const [name, rule] of Object.entries(about.rules)) if (rule.zone.length || rule.line.length) option("rule", name);
if ($("source").value) take();
show();
