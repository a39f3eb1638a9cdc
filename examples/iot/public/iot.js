// The page: devices with their newest readings, alarms, and a form that is a device itself.

import { connect } from "/weir.js";
import { shownDevices, showOnline, showReading } from "./devices.js";
import {
  $,
  answer,
  ask,
  element,
  prepend,
  reasons,
  showCommand,
  showConnection,
  timeElement,
} from "./page.js";

const ALARMS = 50;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

const weir = connect("/ws");
showConnection(weir);
weir.on("message", (data) => {
  if (data.kind === "reading") showReading(data);
  // What has sent a reading is there.
  showOnline(data.device, data.kind !== "offline");
});
weir.on("status", (status) => {
  if (status === "open") load().catch(({ message }) => answer("answer", message, "danger"));
});
weir.join("alarms").then((alarms) => alarms.on("message", showAlarm));

/** Loads the newest readings, and which devices are online. Newer readings stay. */
async function load() {
  const [readings, { devices }] = await Promise.all([ask("/readings"), ask("/online")]);
  readings.forEach(showReading);
  const online = new Set(devices);
  for (const device of new Set([...shownDevices(), ...devices])) {
    showOnline(device, online.has(device));
  }
  $("no-devices").hidden = shownDevices().length > 0;
}

function showAlarm({ device, text, at }) {
  const item = element("li", [timeElement(at, clock), ` ${device}: ${text}`], "alarm");
  prepend($("alarms"), item);
  $("no-alarms").hidden = true;
  while ($("alarms").children.length > ALARMS) $("alarms").lastElementChild.remove();
  $("alarm-count").textContent = $("alarms").children.length;
}

// ── A device ─────────────────────────────────────────────────────────────────────────────────────

/** Connected as the device whose name is in the form; another name is another device. */
let device;

function deviceNamed(name) {
  if (device?.name === name) return device.weir;
  device?.weir.close();
  device = { name, weir: connect(`/devices?device=${encodeURIComponent(name)}`) };
  return device.weir;
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reading = { sensor: $("sensor").value, value: $("value").valueAsNumber };
  answer("answer", "Sending…");
  try {
    await deviceNamed($("device").value).request("reading", reading);
    answer("answer", "Stored.", "success");
  } catch ({ message, details }) {
    answer("answer", ["Not stored:", message, ...reasons(details)].join(" "), "danger");
  }
});
showCommand(`curl --json '{"low":0,"high":30}' ${location.origin}/limits/temperature`);
