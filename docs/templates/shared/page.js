// What every page needs: elements, times, requests, and the state of the connection. Everything is
// inserted as text, never as HTML.

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** The element of the page with this id. */
export const $ = (id) => document.getElementById(id);

/** A new element, with text or with other elements in it. */
export function element(tag, content = "", className = "") {
  const made = document.createElement(tag);
  made.append(...[content].flat());
  if (className !== "") made.className = className;
  return made;
}

/** A word in the colour of its tone: success, warning, danger, info or offline. */
export function badge(text, tone) {
  const made = element("span", text, "badge");
  if (tone !== undefined) made.dataset.tone = tone;
  return made;
}

/** A time of day, from an ISO 8601 text. `title` has the date as well. */
export function timeElement(at, format = clock) {
  const date = new Date(at);
  const time = element("time", format.format(date));
  time.dateTime = at;
  time.title = date.toLocaleString();
  return time;
}

/**
 * Inserts an item at the top of a list. A transform moves the others: the layout does not shift. Where
 * the reader has scrolled down, the browser itself keeps what is read in its place.
 */
export function prepend(list, item) {
  const next = list.firstElementChild;
  const before = next?.offsetTop;
  list.prepend(item);
  if (next === null || isScrolled(list)) return;
  const moved = Number(list.dataset.moved ?? 0) + next.offsetTop - before;
  list.dataset.moved = moved;
  list.style.margin = `${-moved}px 0 ${moved}px`;
  list.style.transform = `translateY(${moved}px)`;
}

function isScrolled(element) {
  return element !== null && (element.scrollTop > 0 || isScrolled(element.parentElement));
}

/** The JSON that a path answers with. With a body, it is a POST. Throws what the server refuses. */
export async function ask(path, body) {
  const post = { method: "POST", headers: { "content-type": "application/json" } };
  const request = fetch(path, body && { ...post, body: JSON.stringify(body) });
  const response = await request.catch(() => Promise.reject(Error("The server does not answer.")));
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { message = `The server answered ${response.status}`, details = [] } = answer.error ?? {};
  throw new Error([message, ...reasons(details)].join(" "));
}

/** What the server says about each field that is not valid. */
export function reasons(details) {
  return Array.isArray(details) ? details.map(({ path, message }) => `${path} ${message}`) : [];
}

/** Shows in an element whether something worked. */
export function answer(id, text, tone) {
  $(id).textContent = text;
  $(id).dataset.tone = tone;
}

/** By status of the connection: its tone, and its word. */
const STATES = {
  connecting: ["warning", "Connecting…"],
  open: ["success", "Connected"],
  waiting: ["offline", "Offline"],
  closed: ["danger", "Refused"],
};

/** Shows the state of a connection in the element `state`. */
export function showStatus(status, reason) {
  const [tone, word] = STATES[status];
  const words = [element("span", word)];
  if (status === "waiting") {
    const seconds = Math.ceil(reason.retryAfter / 1000);
    words.push(element("span", `, next try within ${seconds} s`, "detail"));
  }
  if (status === "closed") words.push(`: ${reason.message}`);
  $("state").dataset.tone = tone;
  $("state").replaceChildren(element("span", words));
  $("retry").hidden = status !== "waiting";
}

/** Shows the state of a connection from now on; the button `retry` tries to connect at once. */
export function showConnection(weir) {
  weir.on("status", showStatus);
  $("retry").addEventListener("click", () => weir.retry());
}

/** Shows a command, and lets the button `copy` copy it where the browser allows that. */
export function showCommand(command) {
  $("curl").textContent = command;
  const button = $("copy");
  button.hidden = navigator.clipboard === undefined;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = "Copied";
    setTimeout(() => button.textContent = "Copy", 2000);
  });
}
