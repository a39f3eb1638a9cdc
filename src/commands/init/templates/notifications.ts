// @generated from examples/notifications/ by `deno task docs`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
  ".env.example":
    `# Copy this file to .env. Variables that the environment already has are not replaced.

# The port of the page, the WebSocket and the HTTP requests.
PORT=3000

# The SQLite file. A relative path begins at the folder of notifications.hcl.
NOTIFICATIONS_DB=./data/notifications.db
`,
  "README.md": `# Notifications

A program posts a notification about a topic, and all followers of the topic see it at once. It is
stored, and a page loads what it missed after a reconnect. \`notifications.hcl\` is the whole server.
\`public/\` is the page, plain browser code without a library or a build step. \`tests.hcl\` has the
tests.

## Start

With Node 22 (22.21 or later) or Node 24.9 or later:

\`\`\`sh
npm install
npm start         # serves http://localhost:3000 until Ctrl-C
npm run dev       # the same, and restarts when a file of the configuration changes
npm run check     # reports all problems of the configuration
npm test          # runs the tests
\`\`\`

With Deno:

\`\`\`sh
deno task start
deno task dev
deno task check
deno task test
\`\`\`

With Bun:

\`\`\`sh
bun install
bun run start
bun run dev
bun run check
bun run test
\`\`\`

With the executable \`weir\`, which needs no runtime:

\`\`\`sh
weir run --dotenv
weir run --dotenv --watch
weir check --dotenv
weir test --dotenv
\`\`\`

All of them read the environment variables of the file \`.env\`, if it exists. \`.env.example\` has all
variables, with their defaults:

\`\`\`sh
cp .env.example .env
\`\`\`

The package \`@weir/runtime\` contains the documentation: \`README.md\`, and a page for each subject in
\`docs/\`.

## Try

Open <http://localhost:3000>, and post from a terminal:

\`\`\`sh
curl --json '{"topic":"deploys","title":"Version 7 is out"}' http://localhost:3000/notifications
curl --json '{"topic":"billing","title":"A card was refused","level":"urgent","key":"card-77"}' \\
  http://localhost:3000/notifications
\`\`\`

The second request can be repeated safely: the same \`key\` within ten minutes notifies once, and gets
the first answer again. Close the page, post another notification, and open the page: it shows the
notification.

## Change

| change            | how                                                                |
| ----------------- | ------------------------------------------------------------------ |
| the port          | the variable \`PORT\`, 3000 otherwise                                |
| the database      | the variable \`NOTIFICATIONS_DB\`; \`data/notifications.db\` otherwise |
| who may post      | a proxy in front of \`POST /notifications\`                          |
| the page's topics | \`TOPICS\` in \`public/notifications.js\`; the server takes any        |
`,
  "migrations/001_notifications.sql": `-- Every notification, in the order in which they came.
CREATE TABLE notifications (
  position   INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  topic      TEXT NOT NULL,
  level      TEXT NOT NULL,
  title      TEXT NOT NULL,
  text       TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE INDEX notifications_by_topic ON notifications (topic, position);
`,
  "notifications.hcl":
    `# Notifications: a program posts a notification about a topic, and all followers of the topic see it
# at once. It is stored, so that a page can load what it missed while it was offline.
#
# A connector is something that Weir talks to. A flow takes events from one connector and delivers
# them to others. Text in quotes inside a flow is an expression: \`input\` is the event.

# env() reads an environment variable, or returns the default.
constants {
  port   = env("PORT", 3000)
  missed = 50 # notifications of a topic that a page loads after a reconnect
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  static = "./public"
}

# HTTP requests, on the same port. Any program that can reach the port can post. On a public network,
# put an authenticating proxy in front.
connector "api" {
  type = "rest"
  port = constants.port
}

# At the start, the server applies new files in migrations/, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("NOTIFICATIONS_DB", "./data/notifications.db")
  migrations = "./migrations"
}

# ── Posting ──────────────────────────────────────────────────────────────────────────────────────

# The fields of a notification. Any other body is answered with 422 and the list of violations. A
# program that may post the same notification twice adds a key.
type "notification" {
  topic = string({ pattern = "^[a-z0-9-]+$", max_length = 40 })
  title = string({ pattern = "\\\\S", max_length = 120 })
  text  = string({ max_length = 1000, default = "" })
  level = string({ enum = ["info", "warning", "urgent"], default = "info" })
  key   = string({ max_length = 100, required = false })
}

# curl --json '{"topic":"deploys","title":"Version 7 is out"}' http://localhost:3000/notifications
flow "notify" {
  from {
    connector = "api"
    operation = "POST /notifications"
  }
  validate {
    input = "notification"
  }
  transform {
    id         = "uuid()"
    topic      = "input.topic"
    level      = "input.level"
    title      = "input.title"
    text       = "input.text"
    created_at = "now()"
  }

  # The same key within ten minutes is the same notification: the request is answered as the first
  # one was, and the followers are notified once. Without a key, each notification is new.
  dedupe {
    key = "input.key"
    ttl = "10m"
  }

  # Destinations run one after the other, each only after the one before it succeeded.
  to {
    connector = "db"
    target    = "notifications"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.topic"
  }
}

# ── Following ────────────────────────────────────────────────────────────────────────────────────

# To follow a topic, a page joins the room with its name: {"type":"join_room","room":"deploys"}. That
# needs no flow.
#
# {"type":"missed","id":2,"data":{"topic":"deploys","after":"…"}} then loads the notifications after
# the last one that the page has seen, or without \`after\` the newest ones.
type "question" {
  topic = string
  after = string({ required = false })
}

flow "missed" {
  from {
    connector = "ws"
    operation = "missed"
  }

  # \`client\` is the connection that sent the event. Only followers of a topic can load its history;
  # other clients get an error.
  accept {
    when = "input.topic in client.rooms"
  }
  validate {
    input = "question"
  }

  # A step looks something up. Its result is step.NAME; with rows = "all" it is a list of rows.
  step "missed" {
    connector = "db"
    rows      = "all"
    query     = <<-SQL
      SELECT id, topic, level, title, text, created_at
      FROM (
        SELECT * FROM notifications
        WHERE topic = :topic
          AND position > coalesce((SELECT position FROM notifications WHERE id = :after), 0)
        ORDER BY position DESC
        LIMIT :limit
      )
      ORDER BY position
    SQL
    params = {
      topic = "input.topic"
      after = "input.after"
      limit = "constants.missed"
    }
  }

  # The answer to the client: {"type":"ack","id":2,"data":{"notifications":[…]}}
  response {
    notifications = "step.missed"
  }
}
`,
  "public/connection.js":
    `// A WebSocket that reconnects, and requests with exactly one answer. The whole protocol is
// JSON objects in text frames: this file is all that a client needs.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
// A connection that died silently is detected by a ping without an answer.
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;

/** The connection ended before the answer came: whether the request was served is not known. */
export class ConnectionLost extends Error {}

/** The server refused a frame; \`code\` is one of the protocol's. */
export class Refused extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/**
 * Connects, and reconnects while the page is open.
 *
 * \`url()\` returns the address for each attempt. \`onState(state, retryInMs)\` receives "connecting",
 * "open" and "waiting"; \`onMessage(data, room)\` receives the messages of the server.
 */
export class Connection {
  #options;
  #socket;
  #requests = new Map();
  #lastId = 0;
  #failures = 0;
  #retryTimer;
  #pingTimer;

  constructor(options) {
    this.#options = options;
    // When the network is back, or the page is visible again, there is no reason to wait.
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retry();
    });
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a frame; resolves with the data of its ack, rejects with Refused or ConnectionLost. */
  request(frame) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new ConnectionLost("not connected"));
      const id = ++this.#lastId;
      this.#requests.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  /** Connects now, if it was waiting. */
  retry() {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  /** Reconnects to another address. */
  restart() {
    this.#drop();
    this.#failures = 0;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#options.onState("connecting");
    const socket = new WebSocket(this.#options.url());
    socket.onopen = () => {
      this.#failures = 0;
      this.#ping();
      this.#options.onState("open");
    };
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => this.#lost();
    this.#socket = socket;
  }

  #receive({ type, id, data, room, code, message }) {
    const request = this.#requests.get(id);
    if (type === "pong") {
      this.#ping();
    } else if (request !== undefined) {
      this.#requests.delete(id);
      if (type === "ack") request.resolve(data);
      else request.reject(new Refused({ code, message }));
    } else if (type === "message") {
      this.#options.onMessage(data, room);
    }
  }

  /** Sends a ping after a while, and gives the connection up if no answer arrives. */
  #ping() {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => {
      this.#socket.send(JSON.stringify({ type: "ping" }));
      this.#pingTimer = setTimeout(() => this.#lost(), PONG_WITHIN);
    }, PING_EVERY);
  }

  /** Each attempt waits twice as long, with jitter, so that clients do not all reconnect at once. */
  #lost() {
    this.#drop();
    const longest = Math.min(FIRST_DELAY * 2 ** this.#failures++, LONGEST_DELAY);
    const delay = longest * (0.5 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#options.onState("waiting", delay);
  }

  #drop() {
    clearTimeout(this.#pingTimer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(new ConnectionLost("the connection was lost"));
  }
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
  "public/index.html": `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta
      http-equiv="Content-Security-Policy"
      content="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'"
    >
    <title>Weir notifications</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="style.css">
    <script type="module" src="notifications.js"></script>
  </head>
  <body>
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> Weir notifications</h1>
      <p id="state" class="state" role="status" data-state="connecting">Connecting…</p>
    </header>

    <main>
      <section aria-labelledby="topics-title">
        <h2 id="topics-title">Topics that you follow</h2>
        <div id="topics" class="choices" role="group" aria-labelledby="topics-title"></div>
        <ol id="notifications" class="items" aria-label="Notifications, newest first"></ol>
        <p id="none" class="hint">Nothing yet.</p>
        <p id="news" class="hidden" role="status"></p>
      </section>

      <section aria-labelledby="try-title">
        <h2 id="try-title">Send a notification</h2>
        <form id="form" class="fields">
          <label>Topic <select id="topic"></select></label>
          <label>Level <select id="level">
              <option>info</option>
              <option>warning</option>
              <option>urgent</option>
            </select></label>
          <label class="wide">Title <input
            id="title"
            maxlength="120"
            required
            autocomplete="off"
          ></label>
          <button type="submit" class="wide">Send</button>
        </form>
        <p id="answer" class="hint" role="status"></p>
        <p
          class="hint">The same from a terminal, and every page that follows the topic shows it:</p>
        <pre tabindex="0"
          aria-label="Command that sends a notification"><code id="curl"></code></pre>
      </section>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`,
  "public/notifications.js":
    `// The page: topics to follow, and what is new about them. What this browser follows and has seen
