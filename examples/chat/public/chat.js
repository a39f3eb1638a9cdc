// The page: rooms, members and messages.

import { Connection, ConnectionLost } from "./connection.js";
import { $, avatar, element, getJson, timeElement } from "./elements.js";
import { loadOrders, showOrder } from "./orders.js";

const ROOMS = ["lobby", "kitchen", "deliveries"];
const BIRDS = ["Heron", "Kingfisher", "Dipper", "Wagtail", "Moorhen", "Grebe", "Teal", "Egret"];
const SAME_BLOCK = 5 * 60_000;

/** Kept for this tab only, so that two tabs are two users. */
let name = sessionStorage.getItem("name") ?? BIRDS[Math.floor(Math.random() * BIRDS.length)];
let room = roomInAddress();
/** This connection, as the server calls it. */
let self;
/** The members of the room, by connection. */
const people = new Map();
/** The room's messages by id, oldest first: { id, author, text, created_at, state, problem }. */
let messages = new Map();
/** Messages of all rooms that the server has not acknowledged yet. */
const unconfirmed = new Map();

const connection = new Connection({
  url() {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("name", name);
    return url;
  },
  onState(state, retryInMs) {
    showState(state, retryInMs);
    people.clear();
    showPeople();
    if (state !== "open") return;
    enterRoom();
    loadOrders().catch((error) => notice(`The orders could not be loaded: ${error.message}`));
  },
  onMessage: receive,
});

// ── Rooms ────────────────────────────────────────────────────────────────────────────────────────

/** Joins the room, then loads its history. */
async function enterRoom() {
  const entered = room;
  showRooms();
  $("messages").setAttribute("aria-busy", "true");
  try {
    ({ who: self } = await connection.request({ type: "join_room", room }));
    const history = await getJson(`/rooms/${encodeURIComponent(room)}/messages`);
    if (entered !== room) return;
    people.set(self, name);
    // What has arrived in the meantime, and what waits to be sent, comes after the history.
    const waiting = [...unconfirmed.values()].filter((message) => message.room === room);
    const all = [...history, ...messages.values(), ...waiting];
    messages = new Map();
    for (const message of all) if (!messages.has(message.id)) messages.set(message.id, message);
    showMessages();
    showPeople();
    for (const message of waiting) if (message.state === "pending") send(message);
  } catch (error) {
    // After a reconnect, the page joins the room again.
    if (error instanceof ConnectionLost || entered !== room) return;
    notice(`This room could not be opened: ${error.message}`);
  } finally {
    if (entered === room) $("messages").removeAttribute("aria-busy");
  }
}

function changeRoom() {
  const next = roomInAddress();
  if (next === room) return;
  if (connection.isOpen) connection.request({ type: "leave_room", room }).catch(ignoreLost);
  room = next;
  messages = new Map();
  people.clear();
  showMessages();
  showPeople();
  enterRoom();
}

function roomInAddress() {
  // Unlike decodeURIComponent, this accepts any text.
  const [text = ""] = new URLSearchParams(location.hash.slice(1)).keys();
  return roomName(text) || ROOMS[0];
}

function roomName(text) {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 32);
}

// ── What the server sends ────────────────────────────────────────────────────────────────────────

