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

A chat with rooms, history, presence, and a live feed of orders. It needs one port and one SQLite
file, and no broker. \`chat.hcl\` is the whole server; read it from top to bottom as an introduction
to the language. \`public/\` is the page, plain browser code without a library or a build step.
\`tests.hcl\` has the tests.

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

Both tabs show the order at once. Stop the server with Ctrl-C, write a message, and start the server
again: the page reconnects and sends the message, and all earlier messages are still there.

## Change

| change       | how                                                                       |
| ------------ | ------------------------------------------------------------------------- |
| the port     | the variable \`PORT\`, 3000 otherwise                                       |
| the database | the variable \`CHAT_DB\`; \`data/chat.db\` otherwise                          |
| the broker   | \`driver = "rabbitmq"\` and a \`url\` in the connector \`events\`, nothing else |
`,
  "chat.hcl":
    `# A chat with rooms, and a live feed of orders: one port, one database, one broker, one page.
#
# A configuration has two kinds of parts. A connector is something that Weir talks to. A flow takes
# events from one connector and delivers them to others. The rest of this file repeats that idea
# nine times.

# env() reads an environment variable, or returns the default.
constants {
  port    = env("PORT", 3000)
  history = 50 # messages of a room that a page loads
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "./public"
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

# A browser sends {"type":"message","id":1,"data":{"id":"…","room":"lobby","text":"Hello"}}. Its data
# must have these fields, and no others. The page can repeat a message with the same id.
type "message" {
  id   = string({ min_length = 1, max_length = 64 })
  room = string
  text = string({ pattern = "\\\\S", max_length = 2000 })
}

# From here on, text in quotes is an expression: \`input\` is the event, and \`client\` is the connection
# that sent it. These two lines tell the other clients who sent a message. The name comes from the
# query of the connection's address and is not verified, so it is only displayed. With an auth block,
# it could come from a token.
transform "person" {
  who  = "client.id"
  name = "substring(default(client.params.name, 'guest'), 0, 40)"
}

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

  # The payload for the destinations, line by line. A line can use the lines above it.
  transform {
    use        = "transform.person"
    kind       = "'message'"
    id         = "input.id"
    room       = "input.room"
    author     = "output.name"
    text       = "trim(input.text)"
    created_at = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: other clients
  # see only stored messages. Values are bound to the names in the statement. A message that is sent
  # again, because its ack was lost, is stored once.
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
    connector      = "ws"
    operation      = "send_to_room"
    target         = "input.room"
    exclude_sender = true
  }

  # The answer to the sender: {"type":"ack","id":1,"data":{"created_at":"…"}}.
  # \`output\` is the result of the first destination, here a list of rows.
  response {
    created_at = "first(output).created_at"
  }
}

# The last messages of a room, for a page that joins it: GET /rooms/lobby/messages
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

# ── Presence ─────────────────────────────────────────────────────────────────────────────────────

# {"type":"join_room","room":"lobby"}: the server adds the member, the flow notifies the others.
flow "joined" {
  from {
    connector = "ws"
    operation = "join_room"
  }
  transform {
    use  = "transform.person"
    kind = "'joined'"
  }
  to {
    connector      = "ws"
    operation      = "send_to_room"
    target         = "input.room"
    exclude_sender = true
  }
  response {
    who = "client.id"
  }
}

# A custom operation: pages greet a new member with {"type":"here","data":{"to":"…",…}}, where \`to\` is
# the \`who\` of its announcement. send_to_client reaches one connection.
type "greeting" {
  to   = string
  room = string
}

flow "here" {
  from {
    connector = "ws"
    operation = "here"
  }
  accept {
    when = "input.room in client.rooms"
  }
  validate {
    input = "greeting"
  }
  transform {
    use  = "transform.person"
    kind = "'here'"
    room = "input.room"
  }
  to {
    connector = "ws"
    operation = "send_to_client"
    target    = "input.to"
  }
}

flow "left" {
  from {
    connector = "ws"
    operation = "leave_room"
  }
  transform {
    use  = "transform.person"
    kind = "'left'"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
  }
}

# A closed tab sends no leave_room. The page is in one room at a time, so one target is enough. If the
# filter is false, the flow ignores the event.
flow "gone" {
  from {
    connector = "ws"
    operation = "disconnect"
    filter    = "len(input.rooms) > 0"
  }
  transform {
    use  = "transform.person"
    kind = "'left'"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "first(input.rooms)"
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
  "public/chat.css": `:root {
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
  --avatar-ground: 42% 86%;
  --avatar-text: 55% 24%;
  --radius: 12px;
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
    --avatar-ground: 30% 26%;
    --avatar-text: 60% 84%;
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
  display: grid;
  grid-template-rows: auto 1fr;
  height: 100vh;
  height: 100dvh;
  background: var(--ground);
  color: var(--text);
}

