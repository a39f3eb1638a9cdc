// The page: one room and its messages. The client library connects again after a cut, joins the room
// again and gets what was missed there.

import { connect } from "/weir.js";
import { goToEnd, insertItem, replaceItem, replaceItems, showNotice } from "./log.js";
import { avatar, messageElement } from "./message.js";
import { loadOrders, showOrder } from "./orders.js";
import { $, ask, showStatus } from "./page.js";
import { createTyping, showPeople } from "./people.js";
import { countMessage, loadRooms, openRooms, roomInAddress, roomName, showRooms } from "./rooms.js";

const BIRDS = ["Heron", "Kingfisher", "Dipper", "Wagtail", "Moorhen", "Grebe", "Teal", "Egret"];
const LOAD_AGAIN_AFTER = 5_000;

/** Kept for this tab only, so that two tabs are two users. */
const userId = sessionStorage.getItem("user_id") ?? newId();
let name = sessionStorage.getItem("name") ?? BIRDS[Math.floor(Math.random() * BIRDS.length)];
let room = roomInAddress();
/** This page's place in the room; undefined until it has joined. */
let place;
/** The room's messages by id, oldest first: { id, author, text, created_at }. */
let messages = new Map();
/** Messages of this tab until they are heard in their room, with { state, problem }. */
const outgoing = new Map();
/** How often a room was entered, and messages were loaded. What an earlier time gets is ignored. */
let entries = 0;
let loads = 0;
const typing = createTyping();

let weir = open();

function open() {
  const client = connect(`/ws?${new URLSearchParams({ user_id: userId, name })}`);
  client.on("message", showOrder);
  client.on("status", (status, reason) => {
    if (client !== weir) return;
    showStatus(status, reason);
    if (status !== "open") return;
    loadOrders().catch(({ message }) => showNotice(`The orders could not be loaded: ${message}`));
  });
  client.join("activity:all").then((activity) => {
    const load = () => loadRooms(room).catch(({ message }) => showNotice(message));
    activity.on("message", (message) => countMessage(message, room));
    activity.on("resync", load);
    load();
  }, () => {}); // The name was changed meanwhile: the next client joins.
  return client;
}

// ── Rooms ────────────────────────────────────────────────────────────────────────────────────────

async function enterRoom() {
  const entry = ++entries;
  showRooms(room);
  try {
    const joined = await weir.join(room, { presence: true });
    if (entry !== entries) return joined.leave();
    place = joined;
    showPeople(joined, userId);
    joined.on("presence", (change) => showPeople(joined, userId, change).forEach(showNotice));
    joined.on("message", hear);
    joined.on("resync", loadMessages);
    joined.on("error", ({ message }) => showNotice(`This room was closed: ${message}`));
    await loadMessages();
  } catch (error) {
    if (entry === entries) showNotice(`This room could not be opened: ${error.message}`);
  }
}

/** Loads the newest messages: at the beginning, and where the server lacks some that were missed. */
async function loadMessages() {
  const load = ++loads;
  messages = new Map();
  try {
    const stored = await ask(`/rooms/${encodeURIComponent(room)}/messages`);
    if (load !== loads) return;
    // What has been heard in the meantime comes after what is stored.
    const all = [...stored, ...messages.values()];
    messages = new Map(all.map((message) => [message.id, message]));
    for (const { id, state } of waiting()) {
      if (messages.has(id) || state === "sent") outgoing.delete(id);
    }
    showMessages();
    $("no-messages").hidden = $("messages").children.length > 0;
  } catch (error) {
    if (load !== loads) return;
    showNotice(`The messages could not be loaded: ${error.message}`);
    setTimeout(() => load === loads && loadMessages(), LOAD_AGAIN_AFTER);
  }
}

function changeRoom() {
  const next = roomInAddress();
  if (next === room) return;
  typing.stop();
  place?.leave();
  place = undefined;
  room = next;
  loads++;
  messages = new Map();
  showPeople({ members: [], count: 0 }, userId);
  showMessages();
  $("no-messages").hidden = true;
  enterRoom();
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

/** Shows a message of the room once, above those that wait to be heard. It may be one of them. */
function hear(message) {
  if (messages.has(message.id)) return;
  messages.set(message.id, message);
  if (outgoing.delete(message.id)) elementOf(message).remove();
  const [next] = waiting();
  show(message, next && elementOf(next));
}

/** Sends a message, however long it takes. It may be sent again, and is stored and heard once. */
async function send(message) {
  const { id, room, text } = message;
  let sender;
  try {
    // Only members may send, and the page may have gone to another room before there is a connection.
    sender = await weir.join(room);
    const options = { retry: true, timeout: Infinity };
    const { created_at } = await weir.request("message", { id, room, text }, options);
    Object.assign(message, { state: "sent", created_at });
  } catch (error) {
    if (error.code === "closed") return send(message); // There is a connection with another name.
    Object.assign(message, { state: "failed", problem: error.message });
  } finally {
    sender?.leave();
  }
  const shown = outgoing.has(id) && elementOf(message);
  if (shown) replaceItem(shown, itemOf(message));
}

function compose(text) {
  const created_at = new Date().toISOString();
  const message = { id: newId(), room, author: name, text, created_at, state: "pending" };
  outgoing.set(message.id, message);
  show(message);
  goToEnd();
  send(message);
}

/** The messages of this tab to the room that have not been heard there yet. */
function waiting() {
  return [...outgoing.values()].filter((message) => message.room === room);
}

function showMessages() {
  replaceItems([...messages.values(), ...waiting()].map(itemOf));
}

function show(message, next) {
  $("no-messages").hidden = true;
  insertItem(itemOf(message), next);
}

function itemOf(message) {
  return messageElement(message, message.author === name, () => {
    message.state = "pending";
    replaceItem(elementOf(message), itemOf(message));
    send(message);
  });
}

function elementOf({ id }) {
  return document.getElementById(`message-${id}`);
}

// ── The rest of the page ─────────────────────────────────────────────────────────────────────────

/** The name is in the address. The new connection is in the room before the old one ends. */
async function changeName(next) {
  name = next;
  sessionStorage.setItem("name", name);
  showName();
  const before = weir;
  weir = open();
  await enterRoom();
  before.close();
}

function showName() {
  $("my-name").replaceChildren(avatar(name), name);
  $("name").value = name;
}

/** `crypto.randomUUID` needs a secure page, which a phone on the local network does not have. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
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
  typing.stop();
  compose(text);
});
$("text").addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("message-form").requestSubmit();
});
$("text").addEventListener(
  "input",
  () => $("text").value === "" ? typing.stop() : typing.goOn(place),
);
onSubmit("room-form", "room", (text) => {
  $("room").value = "";
  if (roomName(text) !== "") location.hash = roomName(text);
  openRooms(false);
});
$("change-name").addEventListener("click", () => $("name-dialog").showModal());
$("cancel-name").addEventListener("click", () => $("name-dialog").close());
onSubmit("name-form", "name", (text) => {
  $("name-dialog").close();
  changeName(text);
  $("text").focus();
});
$("retry").addEventListener("click", () => weir.retry());
addEventListener("hashchange", changeRoom);
addEventListener("pagehide", typing.stop);

sessionStorage.setItem("user_id", userId);
sessionStorage.setItem("name", name);
showName();
enterRoom();
