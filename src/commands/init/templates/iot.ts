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
code without a build step, with a form that acts as a device; it imports Weir's client library from
the server. \`tests.hcl\` has the tests.

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

The page shows the device as online, with a table of its newest readings. A device may have several
connections, as when it connects again before the server has noticed that the old connection is
dead: it is offline when the last one has gone. 41 degrees are out of range, so the page shows an
alarm. This sets another range:

\`\`\`sh
curl --json '{"low":0,"high":45}' http://localhost:3000/limits/temperature
\`\`\`

## Devices that are online

Every connection of a device is a member of the room \`online\`, and a flow asks for its members when
a connection ends. There is no auth, so anybody can connect as any device. \`weir check\` and each
start warn of that, with \`unverified-user\`, until the connector \`devices\` has an \`auth\` block.

## Change

| change          | how                                                                            |
| --------------- | ------------------------------------------------------------------------------ |
| the port        | the variable \`PORT\`, 3000 otherwise                                            |
| the database    | the variable \`IOT_DB\`; \`data/iot.db\` otherwise                                 |
| the design      | the colours and sizes at the top of \`public/design.css\`                        |
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

  # Every connection of a device is a member of the room "online", from its first moment to its last.
  room "online" {
    join = "false" # A device does not join by itself: a flow lets it in.
    presence {
      info        = "client.params.device"
      leave_grace = "0s"
      max         = 10000
    }
  }
}

# Pages connect to ws://localhost:3000/ws, on the same port. It also serves the page in public/, and the
# client library that the page imports from /weir.js.
connector "pages" {
  type   = "websocket"
  port   = constants.port
  path   = "/ws"
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
    connector = "devices"
    operation = "join_room"
    target    = "online"
  }
  to {
    connector = "pages"
    operation = "broadcast"
  }
}

# A device can have two connections for a while: it connects again before the server has noticed that
# the old connection is dead. It is offline when the last one has gone.
flow "offline" {
  from {
    connector = "devices"
    operation = "disconnect"
  }

  # A step looks something up. Its result is step.NAME, here the members of the room.
  step "others" {
    connector = "devices"
    operation = "presence"
    target    = "online"
  }
  transform {
    kind   = "'offline'"
    device = "client.params.device"
    at     = "now()"
  }
  to {
    connector = "pages"
    operation = "broadcast"
    when      = "!step.others.members.exists(member, member.info == output.device)"
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

# The devices that are online, for a new page.
flow "devices_online" {
  from {
    connector = "api"
    operation = "GET /online"
  }
  step "online" {
    connector = "devices"
    operation = "presence"
    target    = "online"
  }
  response {
    devices = "step.online.members.map(member, member.info)"
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
  "public/devices.js":
    `// The cards of the devices: whether each is online, and the newest reading of each of its sensors.

import { $, badge, element } from "./page.js";

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** By device: the parts of its card, and the newest reading and the row of each sensor. */
const devices = new Map();

/** The names of the devices that are shown. */
export function shownDevices() {
  return [...devices.keys()];
}

/** Shows a reading, unless a newer one of that sensor is known. */
export function showReading({ device, sensor, value, alarm, at }) {
  const { readings, time, sensors } = cardOf(device);
  const row = sensors.get(sensor) ?? addSensor(readings, sensors, sensor);
  if (row.at >= at) return;
  row.at = at;
  row.figure.textContent = number.format(value);
  // A database without booleans keeps 0 and 1.
  row.item.dataset.alarm = String(Boolean(alarm));
  if (time.dateTime >= at) return;
  time.dateTime = at;
  time.textContent = clock.format(new Date(at));
}

/** Shows whether a device is online. */
export function showOnline(device, isOnline) {
  const { presence } = cardOf(device);
  presence.textContent = isOnline ? "online" : "offline";
  presence.dataset.tone = isOnline ? "success" : "offline";
}

