// The page: topics to follow, and what is new about them. What this browser follows and has seen
// stays in it, so that it asks for no more than it has missed.

import { Connection, ConnectionLost } from "./connection.js";

const TOPICS = ["deploys", "billing", "security"];
const SHOWN = 200;
const $ = (id) => document.getElementById(id);
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const followed = new Set(JSON.parse(localStorage.getItem("followed") ?? '["deploys"]'));
/** By topic: the notification up to which this browser has seen all. */
const seen = JSON.parse(localStorage.getItem("seen") ?? "{}");
/** Topics of this connection whose missed notifications have been loaded. */
const complete = new Set();
/** The notifications on the page, by id. */
const shown = new Map(
  JSON.parse(localStorage.getItem("shown") ?? "[]").map((each) => [each.id, each]),
);

const connection = new Connection({
  url() {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  },
  onState(state, retryInMs) {
    const words = { connecting: "Connecting…", open: "Connected" };
    $("state").dataset.state = state;
    $("state").textContent = words[state] ??
      `Offline, next try in ${Math.ceil(retryInMs / 1000)} s`;
    // A new connection is in no room.
    complete.clear();
    if (state === "open") followed.forEach(follow);
  },
  onMessage(notification) {
    const { id, topic } = notification;
    if (complete.has(topic)) seen[topic] = id;
    add([notification]);
  },
});

/** Joins the topic's room, then asks for what came since the last notification that was seen. */
async function follow(topic) {
  try {
    await connection.request({ type: "join_room", room: topic });
    const question = { topic, after: seen[topic] };
    const { notifications } = await connection.request({ type: "missed", data: question });
    complete.add(topic);
    seen[topic] = notifications.at(-1)?.id ?? seen[topic];
    add(notifications);
  } catch (error) {
    // After a reconnect, the page follows the topic again.
    if (!(error instanceof ConnectionLost)) $("answer").textContent = error.message;
  }
}

function unfollow(topic) {
  if (connection.isOpen) connection.request({ type: "leave_room", room: topic }).catch(() => {});
  complete.delete(topic);
  delete seen[topic];
  for (const { id } of [...shown.values()].filter((each) => each.topic === topic)) shown.delete(id);
  draw();
}

function add(notifications) {
  const fresh = notifications.filter(({ id, topic }) => followed.has(topic) && !shown.has(id));
  if (fresh.length === 0) return draw();
  const all = [...shown.values(), ...fresh].sort((a, b) => a.created_at < b.created_at ? -1 : 1);
  shown.clear();
  for (const each of all.slice(-SHOWN)) shown.set(each.id, each);
  draw();
  $("news").textContent = fresh.map(({ topic, title }) => `${topic}: ${title}`).join(". ");
}

function draw() {
  localStorage.setItem("followed", JSON.stringify([...followed]));
  localStorage.setItem("seen", JSON.stringify(seen));
  localStorage.setItem("shown", JSON.stringify([...shown.values()]));
  $("notifications").replaceChildren(...[...shown.values()].reverse().map(item));
  $("none").hidden = shown.size > 0;
}

/** Everything is inserted as text, never as HTML. */
function item({ topic, level, title, text, created_at }) {
  const made = document.createElement("li");
  made.dataset.level = level;
  const parts = [["span", topic], ["span", level], ["time", time.format(new Date(created_at))]];
  const head = document.createElement("p");
  head.className = "head";
  for (const [tag, content] of parts) {
    const part = document.createElement(tag);
    part.textContent = content;
    if (tag === "time") part.dateTime = created_at;
    else part.className = "tag";
    head.append(part, " ");
  }
  const heading = document.createElement("h3");
  heading.textContent = title;
  made.append(head, heading);
  if (text !== "") {
    const body = document.createElement("p");
    body.textContent = text;
    made.append(body);
  }
  return made;
}

for (const topic of TOPICS) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = followed.has(topic);
  box.addEventListener("change", () => {
    if (box.checked) {
      followed.add(topic);
      draw();
      if (connection.isOpen) follow(topic);
    } else {
      followed.delete(topic);
      unfollow(topic);
    }
  });
  const label = document.createElement("label");
  label.append(box, ` ${topic}`);
  $("topics").append(label);
  $("topic").append(new Option(topic));
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const notification = {
    topic: $("topic").value,
    level: $("level").value,
    title: $("title").value,
  };
  try {
    const response = await fetch("/notifications", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(notification),
    });
    const { error } = await response.json();
    $("answer").textContent = error === undefined ? "Sent." : error.message;
    if (error === undefined) $("title").value = "";
  } catch (error) {
    $("answer").textContent = `Not sent: ${error.message}`;
  }
});
$("curl").textContent = `curl --json '{"topic":"deploys","title":"Version 7 is out"}' ` +
  `${location.origin}/notifications`;
draw();
