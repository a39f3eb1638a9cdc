// @generated from docs/templates/shared/ by `deno task docs`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
  "public/design.css": `/*
 * The design of the pages: names for sizes, spaces and colours, and the parts that pages are made of.
 * A page adds a style sheet of its own for what no other page has, and uses the names from here.
 */

/* ── Names ──────────────────────────────────────────────────────────────────────────────────── */

:root {
  color-scheme: light dark;

  --ground: light-dark(#f3f5f4, #0f1514);
  --surface: light-dark(#ffffff, #18201f);
  --sunken: light-dark(#eaeeed, #212b29);
  --line: light-dark(#d5dcda, #303c39);
  --field-line: light-dark(#7f8d89, #6b7b77);
  --text: light-dark(#17211f, #e4ebe9);
  --soft: light-dark(#52605c, #a3b2ad);
  --accent: light-dark(#0f6b6b, #63c7bd);
  --on-accent: light-dark(#ffffff, #06201e);
  --accent-tint: light-dark(#dcefec, #1d3d3a);

  /* Colours with a meaning. The tint is for areas behind text of the colour. */
  --success: light-dark(#17693c, #6bcf97);
  --success-tint: light-dark(#dcf2e4, #17352a);
  --warning: light-dark(#824c00, #e8b463);
  --warning-tint: light-dark(#fdefd3, #3a2d16);
  --danger: light-dark(#ab241c, #ffa199);
  --danger-tint: light-dark(#fde8e6, #452220);
  --info: light-dark(#1a5a9e, #8abdf5);
  --info-tint: light-dark(#e2eefb, #1b2f47);
  --offline: light-dark(#535b61, #b0b9bf);
  --offline-tint: light-dark(#e6e9eb, #2a3236);

  --text-small: 0.8125rem;
  --text-normal: 0.9375rem;
  --text-large: 1.125rem;
  --text-huge: 2rem;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, monospace;

  --space-1: 0.25rem;
  --space-2: 0.5rem;
  --space-3: 0.75rem;
  --space-4: 1rem;
  --space-5: 1.5rem;
  --space-6: 2.5rem;

  --corner-small: 6px;
  --corner: 10px;
  --corner-large: 14px;
  --round: 999px;
  --control: 2.5rem;
  --shadow: 0 1px 2px rgb(0 0 0 / 6%);
  --shadow-high: 0 8px 30px rgb(0 0 0 / 25%);

  font: var(--text-normal) / 1.5 system-ui, sans-serif;
}

[data-tone="success"] {
  --tone: var(--success);
  --tone-tint: var(--success-tint);
}

[data-tone="warning"] {
  --tone: var(--warning);
  --tone-tint: var(--warning-tint);
}

[data-tone="danger"] {
  --tone: var(--danger);
  --tone-tint: var(--danger-tint);
}

[data-tone="info"] {
  --tone: var(--info);
  --tone-tint: var(--info-tint);
}

[data-tone="offline"] {
  --tone: var(--offline);
  --tone-tint: var(--offline-tint);
}

/* ── Elements ───────────────────────────────────────────────────────────────────────────────── */

*,
*::before,
*::after {
  box-sizing: border-box;
}

:where(body, h1, h2, h3, p, ul, ol, dl, dd, pre, figure, fieldset) {
  margin: 0;
  padding: 0;
}

:where(ul, ol) {
  list-style: none;
}

body {
  background: var(--ground);
  color: var(--text);
}

h1,
h2,
h3 {
  font-size: 1rem;
  font-weight: 650;
  line-height: 1.4;
  overflow-wrap: anywhere;
}

a {
  color: var(--accent);
}

time {
  color: var(--soft);
  font-size: var(--text-small);
  font-variant-numeric: tabular-nums;
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}

[hidden] {
  display: none !important;
}

@media (prefers-reduced-motion: no-preference) {
  html {
    scroll-behavior: smooth;
  }

  button {
    transition: background-color 0.12s;
  }
}

/* ── The frame of a page ────────────────────────────────────────────────────────────────────── */

/* For screen readers alone. */
.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

/* A link that the first press of Tab shows. */
.skip {
  position: absolute;
  top: -4rem;
  left: var(--space-4);
  z-index: 3;
  padding: var(--space-2) var(--space-4);
  border-radius: 0 0 var(--corner) var(--corner);
  background: var(--accent);
  color: var(--on-accent);
}

.skip:focus {
  top: 0;
}

.bar {
  position: sticky;
  top: 0;
  z-index: 2;
  display: flex;
  gap: var(--space-2) var(--space-4);
  align-items: center;
  min-height: 3.5rem;
  padding: var(--space-2) max(var(--space-4), (100vw - 76rem) / 2 + var(--space-4));
  border-bottom: 1px solid var(--line);
  background: var(--surface);
}

.bar h1 {
  display: flex;
  flex: 1;
  gap: var(--space-2);
  align-items: center;
}

.bar img {
  flex: none;
}

.bar h1,
.bar h1 span {
  min-width: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

/* The state of the connection, with a button for another attempt. */
.connection {
  display: flex;
  gap: var(--space-2);
  align-items: center;
}

.connection .badge {
  white-space: normal;
}

@media (max-width: 34rem) {
  .connection .detail {
    display: none;
  }
}

/* Live content on the left, what one can do on the right; one below the other on a narrow screen. */
.page {
  display: grid;
  grid-template-columns: minmax(0, 1fr) 22rem;
  gap: var(--space-5);
  align-items: start;
  max-width: 76rem;
  margin: 0 auto;
  padding: var(--space-5) var(--space-4);
}

.stack {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: var(--space-3);
}

.row {
  display: flex;
  flex-wrap: wrap;
  gap: var(--space-2);
  align-items: center;
}

.row.apart {
  justify-content: space-between;
}

/* A link to what is further down on a narrow screen. */
.jump {
  display: inline-flex;
  gap: var(--space-1);
  align-items: center;
  font-size: var(--text-small);
}

@media (min-width: 56.01rem) {
  .jump {
    display: none;
  }
}

/* The live content fills the first screen, so that nothing jumps when more of it arrives. */
@media (max-width: 56rem) {
  .page {
    grid-template-columns: minmax(0, 1fr);
    padding-top: var(--space-4);
  }

  .page > :first-child {
    align-content: start;
    min-height: calc(100svh - 3.5rem - var(--space-4));
  }
}

/* ── Parts ──────────────────────────────────────────────────────────────────────────────────── */

.panel {
  padding: var(--space-4);
  border: 1px solid var(--line);
  border-radius: var(--corner-large);
  background: var(--surface);
  box-shadow: var(--shadow);
  overflow-wrap: anywhere;
}

.cards {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr));
  gap: var(--space-3);
}

/* A bar in the colour of its tone marks an item. */
.panel[data-tone] {
  position: relative;
}

.panel[data-tone]::before {
  position: absolute;
  inset: var(--space-4) auto var(--space-4) -1px;
  width: 4px;
  border-radius: 0 4px 4px 0;
  background: var(--tone);
  content: "";
}

.hint {
  color: var(--soft);
  font-size: var(--text-small);
}

/* What is shown where there is nothing yet. */
.empty {
  display: grid;
  gap: var(--space-1);
  justify-items: center;
  padding: var(--space-6) var(--space-4);
  border: 1px dashed var(--line);
  border-radius: var(--corner-large);
  color: var(--soft);
  text-align: center;
}

.empty strong {
  color: var(--text);
}

/* A word about something, in the colour of its tone. With a dot it is a state. */
.badge {
  display: inline-flex;
  gap: var(--space-1);
  align-items: center;
  padding: 0.1rem var(--space-2);
  border-radius: var(--round);
  background: var(--tone-tint);
  color: var(--tone);
  font-size: var(--text-small);
  font-weight: 500;
  font-variant-numeric: tabular-nums;
  line-height: 1.5;
  white-space: nowrap;
}

.badge:not([data-tone]) {
  --tone: var(--soft);
  --tone-tint: var(--sunken);
}

.badge.dot::before {
  flex: none;
  width: 0.5rem;
  height: 0.5rem;
  border-radius: 50%;
  background: currentcolor;
  content: "";
}

.badge:empty {
  display: none;
}

/* A sentence about what was done, or could not be. It keeps its line while it is empty. */
.answer {
  min-height: 1.5em;
  color: var(--tone, var(--soft));
  font-size: var(--text-small);
}

.figure {
  color: var(--soft);
}

.figure strong {
  color: var(--text);
  font-size: var(--text-huge);
  font-weight: 650;
  font-variant-numeric: tabular-nums;
  line-height: 1.2;
}

/* A command for a terminal, with a button that copies it. */
.command {
  display: grid;
  gap: var(--space-2);
  justify-items: end;
  padding: var(--space-3);
  border-radius: var(--corner);
  background: var(--sunken);
}

.command pre {
  width: 100%;
  font: var(--text-small) / 1.5 var(--mono);
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

/* ── Fields and buttons ─────────────────────────────────────────────────────────────────────── */

button,
input:not([type="checkbox"], [type="radio"]),
select,
textarea {
  min-width: 0;
  min-height: var(--control);
  padding: 0 var(--space-3);
  border: 1px solid var(--field-line);
  border-radius: var(--corner);
  background: var(--surface);
  color: var(--text);
  font: inherit;
}

/* A smaller text would make a phone zoom in. */
input:not([type="checkbox"], [type="radio"]),
select,
textarea {
  width: 100%;
  font-size: 1rem;
}

textarea {
  padding-block: var(--space-2);
  resize: none;
}

::placeholder {
  color: var(--soft);
  opacity: 1;
}

button {
  flex: none;
  border-color: var(--line);
  font-weight: 500;
  white-space: nowrap;
  cursor: pointer;
}

button:hover:not(:disabled) {
  background: var(--sunken);
}

button:disabled {
  opacity: 0.6;
  cursor: default;
}

button.primary {
  border-color: transparent;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
}

button.primary:hover:not(:disabled) {
  background: color-mix(in srgb, var(--accent), var(--text) 15%);
}

button.quiet {
  min-height: 1.75rem;
  padding: 0 var(--space-2);
  font-size: var(--text-small);
}

.fields {
  display: grid;
  grid-template-columns: repeat(2, minmax(0, 1fr));
  gap: var(--space-3);
  align-items: end;
}

.fields label {
  display: grid;
  gap: var(--space-1);
  color: var(--soft);
  font-size: var(--text-small);
}

.fields .wide {
  grid-column: 1 / -1;
}

/* Choices that can be on or off. */
.choice {
  display: flex;
  gap: var(--space-2);
  align-items: center;
  min-height: var(--control);
  padding: 0 var(--space-3);
  border: 1px solid var(--line);
  border-radius: var(--corner);
  background: var(--surface);
  cursor: pointer;
}

.choice input {
  margin: 0;
  accent-color: var(--accent);
}

dialog {
  width: min(24rem, 100vw - 2 * var(--space-4));
  padding: var(--space-5);
  border: 1px solid var(--line);
  border-radius: var(--corner-large);
  background: var(--surface);
  color: var(--text);
  box-shadow: var(--shadow-high);
}

dialog::backdrop {
  background: rgb(0 0 0 / 45%);
}
`,
  "public/favicon.svg": `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <rect width="32" height="32" rx="8" fill="#0f6b6b" />
  <g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round">
    <path d="M6 11c3.3 0 3.3 3 6.7 3s3.3-3 6.6-3 3.4 3 6.7 3" />
    <path d="M6 19c3.3 0 3.3 3 6.7 3s3.3-3 6.6-3 3.4 3 6.7 3" opacity=".6" />
  </g>
</svg>
`,
  "public/page.js":
    `// What every page needs: elements, times, requests, and the state of the connection. Everything is
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

/** A time of day, from an ISO 8601 text. \`title\` has the date as well. */
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
  list.style.margin = \`\${-moved}px 0 \${moved}px\`;
  list.style.transform = \`translateY(\${moved}px)\`;
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
  const { message = \`The server answered \${response.status}\`, details = [] } = answer.error ?? {};
  throw new Error([message, ...reasons(details)].join(" "));
}

/** What the server says about each field that is not valid. */
export function reasons(details) {
  return Array.isArray(details) ? details.map(({ path, message }) => \`\${path} \${message}\`) : [];
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

/** Shows the state of a connection in the element \`state\`. */
export function showStatus(status, reason) {
  const [tone, word] = STATES[status];
  const words = [element("span", word)];
  if (status === "waiting") {
    const seconds = Math.ceil(reason.retryAfter / 1000);
    words.push(element("span", \`, next try within \${seconds} s\`, "detail"));
  }
  if (status === "closed") words.push(\`: \${reason.message}\`);
  $("state").dataset.tone = tone;
  $("state").replaceChildren(element("span", words));
  $("retry").hidden = status !== "waiting";
}

/** Shows the state of a connection from now on; the button \`retry\` tries to connect at once. */
export function showConnection(weir) {
  weir.on("status", showStatus);
  $("retry").addEventListener("click", () => weir.retry());
}

/** Shows a command, and lets the button \`copy\` copy it where the browser allows that. */
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
`,
};