/** Sensors are sorted by name, and so are devices: none moves when a reading arrives. */
function addSensor(readings, sensors, sensor) {
  const figure = element("strong");
  const name = sensor.replaceAll("_", " ");
  const row = {
    item: element("p", [name, " ", figure, " ", badge("out of range", "danger")]),
    figure,
  };
  row.item.dataset.sensor = sensor;
  insertSorted(readings, row.item, "sensor");
  sensors.set(sensor, row);
  return row;
}

function cardOf(device) {
  const known = devices.get(device);
  if (known !== undefined) return known;
  const made = {
    presence: element("span", "", "badge dot"),
    readings: element("div", "", "readings"),
    time: element("time"),
    sensors: new Map(),
  };
  const head = element("div", [element("h3", device), made.presence], "row apart");
  const item = element("li", [head, made.readings, made.time], "panel device");
  item.dataset.device = device;
  insertSorted($("devices"), item, "device");
  $("no-devices").hidden = true;
  devices.set(device, made);
  return made;
}

function insertSorted(list, item, key) {
  const after = [...list.children].find(({ dataset }) => dataset[key] > item.dataset[key]);
  list.insertBefore(item, after ?? null);
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
    <title>Weir devices</title>
    <link rel="icon" href="favicon.svg">
    <link rel="stylesheet" href="design.css">
    <link rel="stylesheet" href="iot.css">
    <script type="module" src="iot.js"></script>
  </head>
  <body>
    <header class="bar">
      <h1><img src="favicon.svg" alt="" width="28" height="28"> <span>Weir devices</span></h1>
      <div class="connection">
        <p id="state" class="badge dot" role="status" data-tone="warning">Connecting…</p>
        <button id="retry" class="quiet" type="button" hidden>Try now</button>
      </div>
    </header>

    <main class="page">
      <section class="stack" aria-labelledby="devices-title">
        <div class="row apart">
          <h2 id="devices-title">Devices</h2>
          <a class="jump" href="#alarms-title">
            Alarms <span id="alarm-count" class="badge" data-tone="danger"></span>
          </a>
        </div>
        <ul id="devices" class="cards" aria-labelledby="devices-title"></ul>
        <p id="no-devices" class="empty" hidden>
          <strong>No device has sent a reading yet</strong>
          Be one yourself with the form, or connect a program.
        </p>
      </section>

      <div class="stack">
        <section class="panel stack" aria-labelledby="alarms-title">
          <h2 id="alarms-title">Alarms</h2>
          <div class="alarms" tabindex="0" role="region" aria-label="List of alarms">
            <ol id="alarms" class="stack" aria-labelledby="alarms-title" aria-live="assertive"></ol>
            <p id="no-alarms" class="hint">None since this page was opened.</p>
          </div>
        </section>

        <section class="panel stack" aria-labelledby="try-title">
          <h2 id="try-title">Be a device</h2>
          <form id="form" class="fields">
            <label class="wide">Device <input
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
            <button type="submit" class="primary wide">Send</button>
          </form>
          <p id="answer" class="answer" role="status"></p>
          <p class="hint">Above 35 or below 5, a temperature raises an alarm. To change that:</p>
          <div class="command">
            <pre tabindex="0" aria-label="Command that sets limits"><code id="curl"></code></pre>
            <button id="copy" class="quiet" type="button">Copy</button>
          </div>
        </section>
      </div>
    </main>

    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`,
  "public/iot.css": `/* The cards of devices, and the list of alarms. */

.device {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: var(--space-2);
  align-content: start;
}

.device .row {
  flex-wrap: nowrap;
}

/* A name, a word about an alarm, and a value: the values are below each other. */
.readings p {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto minmax(4.5rem, auto);
  gap: var(--space-2);
  align-items: center;
  min-height: 2.25rem;
  border-top: 1px solid var(--line);
}

.readings strong {
  grid-row: 1;
  grid-column: 3;
  font-size: var(--text-large);
  font-variant-numeric: tabular-nums;
  text-align: end;
}

.readings [data-alarm="true"] strong {
  color: var(--danger);
}

.readings [data-alarm="false"] .badge {
  display: none;
}

/* It keeps its height, so that nothing below moves when an alarm comes. */
.alarms {
  height: 12rem;
  overflow-y: auto;
}

.alarms .stack {
  gap: 0;
}

.alarm {
  padding: var(--space-2) var(--space-3);
  border-inline-start: 4px solid var(--danger);
  border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere;
}
`,
  "public/iot.js":
    `// The page: devices with their newest readings, alarms, and a form that is a device itself.

import { connect } from "/weir.js";
import { shownDevices, showOnline, showReading } from "./devices.js";
import {
  $,
  answer,
  ask,
  element,
  prepend,
  reasons,
  showCommand,
  showConnection,
  timeElement,
} from "./page.js";

const ALARMS = 50;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

const weir = connect("/ws");
showConnection(weir);
weir.on("message", (data) => {
  if (data.kind === "reading") showReading(data);
  // What has sent a reading is there.
  showOnline(data.device, data.kind !== "offline");
});
weir.on("status", (status) => {
  if (status === "open") load().catch(({ message }) => answer("answer", message, "danger"));
});
weir.join("alarms").then((alarms) => alarms.on("message", showAlarm));

/** Loads the newest readings, and which devices are online. Newer readings stay. */
async function load() {
  const [readings, { devices }] = await Promise.all([ask("/readings"), ask("/online")]);
  readings.forEach(showReading);
  const online = new Set(devices);
  for (const device of new Set([...shownDevices(), ...devices])) {
    showOnline(device, online.has(device));
  }
  $("no-devices").hidden = shownDevices().length > 0;
}

function showAlarm({ device, text, at }) {
  const item = element("li", [timeElement(at, clock), \` \${device}: \${text}\`], "alarm");
  prepend($("alarms"), item);
  $("no-alarms").hidden = true;
  while ($("alarms").children.length > ALARMS) $("alarms").lastElementChild.remove();
  $("alarm-count").textContent = $("alarms").children.length;
}

// ── A device ─────────────────────────────────────────────────────────────────────────────────────

/** Connected as the device whose name is in the form; another name is another device. */
let device;

function deviceNamed(name) {
  if (device?.name === name) return device.weir;
  device?.weir.close();
  device = { name, weir: connect(\`/devices?device=\${encodeURIComponent(name)}\`) };
  return device.weir;
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reading = { sensor: $("sensor").value, value: $("value").valueAsNumber };
  answer("answer", "Sending…");
  try {
    await deviceNamed($("device").value).request("reading", reading);
    answer("answer", "Stored.", "success");
  } catch ({ message, details }) {
    answer("answer", ["Not stored:", message, ...reasons(details)].join(" "), "danger");
  }
});
showCommand(\`curl --json '{"low":0,"high":30}' \${location.origin}/limits/temperature\`);
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

test "a device is online until its last connection has gone" {
  client "page" { connector = "pages" }
  client "old" {
    connector = "devices"
    params    = { device = "pump" }
  }
  client "new" {
    connector = "devices"
    params    = { device = "pump" }
  }
  client "other" {
    connector = "devices"
    params    = { device = "greenhouse-1" }
  }

  given "other" { operation = "connect" }
  given "old" { operation = "connect" }
  given "new" { operation = "connect" }
  expect "page" { data = { kind = "online", device = "greenhouse-1" } }
  expect "page" { data = { kind = "online", device = "pump" } }
  expect "page" { data = { kind = "online", device = "pump" } }

  given "old" {
    operation = "disconnect"
    code      = 1006
  }
  expect "page" { nothing = true }
  given "api" { operation = "GET /online" }
  expect "api" { data = { devices = ["greenhouse-1", "pump"] } }

  given "new" { operation = "disconnect" }
  expect "page" { data = { kind = "offline", device = "pump" } }
  given "api" { operation = "GET /online" }
  expect "api" { data = { devices = ["greenhouse-1"] } }
}
`,
};
