// The page: topics to follow, and what is new about them. What this browser follows, has been told and
// has read stays in it, so that it asks for no more than it has missed.

import { connect } from "/weir.js";
import { itemOf } from "./item.js";
import { $, answer, ask, element, prepend, showCommand, showConnection } from "./page.js";

const TOPICS = ["deploys", "billing", "security"];
const SHOWN = 200;

const followed = new Set(stored("followed", TOPICS));
/** By topic: the notification up to which this browser has been told all. */
const seen = stored("seen", {});
/** Topics whose missed notifications have been loaded since the last cut. */
const complete = new Set();
/** The notifications on the page by id, oldest first; what was read has `read`. */
const shown = new Map();
/** Their elements. */
const items = new Map();
/** By topic: its room, once it is joined. The client library joins it again after each cut. */
const rooms = new Map();

const weir = connect("/ws");
showConnection(weir);

function stored(key, otherwise) {
  return JSON.parse(localStorage.getItem(key)) ?? otherwise;
}

// ── Topics ───────────────────────────────────────────────────────────────────────────────────────

/** Joins the rooms of topics, then shows what came since the last notifications that were seen. */
async function follow(topics) {
  await Promise.all(topics.map(async (topic) => {
    const joined = weir.join(topic);
    rooms.set(topic, joined);
    try {
      const room = await joined;
      room.on("message", (notification) => {
        if (complete.has(topic)) seen[topic] = notification.id;
        add([notification]);
      });
      // What was missed during a cut is in the database.
      room.on("resync", () => loadMissed([topic]));
    } catch (error) {
      answer("answer", `${topic} cannot be followed: ${error.message}`, "danger");
    }
  }));
  await loadMissed(topics);
}

/** Loads what was missed, and shows it at once: the page does not move with each topic. */
async function loadMissed(topics) {
  const missed = await Promise.all(topics.map(async (topic) => {
    complete.delete(topic);
    try {
      const { notifications } = await weir.request("missed", { topic, after: seen[topic] });
      return [topic, notifications];
    } catch (error) {
      // After a cut, the room tells the page to load again.
      if (error.code !== "disconnected") answer("answer", error.message, "danger");
      return [topic];
    }
  }));
  for (const [topic, notifications] of missed) {
    if (!followed.has(topic) || notifications === undefined) continue;
    complete.add(topic);
    seen[topic] = notifications.at(-1)?.id ?? seen[topic];
  }
  add(missed.flatMap(([, notifications = []]) => notifications));
}

function unfollow(topic) {
  rooms.get(topic).then((room) => room.leave(), () => {});
  complete.delete(topic);
  delete seen[topic];
  for (const { id } of [...shown.values()].filter((each) => each.topic === topic)) drop(id);
  keep();
}

function topicChoice(topic) {
  const box = element("input");
  box.type = "checkbox";
  box.checked = followed.has(topic);
  box.addEventListener("change", () => {
    if (box.checked) {
      followed.add(topic);
      follow([topic]);
    } else {
      followed.delete(topic);
      unfollow(topic);
    }
  });
  return element("label", [box, ` ${topic}`], "choice");
}

// ── Notifications ────────────────────────────────────────────────────────────────────────────────

function add(notifications) {
  const fresh = notifications.filter(({ id, topic }) => followed.has(topic) && !shown.has(id));
  fresh.sort((a, b) => a.created_at < b.created_at ? -1 : 1).forEach(insert);
  while (shown.size > SHOWN) drop(shown.keys().next().value);
  keep();
  if (fresh.length === 0) return;
  $("news").textContent = fresh.map(({ topic, title }) => `${topic}: ${title}`).join(". ");
}

/** Shows a notification above all that are older. */
function insert(notification) {
  const { id, created_at } = notification;
  const newer = [...shown.values()].filter((each) => each.created_at > created_at);
  newer.forEach((each) => shown.delete(each.id));
  for (const each of [notification, ...newer]) shown.set(each.id, each);
  const item = itemOf(notification, () => markRead([notification]));
  items.set(id, item);
  if (newer.length === 0) prepend($("notifications"), item);
  else items.get(newer[0].id).after(item);
}

function drop(id) {
  shown.delete(id);
  items.get(id).remove();
  items.delete(id);
}

function markRead(notifications) {
  for (const notification of notifications) {
    notification.read = true;
    items.get(notification.id).classList.add("read");
  }
  keep();
}

/** Keeps everything in the browser, and shows how much of it was not read. */
function keep() {
  localStorage.setItem("followed", JSON.stringify([...followed]));
  localStorage.setItem("seen", JSON.stringify(seen));
  localStorage.setItem("shown", JSON.stringify([...shown.values()]));
  const unread = [...shown.values()].filter(({ read }) => !read).length;
  $("unread").textContent = unread === 0 ? "" : `${unread} unread`;
  $("read-all").disabled = unread === 0;
  $("none").hidden = shown.size > 0;
  document.title = `${unread === 0 ? "" : `(${unread}) `}Weir notifications`;
}

// ── The rest of the page ─────────────────────────────────────────────────────────────────────────

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [topic, level, title] = ["topic", "level", "title"].map((id) => $(id).value);
  try {
    await ask("/notifications", { topic, level, title });
    $("title").value = "";
    const isFollowed = followed.has(topic);
    answer(
      "answer",
      isFollowed ? "Sent." : "Sent. This page does not follow the topic.",
      "success",
    );
  } catch ({ message }) {
    answer("answer", message, "danger");
  }
});
$("read-all").addEventListener("click", () => markRead([...shown.values()]));
showCommand(
  `curl --json '{"topic":"deploys","title":"Version 7 is out"}' ${location.origin}/notifications`,
);
$("topics").append(...TOPICS.map(topicChoice));
$("topic").append(...TOPICS.map((topic) => new Option(topic)));
stored("shown", []).filter(({ topic }) => followed.has(topic)).forEach(insert);
keep();
follow([...followed]);
