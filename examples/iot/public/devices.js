// The cards of the devices: whether each is online, and the newest reading of each of its sensors.

import { $, badge, element } from "./page.js";

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By device: the parts of its card, and the newest reading and the row of each sensor. */
const devices = new Map();

/** The names of the devices that are shown. */
export function shownDevices() {
  return [...devices.keys()];
}

/** Shows a reading, unless a newer one of that sensor is known. */
export function showReading({ device, sensor, value, alarm, at }) {
  const { readings, time, sensors } = cardOf(device);
  const row = sensors.get(sensor) ?? addSensor(readings, sensors, sensor);
  if (row.at >= at) return;
  row.at = at;
  row.figure.textContent = number.format(value);
  // A database without booleans keeps 0 and 1.
  row.item.dataset.alarm = String(Boolean(alarm));
  if (time.dateTime >= at) return;
  time.dateTime = at;
  time.textContent = clock.format(new Date(at));
}

/** Shows whether a device is online. */
export function showOnline(device, isOnline) {
  const { presence } = cardOf(device);
  presence.textContent = isOnline ? "online" : "offline";
  presence.dataset.tone = isOnline ? "success" : "offline";
}

/** Sensors are sorted by name, and so are devices: none moves when a reading arrives. */
function addSensor(readings, sensors, sensor) {
  const figure = element("strong");
  const name = sensor.replaceAll("_", " ");
  const row = {
    item: element("p", [name, " ", figure, " ", badge("out of range", "danger")]),
    figure,
  };
  row.item.dataset.sensor = sensor;
  insertSorted(readings, row.item, "sensor");
  sensors.set(sensor, row);
  return row;
}

function cardOf(device) {
  const known = devices.get(device);
  if (known !== undefined) return known;
  const made = {
    presence: element("span", "", "badge dot"),
    readings: element("div", "", "readings"),
    time: element("time"),
    sensors: new Map(),
  };
  const head = element("div", [element("h3", device), made.presence], "row apart");
  const item = element("li", [head, made.readings, made.time], "panel device");
  item.dataset.device = device;
  insertSorted($("devices"), item, "device");
  $("no-devices").hidden = true;
  devices.set(device, made);
  return made;
}

function insertSorted(list, item, key) {
  const after = [...list.children].find(({ dataset }) => dataset[key] > item.dataset[key]);
  list.insertBefore(item, after ?? null);
}
