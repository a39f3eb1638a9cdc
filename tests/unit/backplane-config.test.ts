import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { hostOptions } from "../../src/server/files.ts";
import { failuresOf } from "../support/config.ts";
import { placed } from "../support/problems.ts";

const NAMED = 'service {\n  name = "chat"\n}\n';
const REDIS = mq("bus", 'driver = "redis"\n  host = "localhost"');

function mq(name: string, text: string): string {
  return `connector "${name}" {\n  type = "mq"\n  ${text}\n}\n`;
}

function websocket(name: string, port: number, text = 'backplane = "bus"'): string {
  return `connector "${name}" {\n  type = "websocket"\n  port = ${port}\n  ${text}\n}\n`;
}

function flow(from: string, rest: string): string {
  return `flow "f" {\n  from {\n    ${from}\n  }\n${rest}}\n`;
}

const TO_CLIENTS = '  to {\n    connector = "ws"\n    operation = "broadcast"\n  }\n';
const FROM_CLIENTS = 'connector = "ws"\n    operation = "message"';

/** The codes of the problems, and the text that each is about. */
async function problemsIn(text: string): Promise<string[]> {
  return (await failuresOf(text, hostOptions)).map(codeAndText);
}

function codeAndText(problem: Parameters<typeof placed>[0]): string {
  const { source, column, length } = problem;
  const [, code] = placed(problem).split(" ");
  return `${code} ${source.slice(column - 1, column - 1 + length)}`;
}

test("the backplane of a service is the connector that a websocket connector names", async () => {
  const text = NAMED + REDIS + websocket("ws", 3001) + websocket("other", 3002);
  assert.equal((await loadConfig(text, hostOptions)).backplane, "bus");
  const without = NAMED + REDIS + websocket("ws", 3001, "");
  assert.equal((await loadConfig(without, hostOptions)).backplane, undefined);
});

test("a room with history needs a backplane that keeps it", async () => {
  const room = 'backplane = "bus"\n  room "a" {\n    history {\n    }\n  }';
  const nats = mq("bus", 'driver = "nats"\n  host = "localhost"');
  const rabbit = mq("bus", 'driver = "rabbitmq"\n  host = "localhost"');
  const to = flow(
    FROM_CLIENTS,
    '  to {\n    connector = "ws"\n    operation = "send_to_room"\n    target = "a"\n  }\n',
  );
  for (const bus of [nats, rabbit]) {
    assert.deepEqual(await problemsIn(NAMED + bus + websocket("ws", 3001, room) + to), [
      'unsupported-history room "a"',
    ]);
  }
  assert.deepEqual(await problemsIn(NAMED + REDIS + websocket("ws", 3001, room) + to), []);
});

test("every instance would keep what each of them hears", async () => {
  const room = 'backplane = "bus"\n  room "a" {\n    history {\n    }\n  }\n  room "b" {\n  }';
  const news = mq("news", 'driver = "redis"\n  host = "localhost"');
  const to = (target: string) =>
    `  to {\n    connector = "ws"\n    operation = "send_to_room"\n    target = "${target}"\n  }\n`;
  const config = (target: string) =>
    NAMED + REDIS + news + websocket("ws", 3001, room) +
    flow('connector = "news"\n    operation = "x"', to(target)) +
    flow(FROM_CLIENTS, to("a")).replace('"f"', '"g"') +
    flow(FROM_CLIENTS, to("b")).replace('"f"', '"h"');
  const warnings = async (target: string) =>
    (await loadConfig(config(target), hostOptions)).warnings.map(codeAndText);
  assert.deepEqual(await warnings("a"), ['every-instance "ws"']);
  assert.deepEqual(await warnings("b"), []);
});

test("a backplane that cannot be one is a problem", async () => {
  const rows: readonly (readonly [text: string, problems: readonly string[]])[] = [
    [REDIS + websocket("ws", 3001), ['missing-service-name "bus"']],
    [NAMED + websocket("ws", 3001), ['unknown-connector "bus"']],
    [NAMED + REDIS + websocket("ws", 3001, 'backplane = "bsu"'), ['unknown-connector "bsu"']],
    [
      NAMED + mq("bus", 'driver = "memory"') + websocket("ws", 3001),
      ['not-a-backplane "bus"'],
    ],
    [NAMED + websocket("ws", 3001, 'backplane = "ws"'), ['not-a-backplane "ws"']],
    [
      NAMED + REDIS + mq("two", 'driver = "nats"\n  host = "localhost"') +
      websocket("ws", 3001) + websocket("other", 3002, 'backplane = "two"'),
      ['several-backplanes "two"'],
    ],
    // What is wrong with the backplane itself is said once, and nothing follows from it.
    [
      NAMED + mq("bus", 'driver = "redis"\n  url = "http://x"') + websocket("ws", 3001),
      ['invalid-url "http://x"'],
    ],
    [NAMED + REDIS + websocket("ws", 3001, "backplane = 7"), ["unknown-connector 7"]],
  ];
  for (const [text, problems] of rows) assert.deepEqual(await problemsIn(text), problems, text);
});

