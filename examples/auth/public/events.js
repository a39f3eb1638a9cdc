// The list of what happens, newest first.

import { $, badge, element, prepend, timeElement } from "./page.js";

const LONGEST = 100;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Adds an event: a word for it, the tone of the word, and what it is about. */
export function showEvent(word, tone, text) {
  const head = element("div", [badge(word, tone), timeElement(new Date().toISOString(), clock)]);
  head.className = "row apart";
  const item = element("li", [head, element("p", text)], "panel");
  item.dataset.tone = tone;
  prepend($("events"), item);
  $("no-events").hidden = true;
  while ($("events").children.length > LONGEST) $("events").lastElementChild.remove();
}
