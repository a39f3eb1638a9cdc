// @generated from examples/iot/ by `deno task docs`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
  ".env.example":
    `# Copy this file to .env. Variables that the environment already has are not replaced.

# The port of the page, the WebSocket and the HTTP requests.
PORT=3000

# The SQLite file. A relative path begins at the folder of iot.hcl.
IOT_DB=./data/iot.db
`,
  "README.md": `# Devices

Devices send readings over WebSocket. Each reading is validated, stored and shown at once. A reading
out of range raises an alarm. \`iot.hcl\` is the whole server. \`public/\` is the page, plain browser
code without a library or a build step, with a form that acts as a device. \`tests.hcl\` has the
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

Open <http://localhost:3000>. Any program that can open a WebSocket can be a device. In JavaScript:

\`\`\`js
const device = new WebSocket("ws://localhost:3000/devices?device=greenhouse-1");
device.onmessage = ({ data }) => console.log(data); // {"type":"ack","id":1}: it is on disk
device.onopen = () => {
  const data = { sensor: "temperature", value: 41 };
  device.send(JSON.stringify({ type: "reading", id: 1, data }));
};
\`\`\`

41 degrees are out of range, so the page shows an alarm. This sets another range:

\`\`\`sh
curl --json '{"low":0,"high":45}' http://localhost:3000/limits/temperature
\`\`\`

## Change

| change          | how                                                                            |
| --------------- | ------------------------------------------------------------------------------ |
| the port        | the variable \`PORT\`, 3000 otherwise                                            |
| the database    | the variable \`IOT_DB\`; \`data/iot.db\` otherwise                                 |
| device identity | an \`auth\` block in the connector \`devices\`; without it, names are not verified |
`,
  "iot.hcl":
    `# Devices, and a page that shows their readings. A device sends readings over its own WebSocket. Each
# reading is validated, stored and shown at once. A reading out of range raises an alarm.
#
# A connector is something that Weir talks to. A flow takes events from one connector and delivers
# them to others. Text in quotes inside a flow is an expression: \`input\` is the event, and \`client\` is
# the connection that sent it.

# env() reads an environment variable, or returns the default.
constants {
  port = env("PORT", 3000)
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Devices connect to ws://localhost:3000/devices?device=greenhouse-1. The name is not verified. On a
# public network, add an auth block.
connector "devices" {
  type             = "websocket"
  port             = constants.port
  path             = "/devices"
  max_message_size = "4KB"
}

# Pages connect to ws://localhost:3000/ws, on the same port, which also serves the page in public/.
connector "pages" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
  static = "./public"
}

# HTTP requests, on the same port.
connector "api" {
  type = "rest"
  port = constants.port
}

# At the start, the server applies new files in migrations/, each once.
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("IOT_DB", "./data/iot.db")
  migrations = "./migrations"
}

# ── Devices ──────────────────────────────────────────────────────────────────────────────────────

# A connection without a valid device name is refused.
flow "online" {
  from {
    connector = "devices"
    operation = "connect"
  }
  accept {
    when = "default(client.params.device, '').matches('^[a-z0-9-]{1,40}$')"
  }
  transform {
    kind   = "'online'"
    device = "client.params.device"
    at     = "now()"
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

flow "offline" {
  from {
    connector = "devices"
    operation = "disconnect"
  }
  transform {
    kind   = "'offline'"
    device = "client.params.device"
    at     = "now()"
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

# A device sends {"type":"reading","id":1,"data":{"sensor":"temperature","value":21.5}}. Other data is
# refused, and the device gets the list of violations.
type "reading" {
  sensor = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  value  = number({ min = -1000000, max = 1000000 })
}

flow "reading" {
  from {
    connector = "devices"
    operation = "reading"
  }
  validate {
    input = "reading"
  }

  # The normal range of this sensor: a row of the table \`limits\`, or null if it has none.
  step "limits" {
    connector = "db"
    query     = "SELECT low, high FROM limits WHERE sensor = :sensor"
    params = {
      sensor = "input.sensor"
    }
  }

  # A line can use the lines above it as \`output\`. The device is the one of the connection, whatever
  # the data contains.
  transform {
    kind   = "'reading'"
    id     = "uuid()"
    device = "client.params.device"
    sensor = "input.sensor"
    value  = "input.value"
    alarm  = "step.limits != null && (output.value < step.limits.low || output.value > step.limits.high)"
    at     = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: pages see only
  # stored readings, and the ack of the device means that its reading is on disk. The fields of the
  # payload are the columns of the table, so a transform selects them.
  to {
    connector = "db"
    target    = "readings"
    transform {
      id     = "output.id"
      device = "output.device"
      sensor = "output.sensor"
      value  = "output.value"
      alarm  = "output.alarm"
      at     = "output.at"
    }
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }

  # Pages that want alarms join the room: {"type":"join_room","room":"alarms"}
  to {
    connector = "pages"
    operation = "send_to_room"
    target    = "alarms"
    when      = "output.alarm"
    transform {
      kind   = "'alarm'"
      id     = "output.id"
      at     = "output.at"
      device = "output.device"
      text   = "output.sensor + ' is ' + output.value + ', not ' + step.limits.low + ' to ' + step.limits.high"
    }
  }
}

# ── Pages ────────────────────────────────────────────────────────────────────────────────────────

# The newest reading of each sensor, for a new page. A flow without a response answers with the result
# of its first destination, here the rows.
flow "newest" {
  from {
    connector = "api"
    operation = "GET /readings"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT id, device, sensor, value, alarm, at
      FROM (
        SELECT *, row_number() OVER (PARTITION BY device, sensor ORDER BY position DESC) AS age
        FROM readings
      )
      WHERE age = 1
      ORDER BY device, sensor
    SQL
  }
}

# The normal range of a sensor. The two limits can be in any order.
type "limit" {
  sensor = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  low    = number
  high   = number
}

# curl --json '{"low":0,"high":30}' http://localhost:3000/limits/temperature
flow "set_limit" {
  from {
    connector = "api"
    operation = "POST /limits/:sensor"
  }
  validate {
    input = "limit"
  }
  transform {
    sensor = "input.sensor"
    low    = "min_val([input.low, input.high])"
    high   = "max_val([input.low, input.high])"
  }
  to {
    connector = "db"
    target    = "limits"
    operation = "UPSERT"
    key       = "sensor"
  }
}

# Deletes readings older than a week, every night at three.
flow "tidy" {
  when = "0 3 * * *"

  to {
    connector = "db"
    query     = "DELETE FROM readings WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')"
  }
}
`,
  "migrations/001_readings.sql": `-- Every reading, in the order in which they came.
CREATE TABLE readings (
  position INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  device   TEXT NOT NULL,
  sensor   TEXT NOT NULL,
  value    REAL NOT NULL,
  alarm    INTEGER NOT NULL,
  at       TEXT NOT NULL
);

CREATE INDEX readings_by_sensor ON readings (device, sensor, position);
CREATE INDEX readings_by_time ON readings (at);
`,
  "migrations/002_limits.sql":
    `-- The range in which a sensor is well. One that is not listed raises no alarm.
CREATE TABLE limits (
  sensor TEXT PRIMARY KEY NOT NULL,
  low    REAL NOT NULL,
  high   REAL NOT NULL,
  CHECK (low <= high)
);

INSERT INTO limits (sensor, low, high) VALUES
  ('temperature', 5, 35),
  ('humidity', 20, 80),
  ('battery', 20, 100);
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
    <title>Weir devices</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="style.css">
    <script type="module" src="iot.js"></script>
  </head>
  <body>
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> Weir devices</h1>
      <p id="state" class="state" role="status" data-state="connecting">Connecting…</p>
    </header>

    <main>
      <section aria-labelledby="devices-title">
        <h2 id="devices-title">Devices</h2>
        <ul id="devices" class="cards" aria-labelledby="devices-title"></ul>
        <p id="no-devices" class="hint">No device has sent a reading yet.</p>

        <h2 id="alarms-title">Alarms</h2>
        <ol id="alarms" class="items" aria-labelledby="alarms-title" aria-live="assertive"></ol>
        <p id="no-alarms" class="hint">None since this page was opened.</p>
      </section>

      <section aria-labelledby="try-title">
        <h2 id="try-title">Be a device</h2>
        <form id="form" class="fields">
          <label>Device <input
            id="device"
            value="greenhouse-1"
            pattern="[a-z0-9\\-]+"
            title="a to z, digits and -"
            maxlength="40"
            required
            autocomplete="off"
            spellcheck="false"
          ></label>
          <label>Sensor <input
            id="sensor"
            value="temperature"
            pattern="[a-z][a-z0-9_]*"
            title="a to z, digits and _, beginning with a letter"
            maxlength="40"
            required
            autocomplete="off"
            spellcheck="false"
          ></label>
          <label>Value <input id="value" type="number" step="any" value="21.5" required></label>
          <button type="submit">Send</button>
        </form>
        <p id="answer" class="hint" role="status"></p>
        <p class="hint">Above 35 or below 5, a temperature raises an alarm. To change that:</p>
        <pre tabindex="0" aria-label="Command that sets limits"><code id="curl"></code></pre>
      </section>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`,
  "public/iot.js":
    `// The page: the newest readings of every device, alarms, and a form that is a device itself.

import { Connection, ConnectionLost } from "./connection.js";

const ALARMS = 50;
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By device: its card, and its sensors' newest readings and rows by name. */
const devices = new Map();

const connection = new Connection({
  url: () => address("/ws"),
  onState(state, retryInMs) {
    const words = { connecting: "Connecting…", open: "Live" };
    $("state").dataset.state = state;
    $("state").textContent = words[state] ??
      \`Offline, next try in \${Math.ceil(retryInMs / 1000)} s\`;
    if (state === "open") load();
  },
  onMessage(data) {
    if (data.kind === "reading") showReading(data);
    else if (data.kind === "alarm") showAlarm(data);
    else showPresence(data);
  },
});

async function load() {
  try {
    await connection.request({ type: "join_room", room: "alarms" });
    const response = await fetch("/readings");
    if (!response.ok) throw new Error(\`The server answered \${response.status}\`);
    for (const reading of await response.json()) showReading(reading);
  } catch (error) {
    // After a reconnect, everything is loaded again.
    if (!(error instanceof ConnectionLost)) $("answer").textContent = error.message;
  }
}

/** Shows a reading, unless a newer one of that sensor is known. */
function showReading({ device, sensor, value, alarm, at }) {
  const { card, sensors } = deviceOf(device);
  let row = sensors.get(sensor);
  if (row !== undefined && row.at >= at) return;
  if (row === undefined) {
    row = { item: document.createElement("p"), figure: document.createElement("strong") };
    row.item.append(\`\${sensor.replaceAll("_", " ")} \`, row.figure);
    const after = [...sensors].find(([other]) => other > sensor)?.[1].item;
    card.readings.insertBefore(row.item, after ?? null);
    sensors.set(sensor, row);
  }
  row.at = at;
  row.figure.textContent = number.format(value);
  // A database without booleans keeps 0 and 1.
  row.item.dataset.alarm = String(Boolean(alarm));
  card.time.textContent = clock.format(new Date(at));
  card.time.dateTime = at;
}

function showPresence({ kind, device }) {
  const known = devices.get(device);
  if (known === undefined && kind === "offline") return;
  deviceOf(device).card.presence.textContent = kind;
}

/** Cards are sorted by name, so that none moves when a reading arrives. */
function deviceOf(device) {
  const known = devices.get(device);
  if (known !== undefined) return known;
  const card = {
    readings: document.createElement("div"),
    presence: document.createElement("span"),
    time: document.createElement("time"),
  };
  card.readings.className = "readings";
  card.presence.className = "tag";
  const heading = document.createElement("h3");
  heading.append(device, " ", card.presence);
  const item = document.createElement("li");
  item.dataset.device = device;
  item.append(heading, card.readings, card.time);
  const after = [...$("devices").children].find((other) => other.dataset.device > device);
  $("devices").insertBefore(item, after ?? null);
  $("no-devices").hidden = true;
  const made = { card, sensors: new Map() };
  devices.set(device, made);
  return made;
}

function showAlarm({ device, text, at }) {
  const item = document.createElement("li");
  item.dataset.level = "urgent";
  const time = document.createElement("time");
  time.textContent = clock.format(new Date(at));
  time.dateTime = at;
  item.append(time, \` \${device}: \${text}\`);
  $("alarms").prepend(item);
  $("no-alarms").hidden = true;
  while ($("alarms").children.length > ALARMS) $("alarms").lastElementChild.remove();
}

function address(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

// ── A device ─────────────────────────────────────────────────────────────────────────────────────

/** Connected as the device whose name is in the form; another name is another device. */
let sender;
let lastId = 0;

function deviceNamed(device) {
  if (sender?.device === device) return sender.connected;
  sender?.socket.close();
  const url = address("/devices");
  url.searchParams.set("device", device);
  const socket = new WebSocket(url);
  const connected = new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onclose = () => {
      if (sender?.socket === socket) sender = undefined;
      reject(new Error("the connection was refused or lost"));
    };
  });
  // The server answers each reading with an ack or an error.
  socket.onmessage = ({ data }) => {
    const { type, message, details } = JSON.parse(data);
    const more = details?.map(({ path, message }) => \`\${path} \${message}\`).join(", ") ?? "";
    $("answer").textContent = type === "ack" ? "Stored." : \`\${message} \${more}\`;
  };
  sender = { device, socket, connected };
  return connected;
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = { sensor: $("sensor").value, value: $("value").valueAsNumber };
  try {
    const socket = await deviceNamed($("device").value);
    socket.send(JSON.stringify({ type: "reading", id: ++lastId, data }));
  } catch (error) {
    $("answer").textContent = \`Not sent: \${error.message}\`;
  }
});
$("curl").textContent = \`curl --json '{"low":0,"high":30}' \${location.origin}/limits/temperature\`;
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

test "a reading is stored, shown, and confirmed to its device" {
  client "greenhouse" {
    connector = "devices"
    params    = { device = "greenhouse-1" }
  }
  client "page" { connector = "pages" }

  given "greenhouse" {
    operation = "reading"
    id        = 1
    data      = { sensor = "temperature", value = 21.5 }
  }

  expect "greenhouse" {
    type = "ack"
    id   = 1
  }
  expect "db" {
    target = "readings"
    data   = { device = "greenhouse-1", sensor = "temperature", value = 21.5, alarm = false }
  }
  expect "page" { data = { kind = "reading", device = "greenhouse-1", value = 21.5 } }
}

test "a value out of range raises an alarm in the room alarms" {
  client "greenhouse" {
    connector = "devices"
    params    = { device = "greenhouse-1" }
  }
  client "page" { connector = "pages" }
  client "guard" {
    connector = "pages"
    rooms     = ["alarms"]
  }

  given "greenhouse" {
    operation = "reading"
    data      = { sensor = "temperature", value = 41 }
  }

  expect "guard" {
    room = "alarms"
    data = { kind = "alarm", device = "greenhouse-1", text = "temperature is 41, not 5 to 35" }
  }
  expect "page" { data = { kind = "reading", alarm = true } }
  expect "page" { nothing = true }
}

test "the limits of a sensor can be set, in any order" {
  client "pump" {
    connector = "devices"
    params    = { device = "pump" }
  }
  client "guard" {
    connector = "pages"
    rooms     = ["alarms"]
  }

  given "api" {
    operation = "POST /limits/pressure"
    data      = { low = 9, high = 1 }
  }
  expect "api" { data = { sensor = "pressure", low = 1, high = 9 } }

  given "pump" {
    operation = "reading"
    data      = { sensor = "pressure", value = 9.5 }
  }
  expect "guard" { data = { kind = "alarm", text = "pressure is 9.5, not 1 to 9" } }
}

test "invalid readings and a false device are refused" {
  client "pump" {
    connector = "devices"
    params    = { device = "pump" }
  }

  given "pump" {
    operation = "reading"
    data      = { sensor = "temperature", value = "hot", device = "greenhouse-1" }
  }

  expect "pump" {
    error   = "validation_failed"
    details = [{ path = "value" }, { path = "device" }]
  }
  expect "db" { nothing = true }
}

test "a device without a valid name is refused; other devices connect and disconnect" {
  client "page" { connector = "pages" }
  client "nobody" { connector = "devices" }
  client "pump" {
    connector = "devices"
    params    = { device = "pump" }
  }

  given "nobody" { operation = "connect" }
  expect "nobody" { error = "rejected" }
  expect "page" { nothing = true }

  given "pump" { operation = "connect" }
  expect "page" { data = { kind = "online", device = "pump" } }
  given "pump" { operation = "disconnect" }
  expect "page" { data = { kind = "offline", device = "pump" } }
}
`,
};
