// The page "Now": live pictures, decisions, readings, health. Every text from the device goes in as text, never as markup.
import { Plots, timeline } from "/plots.js";

const $ = (id) => document.getElementById(id);
const MOST = 500;
let decisions = [];
let about = { allow: [], sources: {} };

function make(name, text = "", attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.statusText);
  return body;
}

async function command(body) {
  const headers = { "Content-Type": "application/json", "X-Edgeinfer": "1" };
  try {
    await ask("/api/command", { method: "POST", headers, body: JSON.stringify(body) });
    $("said").textContent = "";
  } catch (error) {
    $("said").textContent = error.message;
  }
}

// --- live ---------------------------------------------------------------------------------------------------

function showPictures() {
  const there = Object.entries(about.sources).filter(([, source]) => source.pictures).map(([name]) => name);
  for (const name of there) {
    if (document.querySelector(`[data-source="${CSS.escape(name)}"]`)) continue;
    if (!document.querySelector("[data-source]")) $("pictures").replaceChildren();
    const figure = make("figure", "", { "data-source": name });
    const image = make("img", "", { alt: `Live picture of ${name}, with what is found in it`, width: 640, height: 480 });
    image.addEventListener("error", () => setTimeout(() => { image.src = `/live/${name}?${Date.now()}`; }, 2000));
    image.src = `/live/${name}`;
    figure.append(image, make("figcaption", name));
    $("pictures").append(figure);
  }
}

async function refreshAbout() {
  about = await ask("/api/about");
  $("device").textContent = about.device;
  document.title = `${about.device} · edgeinfer`;
  showPictures();
}

// A hidden page asks for no pictures: nobody watches.
document.addEventListener("visibilitychange", () => {
  for (const image of document.querySelectorAll("[data-source] img")) {
    const source = image.parentElement.dataset.source;
    image.src = document.hidden ? "/icon.svg" : `/live/${source}?${Date.now()}`;
  }
});

// --- decisions ----------------------------------------------------------------------------------------------

const words = (details) => Object.entries(details || {}).map(([k, v]) => `${k} ${typeof v === "object" ? JSON.stringify(v) : v}`).join(", ");

function line(decision) {
  const item = make("li");
  item.append(
    make("time", new Date(decision.at).toLocaleTimeString(), { datetime: decision.at }),
    make("strong", decision.rule),
    make("span", String(decision.state), decision.state === "on" ? { class: "bad" } : {}),
    make("span", words(decision.details), { class: "detail" }),
  );
  const why = make("button", "Why", { "aria-label": `Why ${decision.rule} became ${decision.state}` });
  why.addEventListener("click", () => explain(decision));
  item.append(why);
  return item;
}

const wanted = (decision) => !$("rule").value || decision.rule === $("rule").value;

function showDecisions() {
  const shown = decisions.filter(wanted);
  $("log").replaceChildren(...shown.slice(-100).reverse().map(line));
  showTimeline();
}

function showTimeline() {
  const shown = decisions.filter(wanted);
  timeline($("timeline"), shown);
  $("timeline-text").textContent = shown.length ? `${shown.length} decisions since ${new Date(shown[0].at).toLocaleString()}` : "No decision in this time.";
  const known = new Set([...$("rule").options].map((option) => option.value));
  for (const rule of new Set(decisions.map((d) => d.rule))) if (!known.has(rule)) $("rule").append(make("option", rule, { value: rule }));
}

async function readHistory() {
  decisions = await ask(`/api/decisions?limit=${MOST}&hours=${$("hours").value}`);
  showDecisions();
}

function decided(decision) {
  if (decisions.some((d) => d.id === decision.id)) return;
  decisions = [...decisions.slice(1 - MOST), decision];
  if (wanted(decision)) {
    $("log").prepend(line(decision));
    while ($("log").children.length > 100) $("log").lastElementChild.remove();
  }
  showTimeline();
}

