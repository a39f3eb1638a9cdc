// The element of a notification. Its time is told from now, and goes on while the page is open.

import { badge, element } from "./page.js";

const TONES = { info: "info", warning: "warning", urgent: "danger" };
/** The units of times, each with the seconds that it has. */
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const MINUTE = 60_000;
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Makes the element; `onRead` is called when the user has read it. */
export function itemOf({ topic, level, title, text, created_at, read }, onRead) {
  const time = element("time");
  time.dateTime = created_at;
  time.title = full.format(new Date(created_at));
  showTime(time);
  const button = element("button", "Mark as read", "quiet");
  button.type = "button";
  button.ariaLabel = `Mark as read: ${title}`;
  button.addEventListener("click", onRead);
  const tone = TONES[level];
  const head = element("p", [badge(topic), " ", badge(level, tone), " ", time], "row");
  const parts = [head, button, element("h3", title)];
  if (text !== "") parts.push(element("p", text));
  const item = element("li", parts, read ? "panel notification read" : "panel notification");
  item.dataset.tone = tone;
  return item;
}

function showTime(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
  time.textContent = unit === undefined
    ? "just now"
    : ago.format(-Math.floor(seconds / size), unit);
}

setInterval(() => document.querySelectorAll(".notification time").forEach(showTime), MINUTE / 2);