function receive(data, from) {
  if (data.kind === "order") {
    showOrder(data);
  } else if ((from ?? data.room) !== room) {
    return; // It was on its way when the room was left.
  } else if (data.kind === "message") {
    if (!messages.has(data.id)) addMessage(data);
  } else if (data.kind === "joined") {
    people.set(data.who, data.name);
    showPeople();
    notice(`${data.name} joined`);
    connection.request({ type: "here", data: { to: data.who, room } }).catch(ignoreLost);
  } else if (data.kind === "here") {
    people.set(data.who, data.name);
    showPeople();
  } else if (data.kind === "left" && people.delete(data.who)) {
    showPeople();
    notice(`${data.name} left`);
  }
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

/** Sends a message; it may be sent again with the same id, and is stored once. */
async function send(message) {
  try {
    const stored = await connection.request({
      type: "message",
      data: { id: message.id, room: message.room, text: message.text },
    });
    unconfirmed.delete(message.id);
    Object.assign(message, { state: "sent", created_at: stored.created_at });
  } catch (error) {
    if (error instanceof ConnectionLost) return; // Still pending: it is sent after the reconnect.
    Object.assign(message, { state: "failed", problem: error.message });
  }
  showMessage(message);
}

function compose(text) {
  const message = {
    id: newId(),
    room,
    author: name,
    text,
    created_at: new Date().toISOString(),
    state: "pending",
  };
  unconfirmed.set(message.id, message);
  addMessage(message);
  $("messages").lastElementChild.scrollIntoView({ block: "end" });
  if (connection.isOpen) send(message);
}

function addMessage(message) {
  messages.set(message.id, message);
  keepingBottom(() => $("messages").append(messageElement(message)));
}

function showMessages() {
  $("messages").replaceChildren();
  for (const message of messages.values()) $("messages").append(messageElement(message));
  $("messages").scrollTop = $("messages").scrollHeight;
}

/** Updates the state of a message that is on the page. */
function showMessage(message) {
  const shown = document.getElementById(`message-${message.id}`);
  if (shown === null) return;
  const follows = shown.classList.contains("follows");
  const updated = messageElement(message);
  updated.classList.toggle("follows", follows);
  keepingBottom(() => shown.replaceWith(updated));
}

function messageElement({ id, author, text, created_at, state, problem }) {
  const head = element("p", "", "head");
  head.append(element("strong", author), " ", timeElement(created_at));
  const item = element("li", "", "message");
  item.id = `message-${id}`;
  item.append(avatar(author), head, element("p", text, "text"));
  item.classList.toggle("own", author === name);
  item.classList.toggle("follows", followsLast(author, created_at));
  Object.assign(item.dataset, { author, at: created_at, ...(state && { state }) });
  if (state === "pending") item.append(element("p", "Sending…", "note"));
  if (state === "failed") {
    const again = element("button", "Send again", "quiet");
    again.type = "button";
    again.onclick = () => {
      const message = unconfirmed.get(id);
      message.state = "pending";
      showMessage(message);
      if (connection.isOpen) send(message);
    };
    const note = element("p", `Not sent: ${problem} `, "note");
    note.append(again);
    item.append(note);
  }
  return item;
}

/** Whether the same author wrote the previous message, so that the name is not repeated. */
function followsLast(author, createdAt) {
  const last = $("messages").lastElementChild?.dataset;
  return last?.author === author && new Date(createdAt) - new Date(last.at) < SAME_BLOCK;
}

function notice(text) {
  keepingBottom(() => $("messages").append(element("li", text, "notice")));
}

/** Scrolls to the newest message, unless the user has scrolled up. */
function keepingBottom(change) {
  const list = $("messages");
  const atBottom = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  change();
  if (atBottom) list.scrollTop = list.scrollHeight;
}

// ── The rest of the page ─────────────────────────────────────────────────────────────────────────

function showState(state, retryInMs) {
  const words = { connecting: "Connecting…", open: "Connected" };
  $("state").dataset.state = state;
  $("state").textContent = words[state] ?? `Offline, next try in ${Math.ceil(retryInMs / 1000)} s`;
  $("retry").hidden = state !== "waiting";
}

function showRooms() {
  document.title = `#${room} · Weir chat`;
  $("chat-title").textContent = `#${room}`;
  const items = [...new Set([...ROOMS, room])].map((each) => {
    const link = element("a", `#${each}`);
    link.href = `#${each}`;
    if (each === room) link.ariaCurrent = "page";
    const item = element("li");
    item.append(link);
    return item;
  });
  $("rooms").replaceChildren(...items);
}

function showPeople() {
  const names = [...new Set(people.values())].sort((a, b) => a.localeCompare(b));
  $("people").textContent = names.length === 0 ? "" : `Here: ${names.join(", ")}`;
}

/** `crypto.randomUUID` needs a secure page, which a phone on the local network does not have. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Leaves and greetings are not retried. */
function ignoreLost(error) {
  if (!(error instanceof ConnectionLost)) notice(error.message);
}

function onSubmit(form, field, act) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $(field).value.trim();
    if (text !== "") act(text);
  });
}

onSubmit("message-form", "text", (text) => {
  $("text").value = "";
  compose(text);
});
onSubmit("room-form", "room", (text) => {
  $("room").value = "";
  if (roomName(text) !== "") location.hash = roomName(text);
});
onSubmit("name-form", "name", (text) => {
  name = text;
  sessionStorage.setItem("name", name);
  connection.restart();
  $("text").focus();
});
$("retry").addEventListener("click", () => connection.retry());
addEventListener("hashchange", changeRoom);

sessionStorage.setItem("name", name);
$("name").value = name;
