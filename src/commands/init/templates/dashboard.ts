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
the page, plain browser code without a build step; it imports Weir's client library from the server.
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

Open <http://localhost:3000>, and send numbers from a terminal:

\`\`\`sh
curl --json '{"metric":"orders_open","value":12}' http://localhost:3000/readings
curl --json '{"metric":"temperature","value":21.5,"unit":"°C"}' http://localhost:3000/readings
\`\`\`

Each metric has a card with its newest value, and a chart of the last 60 values with the highest,
the lowest, and the times of the first and the last one. Point at the chart to see another value;
with the keyboard, go to the chart and press the arrow keys.

An invalid reading is refused with the list of violations.

## Change

| change       | how                                                                        |
| ------------ | -------------------------------------------------------------------------- |
| the port     | the variable \`PORT\`, 3000 otherwise                                        |
| the database | the variable \`DASHBOARD_DB\`; \`data/dashboard.db\` otherwise                 |
| the design   | the colours and sizes at the top of \`public/design.css\`                    |
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

# Browsers connect to ws://localhost:3000/ws. The same port serves the page in public/, and the client
# library that the page imports from /weir.js.
connector "ws" {
  type   = "websocket"
  port   = constants.port
  static = "./public"
  client = "/weir.js"
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
  "public/card.js":
    `// The card of a metric: a reading and its time, and a chart of all readings. The reading is the newest
// one, or the one in the chart that the pointer or the arrow keys have chosen.

