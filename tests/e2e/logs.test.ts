import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SignJWT } from "jose";
import { type Stage, stageTest, type Weir } from "../support/process.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { until } from "../support/socket-probe.ts";

/** Stands in everything that no log may hold; the rest of a mark says where it was. */
const MARK = "zq7hush";
const KEY = `${MARK}-key-${"k".repeat(32)}`;

/** What each of these flows does with a text that a client sent fails. */
const FAILING: Readonly<Record<string, string>> = {
  number: `transform {\n n = "int(input.text)"\n }`,
  pattern: `transform {\n n = "'a'.matches(input.text + '(')"\n }`,
  time: `transform {\n n = "timestamp(input.text)"\n }`,
  zone: `transform {\n n = "now().getHours(input.text)"\n }`,
  length: `transform {\n n = "duration(input.text)"\n }`,
  json: `transform {\n n = "json(input.text)"\n }`,
  bytes: `transform {\n n = "base64.decode(input.text)"\n }`,
  arithmetic: `transform {\n n = "input.text * 2"\n }`,
  format: `transform {\n n = "('%' + input.text).format([1])"\n }`,
  typed: `validate {\n input = "strict"\n }`,
  unique: `transform {\n text = "input.text"\n }\n to {\n connector = "db"\n target = "notes"\n }`,
  checked: `transform {\n text = "input.text"\n n = "5"\n }
    to {\n connector = "db"\n target = "notes"\n }`,
  strict: `transform {\n n = "input.text"\n }\n to {\n connector = "db"\n target = "notes"\n }`,
  room:
    `to {\n connector = "ws"\n operation = "send_to_room"\n target = "input.text + string(b'\\\\x00')"\n }`,
  broker: `error_handling {\n retry {\n attempts = 2\n delay = "10ms"\n }
    fallback {\n connector = "db"\n target = "notes"\n transform {\n n = "int(input.text)"\n }\n }\n }
    to {\n connector = "away"\n target = "'x'"\n }`,
  answer: `error_handling {\n error_response {\n body {\n n = "int(input.text)"\n }\n }\n }
    transform {\n n = "int(input.text)"\n }`,
  dead: `to {\n connector = "mq"\n target = "'dead'"\n }`,
};

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
    auth {
      jwt {
        secret = env("KEY")
        user   = "claims.sub"
      }
      from = ["query:token", "header:authorization", "cookie:session", "protocol"]
    }
    origins = ["http://localhost"]
  }
  connector "api" {
    type = "rest"
    port = 0
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = "./notes.db"
    migrations = "./migrations"
  }
  connector "away" {
    type   = "mq"
    driver = "rabbitmq"
    url    = "amqp://someone:${MARK}-password@127.0.0.1:1/"
  }
  connector "mq" {
    type   = "mq"
    driver = "memory"
  }
  type "strict" {
    text = string({ pattern = "^[0-9]+$", max_length = 3, enum = ["1", "2"] })
  }
  flow "api" {
    from {
      connector = "api"
      operation = "POST /notes/:text"
    }
    transform { n = "int(input.text)" }
  }
  flow "dead" {
    from {
      connector = "mq"
      operation = "dead"
    }
    transform { n = "int(input.text)" }
  }
  ${
  Object.entries(FAILING).map(([name, body]) => `
  flow "on_${name}" {
    from {
      connector = "ws"
      operation = "${name}"
    }
    ${body}
  }`).join("\n")
}
`;

const NOTES = `CREATE TABLE notes (text TEXT UNIQUE, n INTEGER CHECK (n < 3)) STRICT;`;

/** A token of the server's own key, or of another one. */
async function token(key: string, time = "1h"): Promise<string> {
  return await new SignJWT({ sub: "anna", secret: `${MARK}-claim` })
    .setProtectedHeader({ alg: "HS256" }).setExpirationTime(time)
    .sign(new TextEncoder().encode(key));
}

/** The status of a handshake. */
async function handshake(
  weir: Weir,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const client = await SocketClient.connect(weir.port);
  client.write(handshakeText(target, { headers }));
  const { status } = await client.head();
  client.destroy();
  return status;
}

/** Sends what is marked to every place; gives everything that must not be logged. */
async function traffic(weir: Weir): Promise<readonly string[]> {
  const good = await token(KEY);
  const bad = [await token("another key"), await token(KEY, "-1h"), `${MARK}.token.x`];
  for (const each of bad) {
    assert.equal(await handshake(weir, `/ws?token=${each}`), 401);
    assert.equal(await handshake(weir, "/ws", { authorization: `Bearer ${each}` }), 401);
    const cookie = { cookie: `session=${each}`, origin: "http://localhost" };
    assert.equal(await handshake(weir, "/ws", cookie), 401);
    const protocol = { "sec-websocket-protocol": `weir, ${each}` };
    assert.equal(await handshake(weir, "/ws", protocol), 401);
  }
  const client = await SocketClient.connect(weir.port);
  const headers = { "x-secret": `${MARK}-header` };
  client.write(handshakeText(`/ws?token=${good}&more=${MARK}-query`, { headers }));
  await client.upgraded();
  for (const name of Object.keys(FAILING)) {
    // The second one is what a unique column refuses.
    for (const id of [`${name}-1`, `${name}-2`]) {
      client.say({ type: name, data: { text: `${MARK}-${name}` }, id });
      await client.hear();
    }
  }
  for (const payload of [`{"type":"number","data":"${MARK}-broken`, `"${MARK}-text"`]) {
    client.send({ payload });
    assert.equal((await client.hear()).type, "error");
  }
  client.say({ type: "auth", token: bad[0], id: "renewal" });
  assert.equal((await client.hear()).code, "unauthorized");
  client.close(1000, `${MARK}-reason`);
  await client.finish();

  const api = new URL(weir.addresses.find((address) => address.startsWith("http:")) ?? "");
  const post = async (path: string, body: string): Promise<number> => {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${good}` },
      body,
    };
    const response = await fetch(new URL(path, api), init);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await post(`/notes/${MARK}-path?q=${MARK}-query`, `{"more":"${MARK}-body"}`), 500);
  assert.equal(await post("/notes/1", `{"more": ${MARK}-body`), 400);
  // Each part of a token by itself, but for what all tokens begin with.
  return [MARK, KEY, ...[good, ...bad].flatMap((token) => token.split(".").slice(1))]
    .filter((text) => text.length > 6);
}

async function start(stage: Stage, args: readonly string[]): Promise<Weir> {
  const folder = join(stage.folder, "logs");
  await mkdir(join(folder, "migrations"), { recursive: true });
  await writeFile(join(folder, "logs.hcl"), CONFIG);
  await writeFile(join(folder, "migrations/001_notes.sql"), NOTES);
  return await stage.run([folder, ...args], { env: { KEY } });
}

for (const format of ["text", "json"]) {
  stageTest(`no secret, token or body is logged at debug, as ${format}`, async (stage) => {
    const weir = await start(stage, ["--log-level", "debug", "--log-format", format]);
    const secrets = await traffic(weir);
    weir.signal("SIGTERM");
    const { code, stdout, stderr } = await weir.ended();
    assert.equal(code, 0, stderr);
    const lines = (stdout + stderr).split("\n");
    for (const secret of secrets) {
      assert.deepEqual(lines.filter((line) => line.includes(secret)), [], secret);
    }
    // All of that has left its traces.
    for (const name of Object.keys(FAILING)) {
      assert.ok(stderr.includes(`on_${name}`) || name === "dead", `${name}\n${stderr}`);
    }
    assert.match(stderr, /message \W*dead\W* was discarded/);
    assert.match(stderr, /refused a token/);
    assert.match(stderr, /127\.0\.0\.1:1/);
    if (format === "text") return;
    const records = stderr.split("\n").filter((line) => line.startsWith("{"));
    assert.ok(records.length > 20, stderr);
    for (const record of records) assert.equal(typeof JSON.parse(record).level, "string");
  });
}

stageTest("bodies are logged at trace, credentials of a connector are not", async (stage) => {
  const weir = await start(stage, ["--log-level", "trace"]);
  await traffic(weir);
  weir.signal("SIGTERM");
  const { stderr } = await weir.ended();
  assert.match(stderr, new RegExp(`flow on_number received number: .*${MARK}-number`, "s"));
  assert.match(stderr, new RegExp(`flow api received POST /notes/:text: .*${MARK}-body`, "s"));
  assert.ok(!stderr.includes(`${MARK}-password`) && !stderr.includes(KEY), stderr);
});

stageTest("a scheduled flow is followed at trace as all others are", async (stage) => {
  const config = `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    flow "tick" {
      when = "@every 1s"
      response {
        ok = "true"
      }
    }
  `;
  await writeFile(join(stage.folder, "tick.hcl"), config);
  const weir = await stage.run([stage.folder, "--port", "ws=0", "--log-level", "trace"]);
  await until("the end of a run", () => /flow tick responded/.test(weir.stderr), 1);
  weir.signal("SIGTERM");
  const { stderr } = await weir.ended();
  assert.match(stderr, /flow tick received schedule: .*scheduled_at/s);
});
