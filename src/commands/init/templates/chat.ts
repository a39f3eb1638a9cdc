// @generated from examples/chat/ by `deno task docs`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
  ".env.example":
    `# Copy this file to .env. Variables that the environment already has are not replaced.

# The port of the page, the WebSocket and the HTTP requests.
PORT=3000

# The SQLite file. A relative path begins at the folder of chat.hcl.
CHAT_DB=./data/chat.db
`,
  "README.md": `# Chat

A chat with rooms, history, presence, and a live feed of orders. After a cut of the network it loses
nothing. It needs one port and one SQLite file, and no broker. \`chat.hcl\` is the whole server; read
it from top to bottom as an introduction to the language. \`public/\` is the page, plain browser code
without a build step; it imports Weir's client library from the server. \`tests.hcl\` has the tests.

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

Open <http://localhost:3000> in two tabs: each tab is a separate user. Then, in a terminal:

\`\`\`sh
curl --json '{"id":"A17","status":"packed"}' http://localhost:3000/orders
\`\`\`

Both tabs show the order at once. In the page:

- The list stays at the newest message. If you scroll up, it stays where you are, and a button says
  how many messages are new.
- Enter sends a message, and Shift+Enter begins a new line. Addresses become links.
- The list of rooms tells how many messages this tab has not read in each room, and the line below
  the messages says that others are typing.
- The button with your name changes it. On a phone the rooms are behind the button "Rooms".

Stop the server with Ctrl-C, write a message, and start the server again: the page reconnects and
sends the message, and all earlier messages are still there.

In the developer tools of one tab, set the network to "Offline" for less than 30 seconds, and write
messages in both tabs. Then set it back: nothing is missing, each message is there once, and the
other tab never showed that anyone was away. A tab that is closed leaves the room after these 30
seconds, since the server cannot know that it is not a reload.

## People, and what was missed

The block \`room\` in \`chat.hcl\` says what the server does for the rooms. With \`presence\` it tells the
pages the members of a room. With \`history\` it keeps the newest messages of a room, and a page that
comes back gets those that it missed. With \`data\` a member tells something of itself, here whether
it is typing. After a restart, or a cut that was too long, the page loads the list of messages as at
its first visit.

Every page is also in the room \`activity:all\`, to which the flow \`say\` sends the room and the time
of each message. From this and from \`GET /rooms\` the page knows what was not read elsewhere.

Each tab is a user: it makes a random id, and sends it in the address of its connection. There is no
auth, so anybody can send any id and any name. \`weir check\` and each start warn of that, with
\`unverified-user\`, until the connector has an \`auth\` block.

## Change

| change        | how                                                                       |
| ------------- | ------------------------------------------------------------------------- |
| the port      | the variable \`PORT\`, 3000 otherwise                                       |
| the database  | the variable \`CHAT_DB\`; \`data/chat.db\` otherwise                          |
| the time away | \`leave_grace\` in the block \`presence\`; \`size\` and \`ttl\` in \`history\`      |
| the design    | the colours and sizes at the top of \`public/design.css\`                   |
| the broker    | \`driver = "rabbitmq"\` and a \`url\` in the connector \`events\`, nothing else |
`,
  "chat.hcl":
    `# A chat with rooms, and a live feed of orders: one port, one database, one broker, one page.
#
# A configuration has two kinds of parts. A connector is something that Weir talks to. A flow takes
# events from one connector and delivers them to others. The rest of this file repeats that idea
# six times.

# env() reads an environment variable, or returns the default.
constants {
  port    = env("PORT", 3000)
  history = 50 # messages of a room that a page loads
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/, and the client
# library that the page imports from /weir.js.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "./public"
  client = "/weir.js"

  # What holds for the rooms whose name matches the pattern, here for all.
  room "*" {
    # Pages are told the members of their room, and every change. A page whose network was away for
    # less than leave_grace keeps its place. \`weir check\` warns, rightly: without an auth block, a
    # client can claim to be anybody.
    presence {
      info        = "{'name': substring(default(client.params.name, 'guest'), 0, 40)}"
      leave_grace = "30s"
      data        = "doing"
    }

    # The newest messages of each room are kept for pages that come back after a cut: they get what
    # they have missed.
    history {
      size = 100
      ttl  = "10m"
    }
  }
}

# HTTP requests, here on the port of the WebSocket. A connector can also have its own port.
connector "api" {
  type = "rest"
  port = constants.port
}

# Paths are relative to this file. At the start, the server applies new files in migrations/, each
# once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("CHAT_DB", "./data/chat.db")
  migrations = "./migrations"
}

# A broker inside the process. With driver = "rabbitmq" and a url, the flows below stay as they are.
connector "events" {
  type   = "mq"
  driver = "memory"
}

# ── Chat ─────────────────────────────────────────────────────────────────────────────────────────

# What a page tells the others of its user.
type "doing" {
  typing = boolean
}

# A browser sends {"type":"message","id":1,"data":{"id":"…","room":"lobby","text":"Hello"}}. Its data
# must have these fields, and no others. The page can repeat a message with the same id.
type "message" {
  id   = string({ min_length = 1, max_length = 64 })
  room = string
  text = string({ pattern = "\\\\S", max_length = 2000 })
}

# From here on, text in quotes is an expression: \`input\` is the event, and \`client\` is the connection
# that sent it.
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }

  # Only members of the room may send to it, and only valid messages. Otherwise the sender gets an
  # error.
  accept {
    when = "input.room in client.rooms"
  }
  validate {
    input = "message"
  }

  # The payload for the destinations, line by line. The name comes from the query of the connection's
  # address and is not verified, so it is only displayed. With an auth block, it could come from a
  # token.
  transform {
    kind       = "'message'"
    id         = "input.id"
    room       = "input.room"
    author     = "substring(default(client.params.name, 'guest'), 0, 40)"
    text       = "trim(input.text)"
    created_at = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: clients see
  # only stored messages. Values are bound to the names in the statement. A message that is sent
  # again, because its ack was lost, is stored once, and its message_id keeps the room from hearing
  # it twice. The sender hears it as well: all members see the messages in the same order.
  to {
    connector = "db"
    query     = <<-SQL
      INSERT INTO messages (id, room, author, text, created_at)
      VALUES (:id, :room, :author, :text, :created_at)
      ON CONFLICT (id) DO UPDATE SET id = id
      RETURNING created_at
    SQL
  }
  to {
    connector  = "ws"
    operation  = "send_to_room"
    target     = "input.room"
    message_id = "input.id"
  }

  # Pages are in this room, too: they count what they have not read in the other rooms.
  to {
    connector  = "ws"
    operation  = "send_to_room"
    target     = "'activity:all'"
    message_id = "input.id"
    transform {
      room       = "output.room"
      created_at = "output.created_at"
    }
  }

  # The answer to the sender: {"type":"ack","id":1,"data":{"created_at":"…"}}.
  # \`output\` is the result of the first destination, here a list of rows.
  response {
    created_at = "first(output).created_at"
  }
}

# The last messages of a room: GET /rooms/lobby/messages. A page asks when it opens the room, and after
# a cut that was longer than what \`history\` keeps.
#
# A flow without a response answers with the result of its first destination, here the rows.
flow "history" {
  from {
    connector = "api"
    operation = "GET /rooms/:room/messages"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT id, room, author, text, created_at
      FROM (SELECT * FROM messages WHERE room = :room ORDER BY position DESC LIMIT :limit)
      ORDER BY position
    SQL
    params = {
      limit = "constants.history"
    }
  }
}

# The rooms in which something was said last: how often, and when. A page counts on from there.
flow "rooms" {
  from {
    connector = "api"
    operation = "GET /rooms"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT room AS name, count(*) AS messages, max(created_at) AS newest
      FROM messages GROUP BY room ORDER BY newest DESC LIMIT 100
    SQL
  }
}

# ── Orders ───────────────────────────────────────────────────────────────────────────────────────

# curl --json '{"id":"A17","status":"packed"}' http://localhost:3000/orders
type "order" {
  id     = id
  status = string({ min_length = 1, max_length = 64 })
}

flow "update_order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  validate {
    input = "order"
  }
  transform {
    id         = "string(input.id)"
    status     = "input.status"
    updated_at = "now()"
  }
  # The target is a table: the fields of the payload are its columns.
  to {
    connector = "db"
    target    = "orders"
    operation = "UPSERT"
    key       = "id"
  }
  # For a broker, the target is a routing key.
  to {
    connector = "events"
    target    = "order.updated"
  }
}

# Every client gets order.updated, from this service or, with a real broker, from any program.
flow "live_orders" {
  from {
    connector = "events"
    operation = "order.updated"
  }
  transform {
    kind       = "'order'"
    id         = "input.id"
    status     = "input.status"
    updated_at = "input.updated_at"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

flow "orders" {
  from {
    connector = "api"
    operation = "GET /orders"
  }
  to {
    connector = "db"
    query     = "SELECT id, status, updated_at FROM orders ORDER BY updated_at DESC LIMIT 20"
  }
}
`,
  "migrations/001_messages.sql":
    `-- What was said, in the order in which it was said. A client chooses the id of its message, so that
-- it can send a message again whose ack got lost and nothing is stored twice.
CREATE TABLE messages (
  position   INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  room       TEXT NOT NULL,
  author     TEXT NOT NULL,
  text       TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
  created_at TEXT NOT NULL
);

CREATE INDEX messages_by_room ON messages (room, position);
`,
  "migrations/002_orders.sql": `-- The newest state of every order.
CREATE TABLE orders (
  id         TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 64),
  status     TEXT NOT NULL CHECK (length(status) BETWEEN 1 AND 64),
  updated_at TEXT NOT NULL
);
`,
  "public/chat.css":
    `/* The chat: rooms on the left, messages in the middle, orders on the right. */

body {
  display: grid;
  grid-template-rows: auto minmax(0, 1fr);
  grid-template-columns: minmax(0, 1fr);
  height: 100vh;
  height: 100dvh;
}

.bar {
  padding-inline: max(var(--space-4), (100vw - 84rem) / 2 + var(--space-4));
}

main {
  display: grid;
  grid-template-rows: minmax(0, 1fr);
  grid-template-columns: 13rem minmax(0, 1fr) 20rem;
  gap: var(--space-4);
  width: 100%;
  max-width: 84rem;
  margin: 0 auto;
  padding: var(--space-4);
}

.row.end {
  justify-content: flex-end;
}

#change-name {
  max-width: 14rem;
  overflow: hidden;
  padding-inline: var(--space-1) var(--space-3);
  text-overflow: ellipsis;
}

#my-name {
  display: flex;
  gap: var(--space-2);
  align-items: center;
}

/* The first letter of a name, in a colour of that name. */
.avatar {
  display: grid;
  flex: none;
  place-content: center;
  width: 2rem;
  height: 2rem;
  border-radius: 50%;
  background: light-dark(hsl(var(--hue) 42% 87%), hsl(var(--hue) 30% 26%));
  color: light-dark(hsl(var(--hue) 60% 22%), hsl(var(--hue) 60% 85%));
  font-weight: 650;
}

/* ── Rooms ──────────────────────────────────────────────────────────────────────────────────── */

.rooms {
  overflow-y: auto;
}

.rooms h2 {
  margin: var(--space-2) var(--space-3);
  color: var(--soft);
  font-size: var(--text-small);
}

.rooms ul {
  display: grid;
  gap: 2px;
  margin-bottom: var(--space-4);
}

.rooms a {
  display: flex;
  gap: var(--space-2);
  align-items: center;
  min-height: 2.25rem;
  padding: 0 var(--space-3);
  border-radius: var(--corner);
  color: inherit;
  text-decoration: none;
}

.rooms a > :first-child {
  flex: 1;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.rooms a:hover {
  background: var(--sunken);
}

.rooms a[aria-current] {
  background: var(--accent-tint);
  color: var(--accent);
  font-weight: 600;
}

.rooms form {
  display: flex;
  gap: var(--space-2);
  padding: 2px;
}

/* ── Messages ───────────────────────────────────────────────────────────────────────────────── */

.chat {
  display: grid;
  grid-template-rows: auto minmax(0, 1fr) auto auto;
  grid-template-columns: minmax(0, 1fr);
  border: 1px solid var(--line);
  border-radius: var(--corner-large);
  background: var(--surface);
  box-shadow: var(--shadow);
}

.chat-head {
  display: flex;
  gap: var(--space-3);
  align-items: center;
  height: 3rem;
  padding: 0 var(--space-4);
  border-bottom: 1px solid var(--line);
}

.chat-head h2 {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.chat-head p {
  flex: 1 9999 0;
  overflow: hidden;
  color: var(--soft);
  font-size: var(--text-small);
  text-overflow: ellipsis;
  white-space: nowrap;
}

#show-rooms {
  display: none;
  flex: none;
}

.stage {
  position: relative;
  display: grid;
  min-height: 0;
}

.log {
  min-height: 0;
  overflow-y: auto;
  overscroll-behavior: contain;
}

.log ol {
  padding: var(--space-1) var(--space-4) var(--space-3);
}

.log:focus-visible {
  outline-offset: -2px;
}

#no-messages {
  position: absolute;
  inset: auto 0 var(--space-5);
  text-align: center;
}

#newest {
  position: absolute;
  bottom: var(--space-3);
  left: 50%;
  min-height: 2.25rem;
  border-radius: var(--round);
  font-size: var(--text-small);
  box-shadow: var(--shadow-high);
  transform: translateX(-50%);
}

.message {
  display: grid;
  grid-template-columns: 2rem minmax(0, max-content);
  column-gap: var(--space-3);
  margin-top: var(--space-3);
}

.message > * {
  grid-column: 2;
}

/* The first row is for the day, where one begins. */
.message .avatar {
  grid-row: 2 / span 2;
  grid-column: 1;
}

.message .text {
  grid-row: 3;
}

.message .note {
  grid-row: 4;
}

.message .head {
  grid-row: 2;
  font-size: var(--text-small);
  overflow-wrap: anywhere;
}

.message .text {
  justify-self: start;
  padding: var(--space-1) var(--space-3);
  border-radius: var(--corner-small) var(--corner-large) var(--corner-large) var(--corner-large);
  background: var(--sunken);
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

.message.own .text {
  background: var(--accent-tint);
}

.message.follows {
  margin-top: var(--space-1);
}

.message.follows .head,
.message.follows .avatar {
  display: none;
}

.message[data-state="pending"] .text {
  color: var(--soft);
}

.message[data-state="failed"] .text {
  outline: 1px solid var(--danger);
}

.message .note {
  margin-top: var(--space-1);
  color: var(--soft);
  font-size: var(--text-small);
}

.message[data-state="failed"] .note {
  color: var(--danger);
}

.notice,
.message .day {
  color: var(--soft);
  font-size: var(--text-small);
  text-align: center;
}

.notice {
  margin-top: var(--space-3);
}

.message .day {
  display: grid;
  grid-template-columns: 1fr auto 1fr;
  grid-column: 1 / -1;
  gap: var(--space-3);
  align-items: center;
  justify-self: stretch;
  margin-bottom: var(--space-3);
}

.message:has(.day:not([hidden])) {
  grid-template-columns: 2rem minmax(0, 1fr);
}

.message .day::before,
.message .day::after {
  border-top: 1px solid var(--line);
  content: "";
}

#typing {
  height: 1.5rem;
  overflow: hidden;
  padding: 0 var(--space-4);
  text-overflow: ellipsis;
  white-space: nowrap;
}

.composer {
  display: flex;
  gap: var(--space-2);
  align-items: flex-end;
  padding: var(--space-1) var(--space-3) var(--space-3);
}

.composer textarea {
  flex: 1;
  max-height: 9rem;
  field-sizing: content;
}

/* ── Orders ─────────────────────────────────────────────────────────────────────────────────── */

.orders {
  align-self: start;
  max-height: 100%;
  overflow-y: auto;
  padding: var(--space-3) var(--space-4);
  border: 1px solid var(--line);
  border-radius: var(--corner-large);
  background: var(--surface);
  box-shadow: var(--shadow);
}

.orders summary {
  display: flex;
  gap: var(--space-2);
  align-items: center;
  border-radius: var(--corner-small);
  cursor: pointer;
  list-style: none;
}

.orders summary::-webkit-details-marker {
  display: none;
}

.orders summary::after {
  width: 0.5rem;
  height: 0.5rem;
  margin: -0.25rem 0.25rem 0 auto;
  border: solid var(--soft);
  border-width: 0 2px 2px 0;
  content: "";
  transform: rotate(45deg);
}

.orders[open] summary::after {
  margin-top: 0.25rem;
  transform: rotate(225deg);
}

.orders .hint {
  margin: var(--space-3) 0 var(--space-2);
}

.orders li {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto auto;
  gap: var(--space-3);
  align-items: baseline;
  padding: var(--space-2) 0;
  border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere;
}

.orders li:last-child {
  border-bottom: 0;
}

/* ── Narrower: rooms behind a button, orders in one line until somebody opens them ──────────── */

@media (max-width: 59.99rem) {
  main {
    position: relative;
    grid-template-rows: minmax(0, 1fr) auto;
    grid-template-columns: minmax(0, 1fr);
    gap: 0;
    padding: 0;
  }

  .chat,
  .orders {
    border-width: 0 0 1px;
    border-radius: 0;
    box-shadow: none;
  }

  .orders {
    max-height: 45vh;
  }

  #show-rooms {
    display: inline-flex;
    gap: var(--space-1);
    align-items: center;
  }

  .rooms {
    position: absolute;
    top: 3rem;
    left: var(--space-3);
    z-index: 1;
    display: none;
    width: min(18rem, 100% - 2 * var(--space-3));
    max-height: calc(100% - 4rem);
    padding: var(--space-2);
    border: 1px solid var(--line);
    border-radius: var(--corner-large);
    background: var(--surface);
    box-shadow: var(--shadow-high);
  }

  .rooms.open {
    display: block;
  }
}

@media (max-width: 34rem) {
  #change-name {
    max-width: 2.5rem;
    padding: 0 3px;
    border-color: transparent;
  }

  #my-name {
    gap: 0.75rem;
  }
}
`,
  "public/chat.js":
    `// The page: one room and its messages. The client library connects again after a cut, joins the room
// again and gets what was missed there.

import { connect } from "/weir.js";
import { goToEnd, insertItem, replaceItem, replaceItems, showNotice } from "./log.js";
import { avatar, messageElement } from "./message.js";
import { loadOrders, showOrder } from "./orders.js";
import { $, ask, showStatus } from "./page.js";
import { createTyping, showPeople } from "./people.js";
import { countMessage, loadRooms, openRooms, roomInAddress, roomName, showRooms } from "./rooms.js";

const BIRDS = ["Heron", "Kingfisher", "Dipper", "Wagtail", "Moorhen", "Grebe", "Teal", "Egret"];
const LOAD_AGAIN_AFTER = 5_000;

/** Kept for this tab only, so that two tabs are two users. */
const userId = sessionStorage.getItem("user_id") ?? newId();
let name = sessionStorage.getItem("name") ?? BIRDS[Math.floor(Math.random() * BIRDS.length)];
let room = roomInAddress();
/** This page's place in the room; undefined until it has joined. */
let place;
/** The room's messages by id, oldest first: { id, author, text, created_at }. */
let messages = new Map();
/** Messages of this tab until they are heard in their room, with { state, problem }. */
const outgoing = new Map();
/** How often a room was entered, and messages were loaded. What an earlier time gets is ignored. */
let entries = 0;
let loads = 0;
const typing = createTyping();

let weir = open();

function open() {
  const client = connect(\`/ws?\${new URLSearchParams({ user_id: userId, name })}\`);
  client.on("message", showOrder);
  client.on("status", (status, reason) => {
    if (client !== weir) return;
    showStatus(status, reason);
    if (status !== "open") return;
    loadOrders().catch(({ message }) => showNotice(\`The orders could not be loaded: \${message}\`));
  });
  client.join("activity:all").then((activity) => {
    const load = () => loadRooms(room).catch(({ message }) => showNotice(message));
    activity.on("message", (message) => countMessage(message, room));
    activity.on("resync", load);
    load();
  }, () => {}); // The name was changed meanwhile: the next client joins.
  return client;
}

// ── Rooms ────────────────────────────────────────────────────────────────────────────────────────

async function enterRoom() {
  const entry = ++entries;
  showRooms(room);
  try {
    const joined = await weir.join(room, { presence: true });
    if (entry !== entries) return joined.leave();
    place = joined;
    showPeople(joined, userId);
    joined.on("presence", (change) => showPeople(joined, userId, change).forEach(showNotice));
    joined.on("message", hear);
    joined.on("resync", loadMessages);
    joined.on("error", ({ message }) => showNotice(\`This room was closed: \${message}\`));
    await loadMessages();
  } catch (error) {
    if (entry === entries) showNotice(\`This room could not be opened: \${error.message}\`);
  }
}

/** Loads the newest messages: at the beginning, and where the server lacks some that were missed. */
async function loadMessages() {
  const load = ++loads;
  messages = new Map();
  try {
    const stored = await ask(\`/rooms/\${encodeURIComponent(room)}/messages\`);
    if (load !== loads) return;
    // What has been heard in the meantime comes after what is stored.
    const all = [...stored, ...messages.values()];
    messages = new Map(all.map((message) => [message.id, message]));
    for (const { id, state } of waiting()) {
      if (messages.has(id) || state === "sent") outgoing.delete(id);
    }
    showMessages();
    $("no-messages").hidden = $("messages").children.length > 0;
  } catch (error) {
    if (load !== loads) return;
    showNotice(\`The messages could not be loaded: \${error.message}\`);
    setTimeout(() => load === loads && loadMessages(), LOAD_AGAIN_AFTER);
  }
}

function changeRoom() {
  const next = roomInAddress();
  if (next === room) return;
  typing.stop();
  place?.leave();
  place = undefined;
  room = next;
  loads++;
  messages = new Map();
  showPeople({ members: [], count: 0 }, userId);
  showMessages();
  $("no-messages").hidden = true;
  enterRoom();
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

/** Shows a message of the room once, above those that wait to be heard. It may be one of them. */
function hear(message) {
  if (messages.has(message.id)) return;
  messages.set(message.id, message);
  if (outgoing.delete(message.id)) elementOf(message).remove();
  const [next] = waiting();
  show(message, next && elementOf(next));
}

/** Sends a message, however long it takes. It may be sent again, and is stored and heard once. */
async function send(message) {
  const { id, room, text } = message;
  let sender;
  try {
    // Only members may send, and the page may have gone to another room before there is a connection.
    sender = await weir.join(room);
    const options = { retry: true, timeout: Infinity };
    const { created_at } = await weir.request("message", { id, room, text }, options);
    Object.assign(message, { state: "sent", created_at });
  } catch (error) {
    if (error.code === "closed") return send(message); // There is a connection with another name.
    Object.assign(message, { state: "failed", problem: error.message });
  } finally {
    sender?.leave();
  }
  const shown = outgoing.has(id) && elementOf(message);
  if (shown) replaceItem(shown, itemOf(message));
}

function compose(text) {
  const created_at = new Date().toISOString();
  const message = { id: newId(), room, author: name, text, created_at, state: "pending" };
  outgoing.set(message.id, message);
  show(message);
  goToEnd();
  send(message);
}

/** The messages of this tab to the room that have not been heard there yet. */
function waiting() {
  return [...outgoing.values()].filter((message) => message.room === room);
}

function showMessages() {
  replaceItems([...messages.values(), ...waiting()].map(itemOf));
}

function show(message, next) {
  $("no-messages").hidden = true;
  insertItem(itemOf(message), next);
}

function itemOf(message) {
  return messageElement(message, message.author === name, () => {
    message.state = "pending";
    replaceItem(elementOf(message), itemOf(message));
    send(message);
  });
}

function elementOf({ id }) {
  return document.getElementById(\`message-\${id}\`);
}

// ── The rest of the page ─────────────────────────────────────────────────────────────────────────

/** The name is in the address. The new connection is in the room before the old one ends. */
async function changeName(next) {
  name = next;
  sessionStorage.setItem("name", name);
  showName();
  const before = weir;
  weir = open();
  await enterRoom();
  before.close();
}

function showName() {
  $("my-name").replaceChildren(avatar(name), name);
  $("name").value = name;
}

/** \`crypto.randomUUID\` needs a secure page, which a phone on the local network does not have. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function onSubmit(form, field, act) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $(field).value.trim();
    if (text !== "") act(text);
  });
}

onSubmit("message-form", "text", (text) => {
  $("text").value = "";
  typing.stop();
  compose(text);
});
$("text").addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("message-form").requestSubmit();
});
$("text").addEventListener(
  "input",
  () => $("text").value === "" ? typing.stop() : typing.goOn(place),
);
onSubmit("room-form", "room", (text) => {
  $("room").value = "";
  if (roomName(text) !== "") location.hash = roomName(text);
  openRooms(false);
});
$("change-name").addEventListener("click", () => $("name-dialog").showModal());
$("cancel-name").addEventListener("click", () => $("name-dialog").close());
onSubmit("name-form", "name", (text) => {
  $("name-dialog").close();
  changeName(text);
  $("text").focus();
});
$("retry").addEventListener("click", () => weir.retry());
addEventListener("hashchange", changeRoom);
addEventListener("pagehide", typing.stop);

sessionStorage.setItem("user_id", userId);
sessionStorage.setItem("name", name);
showName();
enterRoom();
`,
  "public/index.html": `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport"
      content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
    <meta name="color-scheme" content="light dark">
    <meta
      http-equiv="Content-Security-Policy"
      content="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'"
    >
    <title>Weir chat</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="design.css">
    <link rel="stylesheet" href="chat.css">
    <script type="module" src="chat.js"></script>
  </head>
  <body>
    <a class="skip" href="#text">Skip to the message field</a>

    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> <span>Weir chat</span></h1>
      <div class="connection">
        <p id="state" class="badge dot" role="status" data-tone="warning">Connecting…</p>
        <button id="retry" class="quiet" type="button" hidden>Try now</button>
      </div>
      <button id="change-name" type="button" aria-haspopup="dialog">
        <span class="hidden">Change your name:</span> <span id="my-name"></span>
      </button>
    </header>

    <main>
      <nav id="rooms-panel" class="rooms" aria-labelledby="rooms-title">
        <h2 id="rooms-title">Rooms</h2>
        <ul id="rooms"></ul>
        <form id="room-form">
          <label class="hidden" for="room">Another room</label>
          <input id="room" maxlength="32" required autocomplete="off" placeholder="Another room">
          <button type="submit">Join</button>
        </form>
      </nav>

      <section class="chat" aria-labelledby="chat-title">
        <div class="chat-head">
          <button
            id="show-rooms"
            class="quiet"
            type="button"
            aria-controls="rooms-panel"
            aria-expanded="false"
          >
            Rooms <span id="unread" class="badge" data-tone="info"></span>
          </button>
          <h2 id="chat-title"></h2>
          <p id="people"></p>
        </div>
        <div class="stage">
          <div id="log" class="log" role="log" aria-label="Messages" tabindex="0">
            <ol id="messages"></ol>
          </div>
          <p id="no-messages" class="hint" hidden>Nothing has been said here yet.</p>
          <button id="newest" class="primary" type="button" hidden></button>
        </div>
        <p id="typing" class="hint" role="status"></p>
        <form id="message-form" class="composer">
          <label class="hidden" for="text">Message</label>
          <textarea
            id="text"
            rows="1"
            maxlength="2000"
            required
            autocomplete="off"
            placeholder="Write a message"
            title="Enter sends the message, Shift+Enter begins a new line"
            autofocus
          ></textarea>
          <button type="submit" class="primary">Send</button>
        </form>
      </section>

      <details id="orders-panel" class="orders">
        <summary><h2>Orders</h2> <span id="orders-count" class="badge">0</span></summary>
        <p class="hint">A live feed. Run this in a terminal; every open page shows the order:</p>
        <div class="command">
          <pre tabindex="0" aria-label="Command that updates an order"><code id="curl"></code></pre>
          <button id="copy" class="quiet" type="button">Copy</button>
        </div>
        <ol id="orders" aria-label="Orders, newest first" aria-live="polite"></ol>
        <p id="no-orders" class="hint" hidden>No order has been updated yet.</p>
      </details>
    </main>

    <dialog id="name-dialog" aria-labelledby="name-title">
      <form id="name-form" class="stack">
        <h2 id="name-title">Your name</h2>
        <p class="hint">Others see it beside your messages. This tab keeps it.</p>
        <label class="hidden" for="name">Your name</label>
        <input id="name" maxlength="40" required autocomplete="off" spellcheck="false">
        <div class="row end">
          <button id="cancel-name" type="button">Cancel</button>
          <button type="submit" class="primary">Change</button>
        </div>
      </form>
    </dialog>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`,
  "public/log.js":
    `// The list of messages. It begins at the bottom and stays at the newest message, unless the user has
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

/** Inserts an item into the list, at its end where \`next\` is undefined. */
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
  list.style.transform = \`translateY(\${space}px)\`;
  if (isAtEnd) {
    unseen = 0;
    log.scrollTop = log.scrollHeight;
  }
  button.hidden = unseen === 0;
  button.textContent = unseen === 1 ? "1 new message" : \`\${unseen} new messages\`;
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
`,
  "public/message.js":
    `// The elements of a message and of a notice. Text is inserted as text; only links become elements.

import { element, timeElement } from "./page.js";

/** An address in a text, without what ends a sentence or a bracket around it. */
const LINK = /\\bhttps?:\\/\\/[^\\s<>"']*[^\\s<>"'.,:;!?()[\\]{}]\\/?/giu;

/** The element of a message; \`again\` is called to send one that has failed another time. */
export function messageElement({ id, author, text, created_at, state, problem }, isOwn, again) {
  const head = element("p", [element("strong", author), " ", timeElement(created_at)], "head");
  const day = element("p", "", "day");
  day.hidden = true;
  const item = element("li", [day, avatar(author), head, element("p", withLinks(text), "text")]);
  item.id = \`message-\${id}\`;
  item.className = isOwn ? "message own" : "message";
  Object.assign(item.dataset, { author, at: created_at, ...(state && { state }) });
  if (state === "pending") item.append(element("p", "Sending…", "note"));
  if (state === "failed") {
    const button = element("button", "Send again", "quiet");
    button.type = "button";
    button.addEventListener("click", again);
    item.append(element("p", [\`Not sent: \${problem} \`, button], "note"));
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
`,
  "public/orders.js": `// The feed of orders: their newest states, and the command that changes one.

import { $, ask, badge, element, prepend, showCommand, timeElement } from "./page.js";

/** The newest state of each order, by id. */
const orders = new Map();

export async function loadOrders() {
  const rows = await ask("/orders");
  for (const order of rows.reverse()) showOrder(order);
  $("no-orders").hidden = orders.size > 0;
}

/** Shows an order at the top, unless a newer state is known. */
export function showOrder({ id, status, updated_at }) {
  const known = orders.get(id);
  if (known !== undefined && known.updated_at >= updated_at) return;
  known?.item.remove();
  const parts = [element("strong", id), badge(status, "info"), timeElement(updated_at)];
  const item = element("li", parts.flatMap((part) => [part, " "]));
  orders.set(id, { updated_at, item });
  prepend($("orders"), item);
  $("orders-count").textContent = orders.size;
  $("no-orders").hidden = true;
}

$("orders-panel").open = matchMedia("(min-width: 60rem)").matches;
showCommand(\`curl --json '{"id":"A17","status":"packed"}' \${location.origin}/orders\`);
`,
  "public/people.js": `// The people in the room, and those of them that are typing.

import { $ } from "./page.js";

/** How long after the last key somebody still counts as typing, in milliseconds. */
const TYPING = 3_000;

/** Their names by user, as they were shown last. */
let people = new Map();

/** Shows who is in the room, and returns what there is to say about a change. */
export function showPeople({ members, count }, me, change) {
  const before = people;
  people = new Map(members.map(({ user_id, key, info }) => [user_id ?? key, info.name]));
  showTyping(members.filter(({ user_id, data }) => user_id !== me && data?.typing));
  const names = [...new Set(people.values())].sort((a, b) => a.localeCompare(b));
  // A room with very many members tells only how many they are.
  if (count > people.size) $("people").textContent = \`\${count} people are here\`;
  else $("people").textContent = names.length === 0 ? "" : \`Here: \${names.join(", ")}\`;
  $("people").title = $("people").textContent;
  // The whole list, as after a cut, is no news.
  if (change?.joined === undefined) return [];
  const gone = [...before].filter(([user]) => !people.has(user));
  const others = [...people].filter(([user, name]) => before.get(user) !== name);
  return [
    ...gone.map(([, name]) => \`\${name} left\`),
    ...others.map(([user, name]) =>
      before.has(user) ? \`\${before.get(user)} is now \${name}\` : \`\${name} joined\`
    ),
  ];
}

function showTyping(members) {
  const names = members.map(({ info }) => info.name);
  const last = names.pop();
  if (last === undefined) $("typing").textContent = "";
  else if (names.length === 0) $("typing").textContent = \`\${last} is typing…\`;
  else if (names.length > 2) $("typing").textContent = "Several people are typing…";
  else $("typing").textContent = \`\${names.join(", ")} and \${last} are typing…\`;
}

/** Tells a room whether this user is typing, at most when that changes. */
export function createTyping() {
  let room;
  let timer;
  // A state that does not arrive does no harm.
  const tell = (typing) => room?.setPresence({ typing }).catch(() => {});
  const stop = () => {
    clearTimeout(timer);
    tell(false);
    room = undefined;
  };
  return {
    /** A key was pressed; the room is undefined until the page has joined it. */
    goOn(current) {
      if (room !== current) {
        stop();
        room = current;
        tell(true);
      }
      clearTimeout(timer);
      timer = setTimeout(stop, TYPING);
    },
    stop,
  };
}
`,
  "public/rooms.js":
    `// The list of rooms, with the number of messages that this tab has not read in each of them.

import { $, ask, badge, element } from "./page.js";

const ROOMS = ["lobby", "kitchen", "deliveries"];

/** By room: how many messages it has, and the time of the newest one. */
const known = new Map();
/** By room: how many of them this tab has read. A new tab has read everything. */
const stored = sessionStorage.getItem("read");
const read = new Map(Object.entries(JSON.parse(stored ?? "{}")));
let isFirst = stored === null;

/** The room in the address of the page. */
export function roomInAddress() {
  // Unlike decodeURIComponent, this accepts any text.
  const [text = ""] = new URLSearchParams(location.hash.slice(1)).keys();
  return roomName(text) || ROOMS[0];
}

/** A text as the name of a room; empty where nothing of it can be one. */
export function roomName(text) {
  return text.toLowerCase().replace(/[^\\p{L}\\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 32);
}

/** Loads how many messages each room has. */
export async function loadRooms(current) {
  for (const { name, messages, newest } of await ask("/rooms")) {
    known.set(name, { messages, newest });
    if (isFirst) read.set(name, messages);
  }
  isFirst = false;
  showRooms(current);
}

/** Counts a message in a room, unless it is among those that were loaded. */
export function countMessage({ room, created_at }, current) {
  const { messages = 0, newest = "" } = known.get(room) ?? {};
  if (created_at <= newest) return;
  known.set(room, { messages: messages + 1, newest: created_at });
  showRooms(current);
}

/** Shows all rooms. The room that is open has been read. */
export function showRooms(current) {
  if (known.has(current)) read.set(current, known.get(current).messages);
  sessionStorage.setItem("read", JSON.stringify(Object.fromEntries(read)));
  const names = [...new Set([...ROOMS, ...[...known.keys()].sort(), current])];
  $("rooms").replaceChildren(...names.map((name) => roomElement(name, name === current)));
  const all = names.reduce((sum, name) => sum + unreadIn(name), 0);
  $("unread").textContent = all || "";
  $("chat-title").textContent = \`#\${current}\`;
  document.title = \`\${all > 0 ? \`(\${all}) \` : ""}#\${current} · Weir chat\`;
}

function roomElement(name, isCurrent) {
  const link = element("a", element("span", \`#\${name}\`));
  link.href = \`#\${name}\`;
  if (isCurrent) link.ariaCurrent = "page";
  const unread = unreadIn(name);
  if (unread > 0) {
    link.append(" ", badge([String(unread), element("span", " unread", "hidden")], "info"));
  }
  return element("li", link);
}

function unreadIn(name) {
  return Math.max(0, (known.get(name)?.messages ?? 0) - (read.get(name) ?? 0));
}

// ── On a narrow screen the list is behind a button ───────────────────────────────────────────────

/** Opens the list, or closes it. */
export function openRooms(isOpen) {
  $("rooms-panel").classList.toggle("open", isOpen);
  $("show-rooms").ariaExpanded = String(isOpen);
  if (isOpen) $("rooms").querySelector("a").focus();
}

$("show-rooms").addEventListener("click", () => {
  openRooms($("show-rooms").ariaExpanded !== "true");
});
$("rooms-panel").addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || $("show-rooms").ariaExpanded !== "true") return;
  openRooms(false);
  $("show-rooms").focus();
});
$("rooms").addEventListener("click", () => openRooms(false));
document.addEventListener("click", ({ target }) => {
  if (!target.closest("#rooms-panel, #show-rooms")) openRooms(false);
});
`,
  "tests.hcl":
    `# \`weir test\` runs these tests without a server. The database is in memory, with the migrations
# applied. Steps run in the order written. An expect must find what it names.

test "a message is stored, delivered to its room, and acknowledged" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" {
    params = { name = "Bob" }
    rooms  = ["lobby"]
  }
  client "cyd" {
    params = { name = "Cyd" }
    rooms  = ["kitchen"]
  }

  given "ada" {
    id   = 1
    data = { id = "m1", room = "lobby", text = " Hello " }
  }

  expect "db" { data = { id = "m1", room = "lobby", author = "Ada", text = "Hello" } }
  expect "bob" {
    room = "lobby"
    data = { kind = "message", id = "m1", author = "Ada", text = "Hello" }
  }
  expect "ada" { data = { kind = "message", id = "m1" } }
  expect "ada" {
    type = "ack"
    id   = 1
  }
  expect "cyd" { nothing = true }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" {
    status = 200
    data   = [{ id = "m1", author = "Ada", text = "Hello" }]
  }
}

test "a message that is sent again is stored and heard once" {
  client "ada" { rooms = ["lobby"] }
  client "bob" { rooms = ["lobby"] }

  given "ada" { data = { id = "same", room = "lobby", text = "Once" } }
  expect "bob" { data = { id = "same", text = "Once" } }
  given "ada" { data = { id = "same", room = "lobby", text = "Twice" } }
  expect "bob" { nothing = true }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" { data = [{ id = "same", text = "Once" }] }
}

test "only members of a room can send to it" {
  client "ada" { rooms = ["lobby"] }
  client "bob" { rooms = ["kitchen"] }

  given "ada" { data = { id = "m1", room = "kitchen", text = "Hello" } }

  expect "ada" { error = "rejected" }
  expect "bob" { nothing = true }
  expect "db" { nothing = true }
}

test "an invalid message is refused with every violation" {
  client "ada" { rooms = ["lobby"] }

  given "ada" { data = { id = "", room = "lobby", text = "  ", author = "Bob" } }

  expect "ada" {
    error = "validation_failed"
    details = [
      { path = "id" },
      { path = "text" },
      { path = "author" },
    ]
  }
  expect "db" { nothing = true }
}

test "the members of a room are told" {
  client "ada" {
    user_id  = "u1"
    params   = { name = "Ada" }
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" {
    user_id = "u2"
    params  = { name = "Bob" }
  }

  given "bob" {
    operation = "join_room"
    room      = "lobby"
    presence  = true
  }
  expect "ada" {
    type     = "presence"
    presence = { count = 2, joined = [{ user_id = "u2", info = { name = "Bob" } }] }
  }
  expect "bob" {
    type = "presence"
    presence = {
      members = [
        { user_id = "u1", info = { name = "Ada" } },
        { user_id = "u2", info = { name = "Bob" } },
      ]
    }
  }

  given "bob" {
    operation = "leave_room"
    room      = "lobby"
  }
  expect "ada" {
    type     = "presence"
    presence = { count = 1, left = [{ user_id = "u2" }] }
  }
}

test "a page that comes back in time has not been away, and has missed nothing" {
  client "ada" {
    user_id  = "u1"
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" { user_id = "u2" }

  given "bob" {
    id        = 1
    operation = "join_room"
    room      = "lobby"
    history   = true
  }
  expect "ada" {
    type     = "presence"
    presence = { joined = [{ user_id = "u2" }] }
  }

  given "bob" {
    operation = "disconnect"
    code      = 1006
  }
  given "ada" {
    id   = 1
    data = { id = "m1", room = "lobby", text = "Are you there?" }
  }
  expect "ada" { data = { id = "m1" } }
  expect "ada" { type = "ack" }
  advance { by = "20s" }
  given "bob" { operation = "connect" }
  given "bob" {
    id        = 2
    operation = "join_room"
    room      = "lobby"
    history   = true
  }
  expect "bob" {
    id        = 2
    recovered = true
  }
  expect "bob" { data = { id = "m1", text = "Are you there?" } }
  expect "ada" { nothing = true }
}

test "a page that does not come back leaves its room" {
  client "ada" {
    user_id  = "u1"
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" {
    user_id = "u2"
    rooms   = ["lobby"]
  }

  given "bob" {
    operation = "disconnect"
    code      = 1001
  }
  advance { by = "29s" }
  expect "ada" { nothing = true }
  advance { by = "1s" }
  expect "ada" {
    type     = "presence"
    presence = { left = [{ user_id = "u2" }] }
  }
}

test "an order that is posted reaches every client" {
  client "ada" {}
  client "bob" { rooms = ["lobby"] }

  given "api" {
    operation = "POST /orders"
    data      = { id = "A17", status = "packed" }
  }

  expect "events" {
    target = "order.updated"
    data   = { id = "A17", status = "packed" }
  }
  expect "ada" { data = { kind = "order", id = "A17", status = "packed" } }
  expect "bob" { data = { kind = "order", id = "A17", status = "packed" } }
  expect "api" { status = 200 }
}

test "pages count what is said in other rooms" {
  client "ada" { rooms = ["lobby"] }
  client "cyd" { rooms = ["kitchen", "activity:all"] }

  given "ada" { data = { id = "m1", room = "lobby", text = "Hello" } }
  given "ada" { data = { id = "m1", room = "lobby", text = "Hello" } }
  expect "cyd" {
    room = "activity:all"
    data = { room = "lobby" }
  }
  expect "cyd" { nothing = true }

  given "api" { operation = "GET /rooms" }
  expect "api" { data = [{ name = "lobby", messages = 1 }] }
}

test "the members of a room see that somebody is typing" {
  client "ada" {
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" {
    user_id = "u2"
    rooms   = ["lobby"]
  }

  given "bob" {
    operation = "presence"
    room      = "lobby"
    data      = { typing = true }
  }
  expect "ada" {
    type     = "presence"
    presence = { changed = [{ user_id = "u2", data = { typing = true } }] }
  }
}
`,
};
