// The list of messages. It begins at the bottom and stays at the newest message, unless the user has
// scrolled up; then a button says how many messages are new.

import { $, element } from "./page.js";

/** A message so soon after one of the same author is shown without the name, in milliseconds. */
const SAME_BLOCK = 5 * 60_000;
/** How far from the end the list still counts as being there, in pixels. */
const NEAR = 40;
const DAY = 86_400_000;
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

const log = $("log");
const list = $("messages");
const button = $("newest");
let isAtEnd = true;
let unseen = 0;

/** Shows other items: those of another room, or the same ones loaded again. */
export function replaceItems(items) {
  list.replaceChildren(...items);
  group();
  goToEnd();
}

/** Inserts an item into the list, at its end where `next` is undefined. */
export function insertItem(item, next) {
  list.insertBefore(item, next ?? null);
  if (!isAtEnd && item.matches(".message:not(.own)")) unseen++;
  group();
  settle();
}

/** Shows an item in the place of another one. */
export function replaceItem(before, item) {
  before.replaceWith(item);
  group();
}

/** Shows a sentence between the messages, but not again at each attempt. */
export function showNotice(text) {
  if (list.lastElementChild?.textContent !== text) insertItem(element("li", text, "notice"));
}

/** Scrolls to the newest message. */
export function goToEnd() {
  isAtEnd = true;
  settle();
}

/** Each day begins with its date, and each block of messages of one author with the name. */
function group() {
  let before;
  for (const item of list.querySelectorAll(".message")) {
    const { author, at } = item.dataset;
    const time = new Date(at);
    const isNewDay = before?.time.toDateString() !== time.toDateString();
    const [day] = item.children;
    day.hidden = !isNewDay;
    day.textContent = isNewDay ? dayName(time) : "";
    const follows = !isNewDay && before.author === author && time - before.time < SAME_BLOCK;
    item.classList.toggle("follows", follows);
    before = { author, time };
  }
}

function dayName(time) {
  const days = ["Today", "Yesterday"];
  const index = days.findIndex((_, ago) =>
    new Date(Date.now() - ago * DAY).toDateString() === time.toDateString()
  );
  return days[index] ?? dayFormat.format(time);
}

function settle() {
  // A short list is moved to the bottom. A transform moves it without a layout that shifts.
  const space = Math.max(0, log.clientHeight - list.offsetHeight);
  list.style.transform = `translateY(${space}px)`;
  if (isAtEnd) {
    unseen = 0;
    log.scrollTop = log.scrollHeight;
  }
  button.hidden = unseen === 0;
  button.textContent = unseen === 1 ? "1 new message" : `${unseen} new messages`;
}

log.addEventListener("scroll", () => {
  isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  if (isAtEnd && unseen > 0) settle();
});
button.addEventListener("click", () => {
  goToEnd();
  $("text").focus();
});
const resized = new ResizeObserver(settle);
for (const each of [log, list]) resized.observe(each);
