// The page: a card for each metric, with its newest value and a chart of those before.

import { connect } from "/weir.js";
import { createCard } from "./card.js";
import { $, answer, ask, showCommand, showConnection } from "./page.js";

const POINTS = 60;

/** By metric: the readings that are shown, oldest first, and the card. */
const metrics = new Map();

const weir = connect("/ws");
showConnection(weir);
weir.on("message", (reading) => show([reading]));
weir.on("status", (status) => {
  if (status === "open") load().catch(({ message }) => answer("answer", message, "danger"));
});

/** Loads the stored readings. Readings that arrived in the meantime are newer and stay. */
async function load() {
  const stored = await ask("/readings");
  show(stored.sort((a, b) => a.metric < b.metric ? -1 : 1));
  $("no-metrics").hidden = metrics.size > 0;
}

function show(fresh) {
  const changed = new Set();
  for (const reading of fresh) {
    const { readings } = metricOf(reading.metric);
    if (readings.some(({ id }) => id === reading.id)) continue;
    readings.push(reading);
    changed.add(reading.metric);
  }
  for (const metric of changed) {
    const { readings, card } = metrics.get(metric);
    readings.sort((a, b) => a.at < b.at ? -1 : 1);
    readings.splice(0, readings.length - POINTS);
    card.draw(readings);
  }
}

/** The card of a new metric is the last one, so that no other card moves. */
function metricOf(metric) {
  const known = metrics.get(metric);
  if (known !== undefined) return known;
  const made = { readings: [], card: createCard(metric) };
  $("metrics").append(made.card.item);
  $("no-metrics").hidden = true;
  metrics.set(metric, made);
  return made;
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reading = {
    metric: $("metric").value,
    value: $("value").valueAsNumber,
    unit: $("unit").value,
  };
  try {
    await ask("/readings", reading);
    answer("answer", "Stored.", "success");
  } catch ({ message }) {
    answer("answer", message, "danger");
  }
});
showCommand(`curl --json '{"metric":"orders_open","value":12}' ${location.origin}/readings`);
