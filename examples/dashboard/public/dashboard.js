// The page: a card for each metric, with its newest value and a line of those before.

import { Connection } from "./connection.js";

const POINTS = 60;
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By metric: the readings that are shown, oldest first, and the parts of the card. */
const metrics = new Map();

new Connection({
  url() {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  },
  onState(state, retryInMs) {
    const words = { connecting: "Connecting…", open: "Live" };
    $("state").dataset.state = state;
    $("state").textContent = words[state] ??
      `Offline, next try in ${Math.ceil(retryInMs / 1000)} s`;
    if (state === "open") load().catch((error) => $("state").textContent = error.message);
  },
  onMessage: show,
});

/** Loads the stored readings. Readings that arrived in the meantime are newer and stay. */
async function load() {
  const response = await fetch("/readings");
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  for (const reading of await response.json()) show(reading);
}

function show(reading) {
  const { id, metric } = reading;
  if (!metrics.has(metric)) addCard(metric);
  const { readings, card } = metrics.get(metric);
  if (readings.some((other) => other.id === id)) return;
  readings.push(reading);
  readings.sort((a, b) => a.at < b.at ? -1 : 1);
  readings.splice(0, readings.length - POINTS);
  const newest = readings.at(-1);
  card.value.textContent = number.format(newest.value);
  card.unit.textContent = newest.unit;
  card.time.textContent = clock.format(new Date(newest.at));
  card.time.dateTime = newest.at;
  card.line.setAttribute("points", points(readings));
}

/** Cards are sorted by name, so that none moves when a number changes. */
function addCard(metric) {
  const card = {
    value: document.createElement("strong"),
    unit: document.createElement("span"),
    time: document.createElement("time"),
    line: document.createElementNS(SVG, "polyline"),
  };
  const heading = document.createElement("h3");
  heading.textContent = metric.replaceAll("_", " ");
  const figure = document.createElement("p");
  figure.className = "figure";
  figure.append(card.value, " ", card.unit);
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 100 30");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  picture.append(card.line);
  const item = document.createElement("li");
  item.dataset.metric = metric;
  item.append(heading, figure, picture, card.time);
  const after = [...$("metrics").children].find((other) => other.dataset.metric > metric);
  $("metrics").insertBefore(item, after ?? null);
  $("no-metrics").hidden = true;
  metrics.set(metric, { readings: [], card });
}

/** The points of the line. If all values are equal, it is in the middle. */
function points(readings) {
  const values = readings.map(({ value }) => value);
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const y = (value) => range === 0 ? 15 : 28 - 26 * (value - low) / range;
  if (values.length === 1) return `0,${y(values[0])} 100,${y(values[0])}`;
  return values.map((value, index) => `${100 * index / (values.length - 1)},${y(value)}`).join(" ");
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reading = {
    metric: $("metric").value,
    value: $("value").valueAsNumber,
    unit: $("unit").value,
  };
  try {
    const response = await fetch("/readings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(reading),
    });
    const { error } = await response.json();
    $("answer").textContent = error === undefined ? "Stored." : error.message;
  } catch (error) {
    $("answer").textContent = `Not sent: ${error.message}`;
  }
});
$("curl").textContent =
  `curl --json '{"metric":"orders_open","value":12}' ${location.origin}/readings`;
