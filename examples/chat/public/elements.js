// Creates the elements of the page. Everything is inserted as text, never as HTML.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The element of the page with this id. */
export const $ = (id) => document.getElementById(id);

export function element(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** A time of day, from an ISO 8601 text. */
export function timeElement(at) {
  const time = element("time", clock.format(new Date(at)));
  time.dateTime = at;
  return time;
}

/** The first letter of a name, in a colour that is always the same for that name. */
export function avatar(name) {
  const circle = element("span", ([...name][0] ?? "?").toUpperCase(), "avatar");
  circle.ariaHidden = "true";
  const sum = [...name].reduce((total, letter) => total * 31 + letter.codePointAt(0), 7);
  circle.style.setProperty("--hue", sum % 360);
  return circle;
}

export async function getJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return await response.json();
}
