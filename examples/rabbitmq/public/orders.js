// The page: places orders, and shows the way of each one's message through RabbitMQ.

import { connect } from "/weir.js";
import {
  $,
  answer,
  badge,
  element,
  prepend,
  showCommand,
  showConnection,
  timeElement,
} from "./page.js";

const LONGEST = 50;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By id: the steps of an order so far, and its element. The oldest ones are forgotten. */
const orders = new Map();
/** How many orders there were, by stage. */
const totals = { published: 0, packed: 0, dead: 0 };

const weir = connect("/watch");
showConnection(weir);
weir.on("message", (event) => {
  if (event.update === undefined) showStep(event);
  else showUpdate(event);
});

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await weir.request("place", { item: $("item").value, address: $("address").value });
    answer("answer", "The broker has confirmed the message.", "success");
  } catch ({ message }) {
    answer("answer", message, "danger");
  }
});
showCommand(
  `deno run -A examples/rabbitmq/publish.ts order.updated '{"id":"A17","status":"packed"}'`,
);

/** A consumer may be faster than the confirmation, so that "consumed" can come before "published". */
function showStep(step) {
  const known = orders.get(step.id);
  const order = known ?? { item: element("li", [], "panel"), steps: [] };
  const isNew = order.steps.every(({ stage }) => stage !== step.stage);
  if (isNew && step.stage !== "consumed") totals[step.stage]++;
  order.steps.push(step);
  order.steps.sort((a, b) => rank(a) - rank(b));
  draw(order);
  if (known === undefined) {
    orders.set(step.id, order);
    if (orders.size > LONGEST) orders.delete(orders.keys().next().value);
    add(order.item);
  }
  for (const [stage, total] of Object.entries(totals)) $(stage).textContent = total;
  const waiting = totals.published - totals.packed - totals.dead;
  // An order that was placed before this page was opened is only counted at its end.
  $("waiting").textContent = Math.max(0, waiting);
}

const RANKS = ["published", "consumed", "packed", "dead"];
const rank = ({ stage }) => RANKS.indexOf(stage);

/** By stage: its word, its tone, and what it means for the order. */
const STAGES = {
  published: ["published", "info", () => "It waits in the queue."],
  consumed: ["attempt", "warning", () => "If this attempt fails, it comes again in two seconds."],
  packed: ["packed", "success", () => "The consumer has acknowledged it."],
  dead: ["dead letter", "danger", ({ reason }) => reason],
};

function draw({ item, steps }) {
  const last = steps.at(-1);
  const [, tone, meaning] = STAGES[last.stage];
  item.dataset.tone = tone;
  item.replaceChildren(
    head(element("h3", `${last.item} ${last.id.slice(0, 8)}`), last.at),
    element("p", wayOf(steps, last), "row steps"),
    element("p", meaning(last), "hint"),
  );
}

/** A badge for each step. Data that is not valid is consumed as well, and the flow says nothing of it. */
function wayOf(steps, { retries = -1 }) {
  const all = steps.map(({ stage }) => stage);
  const attempts = all.filter((stage) => stage === "consumed").length;
  const missing = Array(Math.max(0, retries + 1 - attempts)).fill("consumed");
  let attempt = 0;
  return [...all.slice(0, -1), ...missing, all.at(-1)].map((stage) => {
    const [word, tone] = STAGES[stage];
    return badge(stage === "consumed" ? `${word} ${++attempt}` : word, tone);
  });
}

function showUpdate({ update, at }) {
  const item = element("li", [
    head(element("h3", "order.updated"), at),
    element("p", badge("published by another program", "info"), "row"),
    element("p", JSON.stringify(update), "hint"),
  ], "panel");
  add(item);
}

function head(title, at) {
  return element("div", [title, timeElement(at, clock)], "row apart");
}

function add(item) {
  prepend($("orders"), item);
  while ($("orders").children.length > LONGEST) $("orders").lastElementChild.remove();
  $("no-orders").hidden = true;
}