// stays in it, so that it asks for no more than it has missed.

import { Connection, ConnectionLost } from "./connection.js";

const TOPICS = ["deploys", "billing", "security"];
const SHOWN = 200;
const $ = (id) => document.getElementById(id);
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const followed = new Set(JSON.parse(localStorage.getItem("followed") ?? '["deploys"]'));
/** By topic: the notification up to which this browser has seen all. */
const seen = JSON.parse(localStorage.getItem("seen") ?? "{}");
/** Topics of this connection whose missed notifications have been loaded. */
const complete = new Set();
/** The notifications on the page, by id. */
const shown = new Map(
  JSON.parse(localStorage.getItem("shown") ?? "[]").map((each) => [each.id, each]),
);

const connection = new Connection({
  url() {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  },
  onState(state, retryInMs) {
    const words = { connecting: "Connecting…", open: "Connected" };
    $("state").dataset.state = state;
    $("state").textContent = words[state] ??
      \`Offline, next try in \${Math.ceil(retryInMs / 1000)} s\`;
    // A new connection is in no room.
    complete.clear();
    if (state === "open") followed.forEach(follow);
  },
  onMessage(notification) {
    const { id, topic } = notification;
    if (complete.has(topic)) seen[topic] = id;
    add([notification]);
  },
});

/** Joins the topic's room, then asks for what came since the last notification that was seen. */
async function follow(topic) {
  try {
    await connection.request({ type: "join_room", room: topic });
    const question = { topic, after: seen[topic] };
    const { notifications } = await connection.request({ type: "missed", data: question });
    complete.add(topic);
    seen[topic] = notifications.at(-1)?.id ?? seen[topic];
    add(notifications);
  } catch (error) {
    // After a reconnect, the page follows the topic again.
    if (!(error instanceof ConnectionLost)) $("answer").textContent = error.message;
  }
}

function unfollow(topic) {
  if (connection.isOpen) connection.request({ type: "leave_room", room: topic }).catch(() => {});
  complete.delete(topic);
  delete seen[topic];
  for (const { id } of [...shown.values()].filter((each) => each.topic === topic)) shown.delete(id);
  draw();
}

function add(notifications) {
  const fresh = notifications.filter(({ id, topic }) => followed.has(topic) && !shown.has(id));
  if (fresh.length === 0) return draw();
  const all = [...shown.values(), ...fresh].sort((a, b) => a.created_at < b.created_at ? -1 : 1);
  shown.clear();
  for (const each of all.slice(-SHOWN)) shown.set(each.id, each);
  draw();
  $("news").textContent = fresh.map(({ topic, title }) => \`\${topic}: \${title}\`).join(". ");
}

function draw() {
  localStorage.setItem("followed", JSON.stringify([...followed]));
  localStorage.setItem("seen", JSON.stringify(seen));
  localStorage.setItem("shown", JSON.stringify([...shown.values()]));
  $("notifications").replaceChildren(...[...shown.values()].reverse().map(item));
  $("none").hidden = shown.size > 0;
}

/** Everything is inserted as text, never as HTML. */
function item({ topic, level, title, text, created_at }) {
  const made = document.createElement("li");
  made.dataset.level = level;
  const parts = [["span", topic], ["span", level], ["time", time.format(new Date(created_at))]];
  const head = document.createElement("p");
  head.className = "head";
  for (const [tag, content] of parts) {
    const part = document.createElement(tag);
    part.textContent = content;
    if (tag === "time") part.dateTime = created_at;
    else part.className = "tag";
    head.append(part, " ");
  }
  const heading = document.createElement("h3");
  heading.textContent = title;
  made.append(head, heading);
  if (text !== "") {
    const body = document.createElement("p");
    body.textContent = text;
    made.append(body);
  }
  return made;
}

for (const topic of TOPICS) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = followed.has(topic);
  box.addEventListener("change", () => {
    if (box.checked) {
      followed.add(topic);
      draw();
      if (connection.isOpen) follow(topic);
    } else {
      followed.delete(topic);
      unfollow(topic);
    }
  });
  const label = document.createElement("label");
  label.append(box, \` \${topic}\`);
  $("topics").append(label);
  $("topic").append(new Option(topic));
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const notification = {
    topic: $("topic").value,
    level: $("level").value,
    title: $("title").value,
  };
  try {
    const response = await fetch("/notifications", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(notification),
    });
    const { error } = await response.json();
    $("answer").textContent = error === undefined ? "Sent." : error.message;
    if (error === undefined) $("title").value = "";
  } catch (error) {
    $("answer").textContent = \`Not sent: \${error.message}\`;
  }
});
$("curl").textContent = \`curl --json '{"topic":"deploys","title":"Version 7 is out"}' \` +
  \`\${location.origin}/notifications\`;
draw();
`,
  "public/style.css": `:root {
  color-scheme: light dark;
  --ground: #f3f5f4;
  --surface: #ffffff;
  --sunken: #eaeeed;
  --line: #d5dcda;
  --text: #17211f;
  --soft: #55635f;
  --accent: #0f6b6b;
  --on-accent: #ffffff;
  --tint: #dcefec;
  --good: #1b7f4b;
  --wait: #9a5b00;
  --bad: #b3261e;
  font: 16px/1.5 system-ui, sans-serif;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1514;
    --surface: #18201f;
    --sunken: #212b29;
    --line: #303c39;
    --text: #e4ebe9;
    --soft: #9fafaa;
    --accent: #63c7bd;
    --on-accent: #06201e;
    --tint: #1d3d3a;
    --good: #6bcf97;
    --wait: #e3ab56;
    --bad: #ff9d94;
  }
}

*,
*::before,
*::after {
  box-sizing: border-box;
}

body,
h1,
h2,
h3,
p,
ul,
ol,
pre {
  margin: 0;
  padding: 0;
}

ul,
ol {
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
}

[hidden] {
  display: none !important;
}

.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}

/* Header */

.bar {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.25rem 1.25rem;
  padding: 0.8rem 1.25rem;
  border-bottom: 1px solid var(--line);
  background: var(--surface);
}

.bar h1 {
  display: flex;
  align-items: center;
  gap: 0.6rem;
}

.state {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  color: var(--soft);
  font-size: 0.9rem;
}

.state::before {
  width: 0.6rem;
  height: 0.6rem;
  border-radius: 50%;
  background: var(--wait);
  content: "";
}

.state[data-state="open"]::before {
  background: var(--good);
}

.state[data-state="waiting"]::before {
  background: var(--bad);
}

/* What is live on the left, the form on the right; one below the other where there is no room */

main {
  display: grid;
  grid-template-columns: minmax(0, 1fr) 22rem;
  gap: 1.5rem;
  align-items: start;
  max-width: 76rem;
  margin: 0 auto;
  padding: 1.25rem;
}

@media (max-width: 56rem) {
  main {
    grid-template-columns: minmax(0, 1fr);
  }
}

section {
  display: grid;
  gap: 0.8rem;
}

main > section + section {
  padding: 1rem 1.1rem;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--surface);
}

.hint {
  color: var(--soft);
  font-size: 0.9rem;
}

.hint:empty {
  display: none;
}

pre {
  padding: 0.7rem;
  border-radius: 10px;
  background: var(--sunken);
  font: 0.8rem/1.5 ui-monospace, monospace;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

time {
  color: var(--soft);
  font-size: 0.82rem;
  font-variant-numeric: tabular-nums;
}

/* Cards with a figure each */

.cards {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr));
  gap: 0.8rem;
}

.cards li {
  display: grid;
  gap: 0.3rem;
  padding: 0.9rem 1.1rem;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--surface);
  overflow-wrap: anywhere;
}

.figure {
  color: var(--soft);
}

.figure strong {
  color: var(--text);
  font-size: 2rem;
  font-weight: 650;
  font-variant-numeric: tabular-nums;
  line-height: 1.2;
}

.cards svg {
  width: 100%;
  height: 3rem;
}

.cards polyline {
  fill: none;
  stroke: var(--accent);
  stroke-width: 2;
  stroke-linejoin: round;
  vector-effect: non-scaling-stroke;
}

.readings p {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  gap: 0 0.75rem;
  padding: 0.2rem 0;
  font-variant-numeric: tabular-nums;
}

.readings [data-alarm="true"] strong {
  color: var(--bad);
}

.readings [data-alarm="true"] strong::after {
  content: " out of range";
  font-size: 0.85rem;
}

/* A list of what has happened */

.items {
  display: grid;
  gap: 0.6rem;
}

.items li {
  padding: 0.7rem 1rem;
  border: 1px solid var(--line);
  border-left: 4px solid var(--accent);
  border-radius: 10px;
  background: var(--surface);
  overflow-wrap: anywhere;
}

.items [data-level="warning"] {
  border-left-color: var(--wait);
}

.items [data-level="urgent"] {
  border-left-color: var(--bad);
}

.head {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.4rem;
}

.tag {
  padding: 0.05rem 0.6rem;
  border-radius: 1rem;
  background: var(--tint);
  color: var(--accent);
  font-size: 0.85rem;
  font-weight: 400;
}

.tag:empty {
  display: none;
}

/* Fields and buttons */

.choices {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
}

.choices label {
  display: flex;
  align-items: center;
  gap: 0.5rem;
  min-height: 2.5rem;
  padding: 0 0.9rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--surface);
  cursor: pointer;
}

.choices input {
  accent-color: var(--accent);
}

.fields {
  display: grid;
  grid-template-columns: repeat(2, minmax(0, 1fr));
  gap: 0.7rem;
  align-items: end;
}

.fields label {
  display: grid;
  gap: 0.2rem;
  color: var(--soft);
  font-size: 0.9rem;
}

.fields .wide {
  grid-column: 1 / -1;
}

.fields input,
.fields select,
.fields button {
  width: 100%;
  min-width: 0;
  min-height: 2.5rem;
  padding: 0 0.75rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--surface);
  color: var(--text);
  font: inherit;
  font-size: 1rem;
}

.fields button {
  border-color: transparent;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
  cursor: pointer;
}

.fields button:hover {
  filter: brightness(1.08);
}
`,
  "tests.hcl":
    `# \`weir test\` runs these tests without a server. The database is in memory, with the migrations
# applied. Steps run in the order written. An expect must find what it names.

test "only followers of a topic are notified" {
  client "ada" { rooms = ["deploys"] }
  client "bob" { rooms = ["billing"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "deploys", title = "Version 7 is out" }
  }

  expect "api" { status = 201 }
  expect "ada" {
    room = "deploys"
    data = { topic = "deploys", level = "info", title = "Version 7 is out" }
  }
  expect "bob" { nothing = true }
}

test "a page that was away gets what it missed" {
  client "ada" { rooms = ["billing"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "deploys", title = "Version 7 is out" }
  }
  expect "ada" { nothing = true }

  given "ada" {
    operation = "join_room"
    room      = "deploys"
  }
  given "ada" {
    operation = "missed"
    id        = 2
    data      = { topic = "deploys" }
  }
  expect "ada" {
    type = "ack"
    id   = 2
    data = { notifications = [{ title = "Version 7 is out" }] }
  }
}

test "only followers of a topic can load its history" {
  client "ada" { rooms = ["deploys"] }

  given "ada" {
    operation = "missed"
    data      = { topic = "security" }
  }

  expect "ada" { error = "rejected" }
}

test "the same key notifies once within ten minutes" {
  client "ada" { rooms = ["billing"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "billing", title = "A card was refused", key = "card-77" }
  }
  expect "ada" { data = { title = "A card was refused" } }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "billing", title = "A card was refused", key = "card-77" }
  }
  expect "api" { status = 201 }
  expect "ada" { nothing = true }

  advance { by = "11m" }
  given "api" {
    operation = "POST /notifications"
    data      = { topic = "billing", title = "A card was refused", key = "card-77" }
  }
  expect "ada" { data = { title = "A card was refused" } }
}

test "an invalid notification is refused" {
  client "ada" { rooms = ["deploys"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "deploys", title = " ", level = "loud" }
  }

  expect "api" {
    status = 422
    data   = { error = { details = [{ path = "title" }, { path = "level" }] } }
  }
  expect "ada" { nothing = true }
  expect "db" { nothing = true }
}
`,
};
