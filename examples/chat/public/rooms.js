// The list of rooms, with the number of messages that this tab has not read in each of them.

import { $, ask, badge, element } from "./page.js";

const ROOMS = ["lobby", "kitchen", "deliveries"];

/** By room: how many messages it has, and the time of the newest one. */
const known = new Map();
/** By room: how many of them this tab has read. A new tab has read everything. */
const stored = sessionStorage.getItem("read");
const read = new Map(Object.entries(JSON.parse(stored ?? "{}")));
let isFirst = stored === null;

/** The room in the address of the page. */
export function roomInAddress() {
  // Unlike decodeURIComponent, this accepts any text.
  const [text = ""] = new URLSearchParams(location.hash.slice(1)).keys();
  return roomName(text) || ROOMS[0];
}

/** A text as the name of a room; empty where nothing of it can be one. */
export function roomName(text) {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 32);
}

/** Loads how many messages each room has. */
export async function loadRooms(current) {
  for (const { name, messages, newest } of await ask("/rooms")) {
    known.set(name, { messages, newest });
    if (isFirst) read.set(name, messages);
  }
  isFirst = false;
  showRooms(current);
}

/** Counts a message in a room, unless it is among those that were loaded. */
export function countMessage({ room, created_at }, current) {
  const { messages = 0, newest = "" } = known.get(room) ?? {};
  if (created_at <= newest) return;
  known.set(room, { messages: messages + 1, newest: created_at });
  showRooms(current);
}

/** Shows all rooms. The room that is open has been read. */
export function showRooms(current) {
  if (known.has(current)) read.set(current, known.get(current).messages);
  sessionStorage.setItem("read", JSON.stringify(Object.fromEntries(read)));
  const names = [...new Set([...ROOMS, ...[...known.keys()].sort(), current])];
  $("rooms").replaceChildren(...names.map((name) => roomElement(name, name === current)));
  const all = names.reduce((sum, name) => sum + unreadIn(name), 0);
  $("unread").textContent = all || "";
  $("chat-title").textContent = `#${current}`;
  document.title = `${all > 0 ? `(${all}) ` : ""}#${current} · Weir chat`;
}

function roomElement(name, isCurrent) {
  const link = element("a", element("span", `#${name}`));
  link.href = `#${name}`;
  if (isCurrent) link.ariaCurrent = "page";
  const unread = unreadIn(name);
  if (unread > 0) {
    link.append(" ", badge([String(unread), element("span", " unread", "hidden")], "info"));
  }
  return element("li", link);
}

function unreadIn(name) {
  return Math.max(0, (known.get(name)?.messages ?? 0) - (read.get(name) ?? 0));
}

// ── On a narrow screen the list is behind a button ───────────────────────────────────────────────

/** Opens the list, or closes it. */
export function openRooms(isOpen) {
  $("rooms-panel").classList.toggle("open", isOpen);
  $("show-rooms").ariaExpanded = String(isOpen);
  if (isOpen) $("rooms").querySelector("a").focus();
}

$("show-rooms").addEventListener("click", () => {
  openRooms($("show-rooms").ariaExpanded !== "true");
});
$("rooms-panel").addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || $("show-rooms").ariaExpanded !== "true") return;
  openRooms(false);
  $("show-rooms").focus();
});
$("rooms").addEventListener("click", () => openRooms(false));
document.addEventListener("click", ({ target }) => {
  if (!target.closest("#rooms-panel, #show-rooms")) openRooms(false);
});