async function explain(decision) {
  $("why-h").textContent = `Why ${decision.rule} became ${decision.state}`;
  $("why-text").replaceChildren(make("p", "asking …"));
  $("why").showModal();
  try {
    const { result } = await ask(`/api/explain/${decision.id}`);
    const parts = [make("p", `${decision.at}, ${decision.pipeline}, ${result.source} ${result.n}, ${decision.model || "no model"}`)];
    for (const key of ["findings", "states", "timings_ms", "rule", "missing"]) {
      const value = result[key];
      if (!value || !Object.keys(value).length) continue;
      parts.push(make("h3", key), make("pre", JSON.stringify(value, null, 1)));
    }
    $("why-text").replaceChildren(...parts);
  } catch (error) {
    $("why-text").replaceChildren(make("p", error.message, { class: "bad" }));
  }
}

// --- health -------------------------------------------------------------------------------------------------

const LOST = ["lost", "replaced", "dropped", "stale", "skipped", "late", "refused", "gaps", "overrun", "missed", "unanswered", "expired"];

function lossesOf(post) {
  const found = Object.entries(post).filter(([key, n]) => typeof n === "number" && n > 0 && LOST.some((word) => key.includes(word)));
  return found.map(([key, n]) => `${key} ${n}`).join(", ");
}

function row(name, post, old) {
  const notes = Object.values(post.notes || {});
  const condition = notes.length && post.condition === "ok" ? "degraded" : post.condition;
  const stages = Object.entries(post.latency_ms || {}).map(([stage, ms]) => `${stage} ${ms.p95}`).join(", ");
  const cells = [condition, stages, lossesOf(post), [post.reason, ...notes].filter(Boolean).join("; ")];
  const line = old || make("tr", "", { "data-post": name });
  if (!old) line.append(make("th", name, { scope: "row" }), ...cells.map(() => make("td")), orders(name));
  cells.forEach((text, n) => { line.children[n + 1].textContent = text; });
  line.children[1].className = condition === "degraded" ? "bad" : "";
  const button = line.querySelector("button");
  if (button) button.textContent = condition === "paused" ? "Resume" : "Pause";
  return line;
}

function orders(name) {
  const cell = make("td");
  const pipeline = name.startsWith("pipeline.") ? name.slice("pipeline.".length) : "";
  if (pipeline && about.allow.includes("pause") && about.allow.includes("resume")) {
    const button = make("button", "Pause");
    button.addEventListener("click", () => command({ command: button.textContent.toLowerCase(), pipeline }));
    cell.append(button);
  }
  return cell;
}

function showHealth(health) {
  const text = health.condition === "ok" ? "All is well" : `Degraded: ${Object.keys(health.degraded || {}).join(", ")}`;
  if ($("condition").textContent !== text) $("condition").textContent = text;
  $("condition").className = health.condition === "ok" ? "" : "bad";
  const waiting = Object.entries(health.outbox || {}).map(([sink, n]) => `${sink} ${n}`).join(", ");
  const figures = { Condition: health.condition, "Waiting in the outbox": waiting || "0", Temperature: health.temp_c == null ? "not known" : `${health.temp_c.toFixed(0)} °C`, Version: health.version, Config: health.config };
  $("figures").replaceChildren(...Object.entries(figures).map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", name), make("dd", String(value)));
    return pair;
  }));
  const old = new Map([...$("posts").children].map((line) => [line.dataset.post, line]));
  const names = Object.keys(health.posts).sort();
  for (const name of names) {
    const line = row(name, health.posts[name], old.get(name));
    if (!old.has(name)) $("posts").append(line);
  }
  for (const [name, line] of old) if (!names.includes(name)) line.remove();
}

// --- all of it ----------------------------------------------------------------------------------------------

function listen() {
  const plots = new Plots($("plots"));
  const events = new EventSource("/events");
  let asked = 0;
  events.addEventListener("now", (event) => {
    const now = JSON.parse(event.data);
    showHealth(now.health);
    plots.add(now.readings);
    if (asked++ % 5 === 0) refreshAbout();
  });
  events.addEventListener("decision", (event) => decided(JSON.parse(event.data)));
  events.addEventListener("error", () => { $("condition").textContent = "The device does not answer; trying again …"; });
}

$("why-close").addEventListener("click", () => $("why").close());
$("rule").addEventListener("change", showDecisions);
$("hours").addEventListener("change", readHistory);
await refreshAbout();
listen();
await readHistory();
