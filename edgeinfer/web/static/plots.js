// Moving plots of readings (canvas) and the timeline of decisions (SVG); all text goes in as text, never as markup.

const SPAN_MS = 60_000;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** Keeps a minute of points for each channel and draws it into a canvas of its own. */
export class Plots {
  constructor(place) {
    this.place = place;
    this.channels = new Map();
  }

  add(readings) {
    for (const [source, trace] of Object.entries(readings)) {
      for (const [channel, points] of Object.entries(trace)) this.channel(source, channel).points.push(...points);
    }
    for (const one of this.channels.values()) this.draw(one);
  }

  channel(source, channel) {
    const name = `${source} ${channel}`;
    if (!this.channels.has(name)) {
      if (!this.channels.size) this.place.replaceChildren();
      const figure = document.createElement("figure");
      const canvas = document.createElement("canvas");
      const caption = document.createElement("figcaption");
      canvas.setAttribute("role", "img");
      figure.append(canvas, caption);
      this.place.append(figure);
      this.channels.set(name, { name, canvas, caption, points: [] });
    }
    return this.channels.get(name);
  }

  draw(one) {
    const last = one.points.at(-1);
    if (!last) return;
    one.points = one.points.filter((point) => point[0] > last[0] - SPAN_MS);
    const values = one.points.map((point) => point[1]);
    const low = Math.min(...values), high = Math.max(...values);
    const text = `${one.name}: ${last[1].toPrecision(4)} (last minute: ${low.toPrecision(4)} to ${high.toPrecision(4)})`;
    one.caption.textContent = text;
    one.canvas.setAttribute("aria-label", text);
    const { canvas } = one, scale = devicePixelRatio || 1;
    const width = (canvas.width = canvas.clientWidth * scale), height = (canvas.height = canvas.clientHeight * scale);
    const context = canvas.getContext("2d");
    const y = (value) => height - 4 * scale - ((value - low) / (high - low || 1)) * (height - 8 * scale);
    context.strokeStyle = colour("--plot");
    context.lineWidth = 2 * scale;
    context.beginPath();
    for (const [at, value] of one.points) context.lineTo(width - ((last[0] - at) / SPAN_MS) * width, y(value));
    context.stroke();
  }
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** A row for each rule, a mark for each decision; `decisions` in their order. */
export function timeline(place, decisions) {
  const rules = [...new Set(decisions.map((d) => d.rule))].sort();
  const times = decisions.map((d) => Date.parse(d.at));
  const first = Math.min(...times), span = Math.max(...times) - first || 1;
  const height = rules.length * 20 + 22;
  const picture = svg("svg", { viewBox: `0 0 600 ${height}`, "aria-hidden": "true" });
  const x = (at) => 150 + ((at - first) / span) * 440;
  rules.forEach((rule, row) => {
    picture.append(svg("text", { x: 0, y: row * 20 + 14, "font-size": 12, fill: "currentColor" }, rule.slice(0, 22)));
    picture.append(svg("line", { x1: 150, x2: 590, y1: row * 20 + 10, y2: row * 20 + 10, stroke: colour("--edge") }));
  });
  decisions.forEach((d, n) => {
    const fill = d.state === "on" ? colour("--bad") : d.state === "unknown" ? colour("--soft") : colour("--mark");
    picture.append(svg("circle", { cx: x(times[n]), cy: rules.indexOf(d.rule) * 20 + 10, r: 4, fill }));
  });
  for (const [at, anchor, place_x] of [[first, "start", 150], [first + span, "end", 590]]) {
    const text = new Date(at).toLocaleTimeString();
    picture.append(svg("text", { x: place_x, y: height - 4, "font-size": 12, fill: "currentColor", "text-anchor": anchor }, text));
  }
  place.replaceChildren(...(decisions.length ? [picture] : []));
}
