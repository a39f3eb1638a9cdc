// @generated from examples/dashboard/ by `deno task docs`. Do not edit.

/** The text of every file, by its path with slashes. */
export const files: Readonly<Record<string, string>> = {
  ".env.example":
    `# Copy this file to .env. Variables that the environment already has are not replaced.

# The port of the page, the WebSocket and the HTTP requests.
PORT=3000

# The SQLite file. A relative path begins at the folder of dashboard.hcl.
DASHBOARD_DB=./data/dashboard.db
`,
  "README.md": `# Dashboard

Live numbers: a program posts a reading, and every open page shows it at once. \`dashboard.hcl\` is
the whole server: HTTP in, one SQLite file, a broker inside the process, WebSocket out. \`public/\` is
the page, plain browser code without a library or a build step. \`tests.hcl\` has the tests.

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

Open <http://localhost:3000>, and send numbers from a terminal:

\`\`\`sh
curl --json '{"metric":"orders_open","value":12}' http://localhost:3000/readings
curl --json '{"metric":"temperature","value":21.5,"unit":"°C"}' http://localhost:3000/readings
\`\`\`

An invalid reading is refused with the list of violations.

## Change

| change       | how                                                                        |
| ------------ | -------------------------------------------------------------------------- |
| the port     | the variable \`PORT\`, 3000 otherwise                                        |
| the database | the variable \`DASHBOARD_DB\`; \`data/dashboard.db\` otherwise                 |
| the broker   | \`driver = "rabbitmq"\` and a \`url\` in the connector \`events\`, nothing else  |
| retention    | the flow \`tidy\`, which deletes readings older than a day                   |
| more numbers | flows like \`count\`: a \`when\`, a \`step\` with a query, a \`to\` that publishes |
`,
  "dashboard.hcl":
    `# A dashboard of live numbers. A program posts a reading over HTTP. The reading is stored, and every
# open page shows it at once. A new page loads the stored readings.
#
# A connector is something that Weir talks to. A flow takes events from one connector, or from the
# clock, and delivers them to others.

# env() reads an environment variable, or returns the default.
constants {
  port   = env("PORT", 3000)
  points = 60 # readings of each metric that a page draws
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/.
connector "ws" {
  type   = "websocket"
  port   = constants.port
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
  database   = env("DASHBOARD_DB", "./data/dashboard.db")
  migrations = "./migrations"
}

# A broker inside the process. With driver = "rabbitmq" and a url, any program can publish readings,
# and the flows below stay as they are.
connector "events" {
  type   = "mq"
  driver = "memory"
}

# ── Receiving ────────────────────────────────────────────────────────────────────────────────────

# The fields of a reading. Any other body is answered with 422 and the list of violations.
type "reading" {
  metric = string({ pattern = "^[a-z][a-z0-9_]*$", max_length = 40 })
  value  = number
  unit   = string({ max_length = 12, default = "" })
}

# curl --json '{"metric":"orders_open","value":12}' http://localhost:3000/readings
flow "record" {
  from {
    connector = "api"
    operation = "POST /readings"
  }
  validate {
    input = "reading"
  }

  # Text in quotes is an expression: \`input\` is the event.
  transform {
    id     = "uuid()"
    metric = "input.metric"
    value  = "input.value"
    unit   = "input.unit"
    at     = "now()"
  }

  # Destinations run one after the other, each only after the one before it succeeded: pages see only
  # stored readings. In a database, the fields of the payload are the columns. For a broker, the
  # target is a routing key.
  to {
    connector = "db"
    target    = "readings"
  }
  to {
    connector = "events"
    target    = "'reading.' + output.metric"
  }
}

# ── Schedules ────────────────────────────────────────────────────────────────────────────────────

# A flow can also start on a schedule. This one looks something up first: the result of a step is
# \`step.NAME\`, here the single row of the query. The result is published like a reading, but not
# stored.
flow "count" {
  when = "@every 2s"

  step "stored" {
    connector = "db"
    query     = "SELECT count(*) AS amount FROM readings"
  }
  transform {
    id     = "uuid()"
    metric = "'readings_stored'"
    value  = "step.stored.amount"
    unit   = "''"
    at     = "now()"
  }
  to {
    connector = "events"
    target    = "reading.readings_stored"
  }
}

# Deletes readings older than a day, every hour.
flow "tidy" {
  when = "0 * * * *"

  to {
    connector = "db"
    query     = "DELETE FROM readings WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')"
  }
}

# ── Publishing ───────────────────────────────────────────────────────────────────────────────────

# Every page gets reading.ANYTHING, from this service or, with a real broker, from any program.
flow "live" {
  from {
    connector = "events"
    operation = "reading.*"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

# The newest readings of every metric, for a new page. A flow without a response answers with the
# result of its first destination, here the rows.
flow "recent" {
  from {
    connector = "api"
    operation = "GET /readings"
  }
  to {
    connector = "db"
    query     = <<-SQL
      SELECT id, metric, value, unit, at
      FROM (
        SELECT *, row_number() OVER (PARTITION BY metric ORDER BY position DESC) AS age
        FROM readings
      )
      WHERE age <= :points
      ORDER BY position
    SQL
    params = {
      points = "constants.points"
    }
  }
}
`,
  "migrations/001_readings.sql": `-- Every reading, in the order in which they came.
CREATE TABLE readings (
  position INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  metric   TEXT NOT NULL,
  value    REAL NOT NULL,
  unit     TEXT NOT NULL,
  at       TEXT NOT NULL
);

CREATE INDEX readings_by_metric ON readings (metric, position);
CREATE INDEX readings_by_time ON readings (at);
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
  "public/dashboard.js":
    `// The page: a card for each metric, with its newest value and a line of those before.

import { Connection } from "./connection.js";

const POINTS = 60;
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By metric: the readings that are shown, oldest first, and the parts of the card. */
const metrics = new Map();

new Connection({
  url() {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  },
  onState(state, retryInMs) {
    const words = { connecting: "Connecting…", open: "Live" };
    $("state").dataset.state = state;
    $("state").textContent = words[state] ??
      \`Offline, next try in \${Math.ceil(retryInMs / 1000)} s\`;
    if (state === "open") load().catch((error) => $("state").textContent = error.message);
  },
  onMessage: show,
});

/** Loads the stored readings. Readings that arrived in the meantime are newer and stay. */
async function load() {
  const response = await fetch("/readings");
  if (!response.ok) throw new Error(\`The server answered \${response.status}\`);
  for (const reading of await response.json()) show(reading);
}

function show(reading) {
  const { id, metric } = reading;
  if (!metrics.has(metric)) addCard(metric);
  const { readings, card } = metrics.get(metric);
  if (readings.some((other) => other.id === id)) return;
  readings.push(reading);
  readings.sort((a, b) => a.at < b.at ? -1 : 1);
  readings.splice(0, readings.length - POINTS);
  const newest = readings.at(-1);
  card.value.textContent = number.format(newest.value);
  card.unit.textContent = newest.unit;
  card.time.textContent = clock.format(new Date(newest.at));
  card.time.dateTime = newest.at;
  card.line.setAttribute("points", points(readings));
}

/** Cards are sorted by name, so that none moves when a number changes. */
function addCard(metric) {
  const card = {
    value: document.createElement("strong"),
    unit: document.createElement("span"),
    time: document.createElement("time"),
    line: document.createElementNS(SVG, "polyline"),
  };
  const heading = document.createElement("h3");
  heading.textContent = metric.replaceAll("_", " ");
  const figure = document.createElement("p");
  figure.className = "figure";
  figure.append(card.value, " ", card.unit);
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 100 30");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  picture.append(card.line);
  const item = document.createElement("li");
  item.dataset.metric = metric;
  item.append(heading, figure, picture, card.time);
  const after = [...$("metrics").children].find((other) => other.dataset.metric > metric);
  $("metrics").insertBefore(item, after ?? null);
  $("no-metrics").hidden = true;
  metrics.set(metric, { readings: [], card });
}

/** The points of the line. If all values are equal, it is in the middle. */
function points(readings) {
  const values = readings.map(({ value }) => value);
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const y = (value) => range === 0 ? 15 : 28 - 26 * (value - low) / range;
  if (values.length === 1) return \`0,\${y(values[0])} 100,\${y(values[0])}\`;
  return values.map((value, index) => \`\${100 * index / (values.length - 1)},\${y(value)}\`).join(" ");
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reading = {
    metric: $("metric").value,
    value: $("value").valueAsNumber,
    unit: $("unit").value,
  };
  try {
    const response = await fetch("/readings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(reading),
    });
    const { error } = await response.json();
    $("answer").textContent = error === undefined ? "Stored." : error.message;
  } catch (error) {
    $("answer").textContent = \`Not sent: \${error.message}\`;
  }
});
$("curl").textContent =
  \`curl --json '{"metric":"orders_open","value":12}' \${location.origin}/readings\`;
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
    <title>Weir dashboard</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="style.css">
    <script type="module" src="dashboard.js"></script>
  </head>
  <body>
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> Weir dashboard</h1>
      <p id="state" class="state" role="status" data-state="connecting">Connecting…</p>
    </header>

    <main>
      <section aria-labelledby="metrics-title">
        <h2 id="metrics-title">Metrics</h2>
        <ul id="metrics" class="cards" aria-labelledby="metrics-title"></ul>
        <p id="no-metrics" class="hint">No reading has arrived yet.</p>
      </section>

      <section aria-labelledby="try-title">
        <h2 id="try-title">Send a reading</h2>
        <form id="form" class="fields">
          <label>Metric <input
            id="metric"
            value="orders_open"
            pattern="[a-z][a-z0-9_]*"
            title="a to z, digits and _, beginning with a letter"
            maxlength="40"
            required
            autocomplete="off"
            spellcheck="false"
          ></label>
          <label>Value <input id="value" type="number" step="any" value="12" required></label>
          <label>Unit <input id="unit" maxlength="12" autocomplete="off"></label>
          <button type="submit">Send</button>
        </form>
        <p id="answer" class="hint" role="status"></p>
        <p class="hint">The same from a terminal, and every open page shows it:</p>
        <pre tabindex="0" aria-label="Command that sends a reading"><code id="curl"></code></pre>
      </section>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
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

test "a reading is stored, and every page shows it" {
  client "page" {}
  client "another" {}

  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 12 }
  }

  expect "api" { status = 201 }
  expect "db" {
    target = "readings"
    data   = { metric = "orders_open", value = 12, unit = "" }
  }
  expect "page" { data = { metric = "orders_open", value = 12 } }
  expect "another" { data = { metric = "orders_open", value = 12 } }
}

test "pages show every reading that is published on the broker" {
  client "page" {}

  given "events" {
    operation = "reading.temperature"
    data      = { id = "r1", metric = "temperature", value = 21.5, unit = "°C", at = "2026-01-31T12:00:00Z" }
  }

  expect "page" { data = { metric = "temperature", value = 21.5 } }
}

test "a new page loads the stored readings" {
  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 1 }
  }
  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 2 }
  }
  expect "api" {
    status = 201
    count  = 2
  }

  given "api" { operation = "GET /readings" }
  expect "api" {
    status = 200
    data   = [{ value = 1 }, { value = 2 }]
  }
}

test "an invalid reading is refused with every violation" {
  client "page" {}

  given "api" {
    operation = "POST /readings"
    data      = { metric = "Orders open", value = "12" }
  }

  expect "api" {
    status = 422
    data   = { error = { code = "validation_failed", details = [{ path = "metric" }, { path = "value" }] } }
  }
  expect "page" { nothing = true }
  expect "db" { nothing = true }
}

test "every two seconds the page gets the number of stored readings" {
  client "page" {}

  advance { by = "2s" }
  expect "page" { data = { metric = "readings_stored", value = 0 } }

  given "api" {
    operation = "POST /readings"
    data      = { metric = "orders_open", value = 12 }
  }
  advance { by = "2s" }
  expect "page" { data = { metric = "readings_stored", value = 1 } }
}
`,
};