test("dedupe needs a store where the backplane keeps no keys", async () => {
  const dedupe = (store: string) =>
    flow(FROM_CLIENTS, `  dedupe {\n    key = "input.id"\n    ttl = "1m"\n${store}  }\n`);
  const rabbit = mq("bus", 'driver = "rabbitmq"\n  host = "localhost"');
  const database = 'connector "db" {\n  type = "database"\n  driver = "sqlite"\n' +
    '  database = "./x.db"\n}\n';
  const rest = websocket("ws", 3001);
  assert.deepEqual(await problemsIn(NAMED + rabbit + rest + dedupe("")), ["missing-store dedupe"]);
  assert.deepEqual(await problemsIn(NAMED + REDIS + rest + dedupe("")), []);
  const stored = NAMED + rabbit + database + rest + dedupe('    store = "db"\n');
  assert.deepEqual(await problemsIn(stored), []);
});

test("with a backplane, what instances cannot have in common is a problem", async () => {
  const session = 'connector "devices" {\n  type = "mqtt"\n  url = "mqtt://localhost"\n' +
    '  client_id = "a"\n  clean = false\n}\n';
  const from = (operation: string) =>
    flow(`connector = "devices"\n    operation = "${operation}"`, TO_CLIENTS);
  const text = NAMED + REDIS + websocket("ws", 3001) + session;
  assert.deepEqual(await problemsIn(text + from("a/+")), [
    'unshared-connector connector "devices"',
  ]);
  assert.deepEqual(await problemsIn(text + from("$share/g/a/+")), []);
});

test("a warning where every instance writes the same event to another service", async () => {
  const events = (text: string) =>
    mq("events", `driver = "rabbitmq"\n  host = "localhost"\n  ${text}`);
  const named = 'queue {\n    name = "q"\n  }';
  const subscriber = 'connector "hook" {\n  type = "http"\n  base_url = "http://localhost:1"\n}\n';
  const post = '  to {\n    connector = "hook"\n    operation = "POST /"\n  }\n';
  const from = 'connector = "events"';
  const warningsOf = async (text: string) =>
    (await loadConfig(text, hostOptions)).warnings.map(codeAndText);
  const service = NAMED + REDIS + websocket("ws", 3001) + subscriber;
  const both = flow(from, TO_CLIENTS + post);
  assert.deepEqual(await warningsOf(service + events("") + both), ['every-instance "hook"']);
  assert.deepEqual(await warningsOf(service + events(named) + both), []);
  assert.deepEqual(await warningsOf(service + events("") + flow(from, TO_CLIENTS)), []);
  const alone = NAMED + websocket("ws", 3001, "") + subscriber + events("") + both;
  assert.deepEqual(await warningsOf(alone), []);
});

test("requests of a flow say whether every instance hears its source", async () => {
  const marks = async (source: string, operation: string) => {
    const from = `connector = "source"\n    operation = "${operation}"`;
    const fallback =
      '  error_handling {\n    fallback {\n      connector = "ws"\n      operation = "broadcast"\n' +
      "    }\n  }\n";
    const step =
      '  step "told" {\n    connector = "ws"\n    operation = "broadcast"\n    params = {}\n  }\n';
    const text = NAMED + REDIS + websocket("ws", 3001) + source +
      flow(from, step + TO_CLIENTS + fallback);
    const { flows: [{ steps, to, errorHandling }] } = await loadConfig(text, hostOptions);
    const marked = [...steps, ...to, errorHandling.fallback].map((one) => one?.everyInstance);
    assert.equal(new Set(marked).size, 1, String(marked));
    return to[0].everyInstance ?? false;
  };
  const broker = (driver: string, text = "") =>
    mq("source", `driver = "${driver}"\n  host = "localhost"\n  ${text}`);
  const queue = 'queue {\n    name = "q"\n  }';
  const mqtt = 'connector "source" {\n  type = "mqtt"\n  url = "mqtt://localhost"\n}\n';
  const postgres = 'connector "source" {\n  type = "database"\n  driver = "postgres"\n' +
    '  url = "postgres://localhost/x"\n}\n';
  const rows: readonly (readonly [source: string, operation: string, marked: boolean])[] = [
    [broker("rabbitmq"), "a.*", true],
    [broker("rabbitmq", queue), "a.*", false],
    [broker("rabbitmq", 'queue {\n    name = "q"\n    exclusive = true\n  }'), "a.*", true],
    [broker("redis"), "a:*", true],
    [broker("redis", queue), "a", false],
    [broker("nats"), "a.*", true],
    [broker("nats", queue), "a.*", false],
    [mq("source", 'driver = "memory"'), "a.*", false],
    [mqtt, "a/+", true],
    [mqtt, "$share/g/a/+", false],
    [postgres, "NOTIFY a", true],
    [postgres, "INSERT a", false],
  ];
  for (const [source, operation, marked] of rows) {
    assert.equal(await marks(source, operation), marked, `${source} ${operation}`);
  }
});
