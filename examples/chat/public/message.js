// The elements of a message and of a notice. Text is inserted as text; only links become elements.

import { element, timeElement } from "./page.js";

/** An address in a text, without what ends a sentence or a bracket around it. */
const LINK = /\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,:;!?()[\]{}]\/?/giu;

/** The element of a message; `again` is called to send one that has failed another time. */
export function messageElement({ id, author, text, created_at, state, problem }, isOwn, again) {
  const head = element("p", [element("strong", author), " ", timeElement(created_at)], "head");
  const day = element("p", "", "day");
  day.hidden = true;
  const item = element("li", [day, avatar(author), head, element("p", withLinks(text), "text")]);
  item.id = `message-${id}`;
  item.className = isOwn ? "message own" : "message";
  Object.assign(item.dataset, { author, at: created_at, ...(state && { state }) });
  if (state === "pending") item.append(element("p", "Sending…", "note"));
  if (state === "failed") {
    const button = element("button", "Send again", "quiet");
    button.type = "button";
    button.addEventListener("click", again);
    item.append(element("p", [`Not sent: ${problem} `, button], "note"));
  }
  return item;
}

/** The first letter of a name, in a colour that is always the same for that name. */
export function avatar(name) {
  const circle = element("span", ([...name][0] ?? "?").toUpperCase(), "avatar");
  circle.ariaHidden = "true";
  const sum = [...name].reduce((total, letter) => total * 31 + letter.codePointAt(0), 7);
  circle.style.setProperty("--hue", sum % 360);
  return circle;
}

/** A text as nodes: its addresses are links, which open in a tab that knows nothing of this page. */
function withLinks(text) {
  const nodes = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(LINK)) {
    if (!URL.canParse(address)) continue;
    const link = element("a", address);
    Object.assign(link, { href: address, target: "_blank", rel: "noopener noreferrer nofollow" });
    nodes.push(text.slice(end, index), link);
    end = index + address.length;
  }
  return [...nodes, text.slice(end)];
}
