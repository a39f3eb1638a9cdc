// The page: the newest readings of every device, alarms, and a form that is a device itself.

import { Connection, ConnectionLost } from "./connection.js";

const ALARMS = 50;
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By device: its card, and its sensors' newest readings and rows by name. */
const devices = new Map();

const connection = new Connection({
  url: () => address("/ws"),
  onState(state, retryInMs) {
    const words = { connecting: "Connecting…", open: "Live" };
    $("state").dataset.state = state;
    $("state").textContent = words[state] ??
      `Offline, next try in ${Math.ceil(retryInMs / 1000)} s`;
    if (state === "open") load();
  },
  onMessage(data) {
    if (data.kind === "reading") showReading(data);
    else if (data.kind === "alarm") showAlarm(data);
    else showPresence(data);
  },
});

async function load() {
  try {
    await connection.request({ type: "join_room", room: "alarms" });
    const response = await fetch("/readings");
    if (!response.ok) throw new Error(`The server answered ${response.status}`);
    for (const reading of await response.json()) showReading(reading);
  } catch (error) {
    // After a reconnect, everything is loaded again.
    if (!(error instanceof ConnectionLost)) $("answer").textContent = error.message;
  }
}

/** Shows a reading, unless a newer one of that sensor is known. */
function showReading({ device, sensor, value, alarm, at }) {
  const { card, sensors } = deviceOf(device);
  let row = sensors.get(sensor);
  if (row !== undefined && row.at >= at) return;
  if (row === undefined) {
    row = { item: document.createElement("p"), figure: document.createElement("strong") };
    row.item.append(`${sensor.replaceAll("_", " ")} `, row.figure);
    const after = [...sensors].find(([other]) => other > sensor)?.[1].item;
    card.readings.insertBefore(row.item, after ?? null);
    sensors.set(sensor, row);
  }
  row.at = at;
  row.figure.textContent = number.format(value);
  // A database without booleans keeps 0 and 1.
  row.item.dataset.alarm = String(Boolean(alarm));
  card.time.textContent = clock.format(new Date(at));
  card.time.dateTime = at;
}

function showPresence({ kind, device }) {
  const known = devices.get(device);
  if (known === undefined && kind === "offline") return;
  deviceOf(device).card.presence.textContent = kind;
}

/** Cards are sorted by name, so that none moves when a reading arrives. */
function deviceOf(device) {
  const known = devices.get(device);
  if (known !== undefined) return known;
  const card = {
    readings: document.createElement("div"),
    presence: document.createElement("span"),
    time: document.createElement("time"),
  };
  card.readings.className = "readings";
  card.presence.className = "tag";
  const heading = document.createElement("h3");
  heading.append(device, " ", card.presence);
  const item = document.createElement("li");
  item.dataset.device = device;
  item.append(heading, card.readings, card.time);
  const after = [...$("devices").children].find((other) => other.dataset.device > device);
  $("devices").insertBefore(item, after ?? null);
  $("no-devices").hidden = true;
  const made = { card, sensors: new Map() };
  devices.set(device, made);
  return made;
}

function showAlarm({ device, text, at }) {
  const item = document.createElement("li");
  item.dataset.level = "urgent";
  const time = document.createElement("time");
  time.textContent = clock.format(new Date(at));
  time.dateTime = at;
  item.append(time, ` ${device}: ${text}`);
  $("alarms").prepend(item);
  $("no-alarms").hidden = true;
  while ($("alarms").children.length > ALARMS) $("alarms").lastElementChild.remove();
}

function address(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

// ── A device ─────────────────────────────────────────────────────────────────────────────────────

/** Connected as the device whose name is in the form; another name is another device. */
let sender;
let lastId = 0;

function deviceNamed(device) {
  if (sender?.device === device) return sender.connected;
  sender?.socket.close();
  const url = address("/devices");
  url.searchParams.set("device", device);
  const socket = new WebSocket(url);
  const connected = new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onclose = () => {
      if (sender?.socket === socket) sender = undefined;
      reject(new Error("the connection was refused or lost"));
    };
  });
  // The server answers each reading with an ack or an error.
  socket.onmessage = ({ data }) => {
    const { type, message, details } = JSON.parse(data);
    const more = details?.map(({ path, message }) => `${path} ${message}`).join(", ") ?? "";
    $("answer").textContent = type === "ack" ? "Stored." : `${message} ${more}`;
  };
  sender = { device, socket, connected };
  return connected;
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = { sensor: $("sensor").value, value: $("value").valueAsNumber };
  try {
    const socket = await deviceNamed($("device").value);
    socket.send(JSON.stringify({ type: "reading", id: ++lastId, data }));
  } catch (error) {
    $("answer").textContent = `Not sent: ${error.message}`;
  }
});
$("curl").textContent = `curl --json '{"low":0,"high":30}' ${location.origin}/limits/temperature`;