h1,
h2 {
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

.skip {
  position: absolute;
  top: -4rem;
  left: 1rem;
  padding: 0.5rem 1rem;
  border-radius: 0 0 var(--radius) var(--radius);
  background: var(--accent);
  color: var(--on-accent);
}

.skip:focus {
  top: 0;
  z-index: 1;
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}

/* Fields and buttons */

input,
button {
  min-height: 2.5rem;
  padding: 0 0.85rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--surface);
  color: inherit;
  font: inherit;
}

input {
  min-width: 0;
}

input::placeholder {
  color: var(--soft);
  opacity: 1;
}

button {
  cursor: pointer;
}

button:hover {
  background: var(--sunken);
}

button.primary {
  border-color: transparent;
  background: var(--accent);
  color: var(--on-accent);
  font-weight: 600;
}

button.primary:hover {
  filter: brightness(1.08);
}

button.quiet {
  min-height: 1.9rem;
  padding: 0 0.6rem;
  font-size: 0.85rem;
}

/* Header */

.bar {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem 1.25rem;
  padding: 0.6rem 1.25rem;
  border-bottom: 1px solid var(--line);
  background: var(--surface);
}

.bar h1 {
  display: flex;
  align-items: center;
  gap: 0.6rem;
}

.connection {
  display: flex;
  flex: 1;
  align-items: center;
  gap: 0.75rem;
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

.name {
  display: flex;
  align-items: center;
  gap: 0.5rem;
}

.name label {
  color: var(--soft);
  font-size: 0.9rem;
}

.name input {
  width: 9rem;
}

/* Columns */

main {
  display: grid;
  grid-template-columns: 13rem minmax(0, 1fr) 21rem;
  gap: 1.25rem;
  width: 100%;
  max-width: 84rem;
  min-height: 0;
  margin: 0 auto;
  padding: 1.25rem;
}

.rooms h2 {
  margin: 0.5rem 0.75rem;
  color: var(--soft);
  font-size: 0.85rem;
}

.rooms ul {
  display: grid;
  gap: 0.15rem;
  margin-bottom: 1rem;
}

.rooms a {
  display: block;
  overflow: hidden;
  padding: 0.4rem 0.75rem;
  border-radius: 10px;
  color: inherit;
  text-decoration: none;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.rooms a:hover {
  background: var(--sunken);
}

.rooms a[aria-current] {
  background: var(--tint);
  color: var(--accent);
  font-weight: 600;
}

.rooms form {
  display: flex;
  gap: 0.4rem;
}

.rooms input {
  flex: 1;
}

/* Chat */

.chat {
  display: grid;
  grid-template-rows: auto minmax(0, 1fr) auto;
  grid-template-columns: minmax(0, 1fr);
  min-height: 0;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
}

.chat-head {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0 0.75rem;
  padding: 0.8rem 1.1rem;
  border-bottom: 1px solid var(--line);
}

.chat-head p {
  overflow-wrap: anywhere;
  color: var(--soft);
  font-size: 0.9rem;
}

.messages {
  overflow-y: auto;
  padding: 0.5rem 1.1rem 1rem;
  overscroll-behavior: contain;
}

.messages:focus-visible {
  outline-offset: -2px;
}

.messages:empty:not([aria-busy])::before {
  display: grid;
  place-content: center;
  height: 100%;
  color: var(--soft);
  content: "Nothing has been said here yet.";
}

.message {
  display: grid;
  grid-template-columns: 2.25rem minmax(0, max-content);
  column-gap: 0.7rem;
  margin-top: 0.9rem;
}

.message > * {
  grid-column: 2;
}

.message .avatar {
  display: grid;
  grid-column: 1;
  grid-row: 1 / span 3;
  place-content: center;
  width: 2.25rem;
  height: 2.25rem;
  border-radius: 50%;
  background: hsl(var(--hue) var(--avatar-ground));
  color: hsl(var(--hue) var(--avatar-text));
  font-weight: 650;
}

.message .head {
  font-size: 0.9rem;
}

.message .head,
.message .text {
  overflow-wrap: anywhere;
}

.message .text {
  justify-self: start;
  padding: 0.35rem 0.75rem;
  border-radius: 4px var(--radius) var(--radius) var(--radius);
  background: var(--sunken);
  white-space: pre-wrap;
}

.message.own .text {
  background: var(--tint);
}

.message.follows {
  margin-top: 0.25rem;
}

.message.follows .head,
.message.follows .avatar {
  display: none;
}

.message[data-state="pending"] .text {
  opacity: 0.75;
}

.message[data-state="failed"] .text {
  outline: 1px solid var(--bad);
}

.message .note {
  margin-top: 0.2rem;
  color: var(--soft);
  font-size: 0.85rem;
}

.message[data-state="failed"] .note {
  color: var(--bad);
}

time {
  color: var(--soft);
  font-size: 0.82rem;
  font-variant-numeric: tabular-nums;
}

.notice {
  margin: 0.75rem 0 0;
  color: var(--soft);
  font-size: 0.85rem;
  text-align: center;
}

.composer {
  display: flex;
  gap: 0.5rem;
  padding: 0.75rem;
  border-top: 1px solid var(--line);
}

.composer input {
  flex: 1;
}

/* Orders */

.orders {
  min-height: 0;
  overflow-y: auto;
  padding: 0.8rem 1.1rem;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
}

.orders summary {
  display: flex;
  align-items: center;
  gap: 0.6rem;
  border-radius: 6px;
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

.count {
  padding: 0 0.5rem;
  border-radius: 1rem;
  background: var(--sunken);
  color: var(--soft);
  font-size: 0.85rem;
  font-variant-numeric: tabular-nums;
}

.hint {
  margin: 0.7rem 0 0.5rem;
  color: var(--soft);
  font-size: 0.9rem;
}

.command {
  display: grid;
  gap: 0.5rem;
  justify-items: end;
  padding: 0.7rem;
  border-radius: 10px;
  background: var(--sunken);
}

.command pre {
  width: 100%;
  border-radius: 4px;
  font: 0.8rem/1.5 ui-monospace, monospace;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

.orders ol {
  margin-top: 0.5rem;
}

.orders li {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto auto;
  gap: 0.75rem;
  align-items: baseline;
  padding: 0.5rem 0;
  border-top: 1px solid var(--line);
  overflow-wrap: anywhere;
}

.orders li:first-child {
  border-top: 0;
}

.status {
  padding: 0.05rem 0.6rem;
  border-radius: 1rem;
  background: var(--tint);
  color: var(--accent);
  font-size: 0.85rem;
}

@media (prefers-reduced-motion: no-preference) {
  .orders li {
    animation: arrive 1.2s ease-out;
  }

  @keyframes arrive {
    from {
      background: var(--tint);
    }
  }
}

/* Narrower: rooms above the chat, orders below it until somebody opens them */

@media (max-width: 59.99rem) {
  main {
    grid-template-rows: auto minmax(0, 1fr) auto;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.75rem;
    padding: 0.75rem;
  }

  .rooms {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
  }

  .rooms h2 {
    display: none;
  }

  .rooms ul {
    display: flex;
    flex-wrap: wrap;
    margin: 0;
  }

  .rooms form {
    flex: 1 1 12rem;
  }

  .orders {
    max-height: 45vh;
  }
}

@media (max-width: 34rem) {
  .bar {
    padding: 0.5rem 0.75rem;
  }

  .name {
    flex: 1 1 100%;
  }

  .name input {
    flex: 1;
  }
}
`,
  "public/chat.js": `// The page: rooms, members and messages.

import { Connection, ConnectionLost } from "./connection.js";
import { $, avatar, element, getJson, timeElement } from "./elements.js";
import { loadOrders, showOrder } from "./orders.js";

const ROOMS = ["lobby", "kitchen", "deliveries"];
const BIRDS = ["Heron", "Kingfisher", "Dipper", "Wagtail", "Moorhen", "Grebe", "Teal", "Egret"];
const SAME_BLOCK = 5 * 60_000;

/** Kept for this tab only, so that two tabs are two users. */
let name = sessionStorage.getItem("name") ?? BIRDS[Math.floor(Math.random() * BIRDS.length)];
let room = roomInAddress();
/** This connection, as the server calls it. */
let self;
/** The members of the room, by connection. */
const people = new Map();
/** The room's messages by id, oldest first: { id, author, text, created_at, state, problem }. */
let messages = new Map();
/** Messages of all rooms that the server has not acknowledged yet. */
const unconfirmed = new Map();

const connection = new Connection({
  url() {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("name", name);
    return url;
  },
  onState(state, retryInMs) {
    showState(state, retryInMs);
    people.clear();
    showPeople();
    if (state !== "open") return;
    enterRoom();
    loadOrders().catch((error) => notice(\`The orders could not be loaded: \${error.message}\`));
  },
  onMessage: receive,
});

// ── Rooms ────────────────────────────────────────────────────────────────────────────────────────

/** Joins the room, then loads its history. */
async function enterRoom() {
  const entered = room;
  showRooms();
  $("messages").setAttribute("aria-busy", "true");
  try {
    ({ who: self } = await connection.request({ type: "join_room", room }));
    const history = await getJson(\`/rooms/\${encodeURIComponent(room)}/messages\`);
    if (entered !== room) return;
    people.set(self, name);
    // What has arrived in the meantime, and what waits to be sent, comes after the history.
    const waiting = [...unconfirmed.values()].filter((message) => message.room === room);
    const all = [...history, ...messages.values(), ...waiting];
    messages = new Map();
    for (const message of all) if (!messages.has(message.id)) messages.set(message.id, message);
    showMessages();
    showPeople();
    for (const message of waiting) if (message.state === "pending") send(message);
  } catch (error) {
    // After a reconnect, the page joins the room again.
    if (error instanceof ConnectionLost || entered !== room) return;
    notice(\`This room could not be opened: \${error.message}\`);
  } finally {
    if (entered === room) $("messages").removeAttribute("aria-busy");
  }
}

function changeRoom() {
  const next = roomInAddress();
  if (next === room) return;
  if (connection.isOpen) connection.request({ type: "leave_room", room }).catch(ignoreLost);
  room = next;
  messages = new Map();
  people.clear();
  showMessages();
  showPeople();
  enterRoom();
}

function roomInAddress() {
  // Unlike decodeURIComponent, this accepts any text.
  const [text = ""] = new URLSearchParams(location.hash.slice(1)).keys();
  return roomName(text) || ROOMS[0];
}

function roomName(text) {
  return text.toLowerCase().replace(/[^\\p{L}\\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 32);
}

// ── What the server sends ────────────────────────────────────────────────────────────────────────

function receive(data, from) {
  if (data.kind === "order") {
    showOrder(data);
  } else if ((from ?? data.room) !== room) {
    return; // It was on its way when the room was left.
  } else if (data.kind === "message") {
    if (!messages.has(data.id)) addMessage(data);
  } else if (data.kind === "joined") {
    people.set(data.who, data.name);
    showPeople();
    notice(\`\${data.name} joined\`);
    connection.request({ type: "here", data: { to: data.who, room } }).catch(ignoreLost);
  } else if (data.kind === "here") {
    people.set(data.who, data.name);
    showPeople();
  } else if (data.kind === "left" && people.delete(data.who)) {
    showPeople();
    notice(\`\${data.name} left\`);
  }
}

// ── Messages ─────────────────────────────────────────────────────────────────────────────────────

/** Sends a message; it may be sent again with the same id, and is stored once. */
async function send(message) {
  try {
    const stored = await connection.request({
      type: "message",
      data: { id: message.id, room: message.room, text: message.text },
    });
    unconfirmed.delete(message.id);
    Object.assign(message, { state: "sent", created_at: stored.created_at });
  } catch (error) {
    if (error instanceof ConnectionLost) return; // Still pending: it is sent after the reconnect.
    Object.assign(message, { state: "failed", problem: error.message });
  }
  showMessage(message);
}

function compose(text) {
  const message = {
    id: newId(),
    room,
    author: name,
    text,
    created_at: new Date().toISOString(),
    state: "pending",
  };
  unconfirmed.set(message.id, message);
  addMessage(message);
  $("messages").lastElementChild.scrollIntoView({ block: "end" });
  if (connection.isOpen) send(message);
}

function addMessage(message) {
  messages.set(message.id, message);
  keepingBottom(() => $("messages").append(messageElement(message)));
}

function showMessages() {
  $("messages").replaceChildren();
  for (const message of messages.values()) $("messages").append(messageElement(message));
  $("messages").scrollTop = $("messages").scrollHeight;
}

/** Updates the state of a message that is on the page. */
function showMessage(message) {
  const shown = document.getElementById(\`message-\${message.id}\`);
  if (shown === null) return;
  const follows = shown.classList.contains("follows");
  const updated = messageElement(message);
  updated.classList.toggle("follows", follows);
  keepingBottom(() => shown.replaceWith(updated));
}

function messageElement({ id, author, text, created_at, state, problem }) {
  const head = element("p", "", "head");
  head.append(element("strong", author), " ", timeElement(created_at));
  const item = element("li", "", "message");
  item.id = \`message-\${id}\`;
  item.append(avatar(author), head, element("p", text, "text"));
  item.classList.toggle("own", author === name);
  item.classList.toggle("follows", followsLast(author, created_at));
  Object.assign(item.dataset, { author, at: created_at, ...(state && { state }) });
  if (state === "pending") item.append(element("p", "Sending…", "note"));
  if (state === "failed") {
    const again = element("button", "Send again", "quiet");
    again.type = "button";
    again.onclick = () => {
      const message = unconfirmed.get(id);
      message.state = "pending";
      showMessage(message);
      if (connection.isOpen) send(message);
    };
    const note = element("p", \`Not sent: \${problem} \`, "note");
    note.append(again);
    item.append(note);
  }
  return item;
}

/** Whether the same author wrote the previous message, so that the name is not repeated. */
function followsLast(author, createdAt) {
  const last = $("messages").lastElementChild?.dataset;
  return last?.author === author && new Date(createdAt) - new Date(last.at) < SAME_BLOCK;
}

function notice(text) {
  keepingBottom(() => $("messages").append(element("li", text, "notice")));
}

/** Scrolls to the newest message, unless the user has scrolled up. */
function keepingBottom(change) {
  const list = $("messages");
  const atBottom = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  change();
  if (atBottom) list.scrollTop = list.scrollHeight;
}

// ── The rest of the page ─────────────────────────────────────────────────────────────────────────

function showState(state, retryInMs) {
  const words = { connecting: "Connecting…", open: "Connected" };
  $("state").dataset.state = state;
  $("state").textContent = words[state] ?? \`Offline, next try in \${Math.ceil(retryInMs / 1000)} s\`;
  $("retry").hidden = state !== "waiting";
}

function showRooms() {
  document.title = \`#\${room} · Weir chat\`;
  $("chat-title").textContent = \`#\${room}\`;
  const items = [...new Set([...ROOMS, room])].map((each) => {
    const link = element("a", \`#\${each}\`);
    link.href = \`#\${each}\`;
    if (each === room) link.ariaCurrent = "page";
    const item = element("li");
    item.append(link);
    return item;
  });
  $("rooms").replaceChildren(...items);
}

function showPeople() {
  const names = [...new Set(people.values())].sort((a, b) => a.localeCompare(b));
  $("people").textContent = names.length === 0 ? "" : \`Here: \${names.join(", ")}\`;
}

/** \`crypto.randomUUID\` needs a secure page, which a phone on the local network does not have. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Leaves and greetings are not retried. */
function ignoreLost(error) {
  if (!(error instanceof ConnectionLost)) notice(error.message);
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
  compose(text);
});
onSubmit("room-form", "room", (text) => {
  $("room").value = "";
  if (roomName(text) !== "") location.hash = roomName(text);
});
onSubmit("name-form", "name", (text) => {
  name = text;
  sessionStorage.setItem("name", name);
  connection.restart();
  $("text").focus();
});
$("retry").addEventListener("click", () => connection.retry());
addEventListener("hashchange", changeRoom);

sessionStorage.setItem("name", name);
$("name").value = name;
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
  "public/elements.js":
    `// Creates the elements of the page. Everything is inserted as text, never as HTML.

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
  if (!response.ok) throw new Error(\`the server answered \${response.status}\`);
  return await response.json();
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
    <title>Weir chat</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="chat.css">
    <script type="module" src="chat.js"></script>
  </head>
  <body>
    <a class="skip" href="#text">Skip to the message field</a>

    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> Weir chat</h1>
      <div class="connection">
        <p id="state" class="state" role="status" data-state="connecting">Connecting…</p>
        <button id="retry" class="quiet" type="button" hidden>Try now</button>
      </div>
      <form id="name-form" class="name">
        <label for="name">Your name</label>
        <input id="name" maxlength="40" required autocomplete="off" spellcheck="false">
        <button type="submit">Change</button>
      </form>
    </header>

    <main>
      <nav class="rooms" aria-labelledby="rooms-title">
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
          <h2 id="chat-title"></h2>
          <p id="people"></p>
        </div>
        <ol id="messages" class="messages" role="log" aria-label="Messages" tabindex="0"></ol>
        <form id="message-form" class="composer">
          <label class="hidden" for="text">Message</label>
          <input
            id="text"
            maxlength="2000"
            required
            autocomplete="off"
            placeholder="Write a message"
            autofocus
          >
          <button type="submit" class="primary">Send</button>
        </form>
      </section>

      <details id="orders-panel" class="orders">
        <summary><h2>Orders</h2> <span id="orders-count" class="count">0</span></summary>
        <p class="hint">A live feed. Run this in a terminal; every open page shows the order:</p>
        <div class="command">
          <pre tabindex="0" aria-label="Command that updates an order"><code id="curl"></code></pre>
          <button id="copy" class="quiet" type="button">Copy</button>
        </div>
        <ol id="orders" aria-label="Orders, newest first" aria-live="polite"></ol>
        <p id="no-orders" class="hint">No order has been updated yet.</p>
      </details>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`,
  "public/orders.js": `// The feed of orders: their newest states, and the command that changes one.

import { $, element, getJson, timeElement } from "./elements.js";

/** The newest state of each order, by id. */
const orders = new Map();

export async function loadOrders() {
  const rows = await getJson("/orders");
  for (const order of rows.reverse()) showOrder(order);
}

/** Shows an order at the top, unless a newer state is known. */
export function showOrder({ id, status, updated_at }) {
  const known = orders.get(id);
  if (known !== undefined && known.updated_at >= updated_at) return;
  known?.item.remove();
  const item = element("li");
  item.append(
    element("strong", id),
    " ",
    element("span", status, "status"),
    " ",
    timeElement(updated_at),
  );
  orders.set(id, { updated_at, item });
  $("orders").prepend(item);
  $("orders-count").textContent = orders.size;
  $("no-orders").hidden = true;
}

$("orders-panel").open = matchMedia("(min-width: 60rem)").matches;
$("curl").textContent = \`curl --json '{"id":"A17","status":"packed"}' \${location.origin}/orders\`;
$("copy").hidden = navigator.clipboard === undefined;
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("curl").textContent);
  $("copy").textContent = "Copied";
  setTimeout(() => $("copy").textContent = "Copy", 2000);
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
  expect "ada" {
    type = "ack"
    id   = 1
  }
  expect "ada" { nothing = true }
  expect "cyd" { nothing = true }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" {
    status = 200
    data   = [{ id = "m1", author = "Ada", text = "Hello" }]
  }
}

test "a message that is sent again is stored once" {
  client "ada" { rooms = ["lobby"] }

  given "ada" { data = { id = "same", room = "lobby", text = "Once" } }
  given "ada" { data = { id = "same", room = "lobby", text = "Twice" } }

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

test "joins and leaves are announced" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" { params = { name = "Bob" } }

  given "bob" {
    operation = "join_room"
    room      = "lobby"
  }
  expect "ada" { data = { kind = "joined", name = "Bob" } }

  given "bob" { operation = "disconnect" }
  expect "ada" { data = { kind = "left", name = "Bob" } }
}

test "a greeting reaches one connection" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" { rooms = ["lobby"] }

  given "ada" {
    operation = "here"
    data      = { to = "a-client", room = "lobby" }
  }

  expect "ws" {
    operation = "send_to_client"
    target    = "a-client"
    data      = { kind = "here", name = "Ada" }
  }
  expect "bob" { nothing = true }
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
`,
};
