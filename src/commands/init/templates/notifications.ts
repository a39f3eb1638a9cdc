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
\`public/\` is the page, plain browser code without a build step; it imports Weir's client library
from the server. \`tests.hcl\` has the tests.

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

The page follows all three topics at first. It tells how old each notification is, and which ones
this browser has not read; a button marks one or all of them as read.

The second request can be repeated safely: the same \`key\` within ten minutes notifies once, and gets
the first answer again. Close the page, post another notification, and open the page: it shows the
notification.

## Change

| change            | how                                                                |
| ----------------- | ------------------------------------------------------------------ |
| the port          | the variable \`PORT\`, 3000 otherwise                                |
| the database      | the variable \`NOTIFICATIONS_DB\`; \`data/notifications.db\` otherwise |
| who may post      | a proxy in front of \`POST /notifications\`                          |
| the design        | the colours and sizes at the top of \`public/design.css\`            |
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

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/, and the client
# library that the page imports from /weir.js.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  static = "./public"
  client = "/weir.js"
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
    <link rel="stylesheet" href="design.css">
    <link rel="stylesheet" href="notifications.css">
    <script type="module" src="notifications.js"></script>
  </head>
  <body>
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> <span>Weir notifications</span></h1>
      <div class="connection">
        <p id="state" class="badge dot" role="status" data-tone="warning">Connecting…</p>
        <button id="retry" class="quiet" type="button" hidden>Try now</button>
      </div>
    </header>

    <main class="page">
      <section class="stack" aria-labelledby="topics-title">
        <div class="row apart">
          <h2 id="topics-title">Topics that you follow</h2>
          <a class="jump" href="#try-title">Send one</a>
        </div>
        <div id="topics" class="row" role="group" aria-labelledby="topics-title"></div>
        <div class="row apart">
          <h2>Notifications <span id="unread" class="badge" data-tone="info"></span></h2>
          <button id="read-all" class="quiet" type="button" disabled>Mark all as read</button>
        </div>
        <ol id="notifications" class="stack" aria-label="Notifications, newest first"></ol>
        <p id="none" class="empty" hidden>
          <strong>Nothing yet</strong>
          What programs send about these topics appears here.
        </p>
        <p id="news" class="hidden" role="status"></p>
      </section>

      <section class="panel stack" aria-labelledby="try-title">
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
          <button type="submit" class="primary wide">Send</button>
        </form>
        <p id="answer" class="answer" role="status"></p>
        <p class="hint">
          The same from a terminal, and every page that follows the topic shows it:
        </p>
        <div class="command">
          <pre
            tabindex="0"
            aria-label="Command that sends a notification"
          ><code id="curl"></code></pre>
          <button id="copy" class="quiet" type="button">Copy</button>
        </div>
      </section>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`,
  "public/item.js":
    `// The element of a notification. Its time is told from now, and goes on while the page is open.

import { badge, element } from "./page.js";

const TONES = { info: "info", warning: "warning", urgent: "danger" };
/** The units of times, each with the seconds that it has. */
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const MINUTE = 60_000;
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Makes the element; \`onRead\` is called when the user has read it. */
export function itemOf({ topic, level, title, text, created_at, read }, onRead) {
  const time = element("time");
  time.dateTime = created_at;
  time.title = full.format(new Date(created_at));
  showTime(time);
  const button = element("button", "Mark as read", "quiet");
  button.type = "button";
  button.ariaLabel = \`Mark as read: \${title}\`;
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
`,
  "public/notifications.css": `/* The list of notifications. */

.notification {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto;
  gap: var(--space-1) var(--space-3);
}

.notification > * {
  grid-column: 1 / -1;
}

.notification .row {
  grid-column: 1;
}

.notification button {
  grid-row: 1;
  grid-column: 2;
}

/* What has been read steps back, and keeps its size. */
.notification.read {
  --tone: var(--line);

  background: none;
  box-shadow: none;
}

.notification.read h3 {
  font-weight: 450;
}

.notification.read button {
  visibility: hidden;
}
`,
  "public/notifications.js":
    `// The page: topics to follow, and what is new about them. What this browser follows, has been told and
// has read stays in it, so that it asks for no more than it has missed.

import { connect } from "/weir.js";
import { itemOf } from "./item.js";
import { $, answer, ask, element, prepend, showCommand, showConnection } from "./page.js";

const TOPICS = ["deploys", "billing", "security"];
const SHOWN = 200;

const followed = new Set(stored("followed", TOPICS));
/** By topic: the notification up to which this browser has been told all. */
const seen = stored("seen", {});
/** Topics whose missed notifications have been loaded since the last cut. */
const complete = new Set();
/** The notifications on the page by id, oldest first; what was read has \`read\`. */
const shown = new Map();
/** Their elements. */
const items = new Map();
/** By topic: its room, once it is joined. The client library joins it again after each cut. */
const rooms = new Map();

const weir = connect("/ws");
showConnection(weir);

function stored(key, otherwise) {
  return JSON.parse(localStorage.getItem(key)) ?? otherwise;
}

// ── Topics ───────────────────────────────────────────────────────────────────────────────────────

/** Joins the rooms of topics, then shows what came since the last notifications that were seen. */
async function follow(topics) {
  await Promise.all(topics.map(async (topic) => {
    const joined = weir.join(topic);
    rooms.set(topic, joined);
    try {
      const room = await joined;
      room.on("message", (notification) => {
        if (complete.has(topic)) seen[topic] = notification.id;
        add([notification]);
      });
      // What was missed during a cut is in the database.
      room.on("resync", () => loadMissed([topic]));
    } catch (error) {
      answer("answer", \`\${topic} cannot be followed: \${error.message}\`, "danger");
    }
  }));
  await loadMissed(topics);
}

/** Loads what was missed, and shows it at once: the page does not move with each topic. */
async function loadMissed(topics) {
  const missed = await Promise.all(topics.map(async (topic) => {
    complete.delete(topic);
    try {
      const { notifications } = await weir.request("missed", { topic, after: seen[topic] });
      return [topic, notifications];
    } catch (error) {
      // After a cut, the room tells the page to load again.
      if (error.code !== "disconnected") answer("answer", error.message, "danger");
      return [topic];
    }
  }));
  for (const [topic, notifications] of missed) {
    if (!followed.has(topic) || notifications === undefined) continue;
    complete.add(topic);
    seen[topic] = notifications.at(-1)?.id ?? seen[topic];
  }
  add(missed.flatMap(([, notifications = []]) => notifications));
}

function unfollow(topic) {
  rooms.get(topic).then((room) => room.leave(), () => {});
  complete.delete(topic);
  delete seen[topic];
  for (const { id } of [...shown.values()].filter((each) => each.topic === topic)) drop(id);
  keep();
}

function topicChoice(topic) {
  const box = element("input");
  box.type = "checkbox";
  box.checked = followed.has(topic);
  box.addEventListener("change", () => {
    if (box.checked) {
      followed.add(topic);
      follow([topic]);
    } else {
      followed.delete(topic);
      unfollow(topic);
    }
  });
  return element("label", [box, \` \${topic}\`], "choice");
}

// ── Notifications ────────────────────────────────────────────────────────────────────────────────

function add(notifications) {
  const fresh = notifications.filter(({ id, topic }) => followed.has(topic) && !shown.has(id));
  fresh.sort((a, b) => a.created_at < b.created_at ? -1 : 1).forEach(insert);
  while (shown.size > SHOWN) drop(shown.keys().next().value);
  keep();
  if (fresh.length === 0) return;
  $("news").textContent = fresh.map(({ topic, title }) => \`\${topic}: \${title}\`).join(". ");
}

/** Shows a notification above all that are older. */
function insert(notification) {
  const { id, created_at } = notification;
  const newer = [...shown.values()].filter((each) => each.created_at > created_at);
  newer.forEach((each) => shown.delete(each.id));
  for (const each of [notification, ...newer]) shown.set(each.id, each);
  const item = itemOf(notification, () => markRead([notification]));
  items.set(id, item);
  if (newer.length === 0) prepend($("notifications"), item);
  else items.get(newer[0].id).after(item);
}

function drop(id) {
  shown.delete(id);
  items.get(id).remove();
  items.delete(id);
}

function markRead(notifications) {
  for (const notification of notifications) {
    notification.read = true;
    items.get(notification.id).classList.add("read");
  }
  keep();
}

/** Keeps everything in the browser, and shows how much of it was not read. */
function keep() {
  localStorage.setItem("followed", JSON.stringify([...followed]));
  localStorage.setItem("seen", JSON.stringify(seen));
  localStorage.setItem("shown", JSON.stringify([...shown.values()]));
  const unread = [...shown.values()].filter(({ read }) => !read).length;
  $("unread").textContent = unread === 0 ? "" : \`\${unread} unread\`;
  $("read-all").disabled = unread === 0;
  $("none").hidden = shown.size > 0;
  document.title = \`\${unread === 0 ? "" : \`(\${unread}) \`}Weir notifications\`;
}

// ── The rest of the page ─────────────────────────────────────────────────────────────────────────

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [topic, level, title] = ["topic", "level", "title"].map((id) => $(id).value);
  try {
    await ask("/notifications", { topic, level, title });
    $("title").value = "";
    const isFollowed = followed.has(topic);
    answer(
      "answer",
      isFollowed ? "Sent." : "Sent. This page does not follow the topic.",
      "success",
    );
  } catch ({ message }) {
    answer("answer", message, "danger");
  }
});
$("read-all").addEventListener("click", () => markRead([...shown.values()]));
showCommand(
  \`curl --json '{"topic":"deploys","title":"Version 7 is out"}' \${location.origin}/notifications\`,
);
$("topics").append(...TOPICS.map(topicChoice));
$("topic").append(...TOPICS.map((topic) => new Option(topic)));
stored("shown", []).filter(({ topic }) => followed.has(topic)).forEach(insert);
keep();
follow([...followed]);
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