import { element } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const HEIGHT = 40;
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Makes the card; \`draw\` shows readings, oldest first. */
export function createCard(metric) {
  const name = metric.replaceAll("_", " ");
  const [value, unit, highest, lowest] = ["strong", "span", "span", "span"].map((tag) =>
    element(tag)
  );
  const [time, first, last] = [1, 2, 3].map(() => element("time"));
  const [area, line, upright] = ["polygon", "polyline", "line"].map((tag) =>
    document.createElementNS(SVG, tag)
  );
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", \`0 0 \${WIDTH} \${HEIGHT}\`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  picture.append(area, upright, line);
  const mark = element("span", "", "mark");

  // A slider over the picture: the keyboard, a finger and a screen reader know how to use one.
  const choice = element("input");
  Object.assign(choice, { type: "range", min: 0, ariaLabel: \`Reading of \${name}\` });
  const plot = element("div", [picture, mark, choice], "plot");

  const item = element("li", [
    element("div", [element("h3", name), time], "row apart"),
    element("p", [value, " ", unit], "figure"),
    element("div", [plot, element("p", [highest, lowest], "values")], "chart"),
    element("p", [first, last], "times"),
  ], "panel metric");
  item.dataset.metric = metric;

  let readings = [];
  let points = [];
  /** The index of the chosen reading; undefined for the newest. */
  let chosen;

  function showReading() {
    const index = Math.min(chosen ?? Infinity, readings.length - 1);
    const reading = readings[index];
    value.textContent = number.format(reading.value);
    unit.textContent = reading.unit;
    setTime(time, reading.at);
    choice.value = index;
    choice.ariaValueText = \`\${number.format(reading.value)} \${reading.unit}, \${time.textContent}\`;
    const { x, y } = points[index];
    for (const [name, at] of Object.entries({ x1: x, x2: x, y1: 0, y2: HEIGHT })) {
      upright.setAttribute(name, at);
    }
    mark.style.left = \`\${100 * x / WIDTH}%\`;
    mark.style.top = \`\${100 * y / HEIGHT}%\`;
    item.classList.toggle("chosen", chosen !== undefined);
  }

  function choose(index) {
    chosen = index;
    showReading();
  }

  choice.addEventListener("input", () => choose(choice.valueAsNumber));
  choice.addEventListener("blur", () => choose());
  plot.addEventListener("pointerleave", () => choose());
  plot.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = plot.getBoundingClientRect();
    choose(nearest(points, WIDTH * (clientX - left) / width));
  });

  return {
    item,
    draw(shown) {
      // The chosen reading stays chosen while older ones go.
      const id = readings[chosen]?.id;
      readings = shown;
      if (id !== undefined) chosen = Math.max(0, readings.findIndex((each) => each.id === id));
      const values = readings.map((reading) => reading.value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      points = pointsOf(readings, low, high);
      const path = points.map(({ x, y }) => \`\${x},\${y}\`);
      line.setAttribute("points", path.length === 1 ? \`0,\${points[0].y} \${path}\` : path.join(" "));
      area.setAttribute("points", \`0,\${HEIGHT} \${line.getAttribute("points")} \${WIDTH},\${HEIGHT}\`);
      choice.max = readings.length - 1;
      highest.textContent = \`max \${limit(high)}\`;
      lowest.textContent = \`min \${limit(low)}\`;
      setTime(first, readings[0].at);
      setTime(last, readings.at(-1).at);
      showReading();
    },
  };
}

/** Where each reading is. Equal values are in the middle, and a single reading is on the right. */
function pointsOf(readings, low, high) {
  const times = readings.map(({ at }) => Date.parse(at));
  const [start, end] = [times[0], times.at(-1)];
  return readings.map(({ value }, index) => ({
    x: end === start ? WIDTH : round(WIDTH * (times[index] - start) / (end - start)),
    y: high === low ? HEIGHT / 2 : round(HEIGHT - 2 - (HEIGHT - 4) * (value - low) / (high - low)),
  }));
}

/** A number that fits beside the chart. */
function limit(value) {
  return (Math.abs(value) < 100_000 ? number : short).format(value);
}

function nearest(points, x) {
  const distances = points.map((point) => Math.abs(point.x - x));
  return distances.indexOf(Math.min(...distances));
}

function setTime(time, at) {
  time.textContent = clock.format(new Date(at));
  time.dateTime = at;
}

function round(value) {
  return Math.round(100 * value) / 100;
}
`,
  "public/dashboard.css": `/* The cards of the dashboard and their charts. */

.metric {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: var(--space-1);
}

.metric .row {
  flex-wrap: nowrap;
}

.chart {
  display: grid;
  grid-template-rows: minmax(0, 1fr);
  grid-template-columns: minmax(0, 1fr) 5.5rem;
  gap: var(--space-2);
  height: 5rem;
  margin-top: var(--space-2);
}

.plot {
  position: relative;
  border-bottom: 1px solid var(--line);
  border-left: 1px solid var(--line);
}

.plot svg {
  display: block;
  width: 100%;
  height: 100%;
}

.plot polyline {
  fill: none;
  stroke: var(--accent);
  stroke-width: 2;
  stroke-linejoin: round;
  vector-effect: non-scaling-stroke;
}

.plot polygon {
  fill: var(--accent-tint);
  opacity: 0.6;
}

.mark {
  position: absolute;
  width: 0.6rem;
  height: 0.6rem;
  margin: -0.3rem;
  border: 2px solid var(--surface);
  border-radius: 50%;
  background: var(--accent);
}

/* Through the chosen reading. */
.plot line {
  visibility: hidden;
  stroke: var(--field-line);
  vector-effect: non-scaling-stroke;
}

.chosen .plot line {
  visibility: visible;
}

.plot input[type="range"] {
  position: absolute;
  inset: 0;
  width: 100%;
  min-height: 0;
  height: 100%;
  margin: 0;
  padding: 0;
  opacity: 0;
  cursor: crosshair;
}

.plot:focus-within {
  border-radius: 2px;
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}

.values,
.times {
  display: flex;
  justify-content: space-between;
  color: var(--soft);
  font-size: var(--text-small);
  font-variant-numeric: tabular-nums;
}

.values {
  flex-direction: column;
}

/* The times are below the chart alone. */
.times {
  margin-right: calc(5.5rem + var(--space-2));
}
`,
  "public/dashboard.js":
    `// The page: a card for each metric, with its newest value and a chart of those before.

import { connect } from "/weir.js";
import { createCard } from "./card.js";
import { $, answer, ask, showCommand, showConnection } from "./page.js";

const POINTS = 60;

/** By metric: the readings that are shown, oldest first, and the card. */
const metrics = new Map();

const weir = connect("/ws");
showConnection(weir);
weir.on("message", (reading) => show([reading]));
weir.on("status", (status) => {
  if (status === "open") load().catch(({ message }) => answer("answer", message, "danger"));
});

/** Loads the stored readings. Readings that arrived in the meantime are newer and stay. */
async function load() {
  const stored = await ask("/readings");
  show(stored.sort((a, b) => a.metric < b.metric ? -1 : 1));
  $("no-metrics").hidden = metrics.size > 0;
}

function show(fresh) {
  const changed = new Set();
  for (const reading of fresh) {
    const { readings } = metricOf(reading.metric);
    if (readings.some(({ id }) => id === reading.id)) continue;
    readings.push(reading);
    changed.add(reading.metric);
  }
  for (const metric of changed) {
    const { readings, card } = metrics.get(metric);
    readings.sort((a, b) => a.at < b.at ? -1 : 1);
    readings.splice(0, readings.length - POINTS);
    card.draw(readings);
  }
}

/** The card of a new metric is the last one, so that no other card moves. */
function metricOf(metric) {
  const known = metrics.get(metric);
  if (known !== undefined) return known;
  const made = { readings: [], card: createCard(metric) };
  $("metrics").append(made.card.item);
  $("no-metrics").hidden = true;
  metrics.set(metric, made);
  return made;
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reading = {
    metric: $("metric").value,
    value: $("value").valueAsNumber,
    unit: $("unit").value,
  };
  try {
    await ask("/readings", reading);
    answer("answer", "Stored.", "success");
  } catch ({ message }) {
    answer("answer", message, "danger");
  }
});
showCommand(\`curl --json '{"metric":"orders_open","value":12}' \${location.origin}/readings\`);
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
    <link rel="stylesheet" href="design.css">
    <link rel="stylesheet" href="dashboard.css">
    <script type="module" src="dashboard.js"></script>
  </head>
  <body>
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> <span>Weir dashboard</span></h1>
      <div class="connection">
        <p id="state" class="badge dot" role="status" data-tone="warning">Connecting…</p>
        <button id="retry" class="quiet" type="button" hidden>Try now</button>
      </div>
    </header>

    <main class="page">
      <section class="stack" aria-labelledby="metrics-title">
        <div class="row apart">
          <h2 id="metrics-title">Metrics</h2>
          <a class="jump" href="#try-title">Send a reading</a>
        </div>
        <ul id="metrics" class="cards" aria-labelledby="metrics-title"></ul>
        <p id="no-metrics" class="empty" hidden>
          <strong>No reading has arrived yet</strong>
          Send the first one with the form or from a terminal.
        </p>
      </section>

      <section class="panel stack" aria-labelledby="try-title">
        <h2 id="try-title">Send a reading</h2>
        <form id="form" class="fields">
          <label class="wide">Metric <input
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
          <button type="submit" class="primary wide">Send</button>
        </form>
        <p id="answer" class="answer" role="status"></p>
        <p class="hint">The same from a terminal, and every open page shows it:</p>
        <div class="command">
          <pre tabindex="0" aria-label="Command that sends a reading"><code id="curl"></code></pre>
          <button id="copy" class="quiet" type="button">Copy</button>
        </div>
      </section>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
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
