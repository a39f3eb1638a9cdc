/** A fuzzer with a fixed seed: the server outlives everything that it sends, and keeps nothing of it. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { ready, root, type Stage, type Weir } from "../support/process.ts";
import { type Random, seeded } from "../support/random.ts";
import { handshakeText } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";
import { needTool } from "../support/toolchain.ts";
import { FrameClient } from "./client.ts";
import { body, noise, packet, request } from "./fuzz/bytes.ts";
import { processFault } from "./stage.ts";
import { within } from "./within.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
const SEED = 20_261_124;
/** Milliseconds until memory is measured first, and from then to the end. */
const [WARM_UP, REST] = long ? [60_000, 540_000] : [5_000, 5_000];
/**
 * What memory may be at the end, as a part of what it was, and so many bytes beside. After a minute
 * everything that is ever loaded is there; after a few seconds it is not.
 */
const [MOST, ROOM] = long ? [1.1, 0] : [1.25, 4 * 1024 * 1024];
/** So many attackers at once. */
const ATTACKERS = 8;
/** A good handshake. */
const OPENING = handshakeText("/ws?user_id=NOTE");

/** Writes a row. */
const storing = `
  transform {
    text = "input.text"
    n    = "input.n"
  }
  to {
    connector = "db"
    target    = "notes"
  }
`;

const CONFIG = `
  connector "ws" {
    type             = "websocket"
    port             = 0
    max_message_size = "16KB"
    max_rooms        = 8
    ping_interval    = "2s"
    pong_timeout     = "1s"
    rate_limit {
      messages = 200
      per      = "1s"
    }
  }
  connector "api" {
    type = "rest"
    port = 0
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = ":memory:"
    migrations = "./migrations"
  }
  connector "mq" {
    type   = "mq"
    driver = "memory"
  }
  type "note" {
    text = string({ max_length = 20, pattern = "^[a-z]*$" })
    n    = number({ min = 0, default = 1 })
  }
  ${flow("echo", 'response {\n data = "input.data"\n }')}
  ${flow("store", storing)}
  ${flow("typed", `validate {\n input = "note"\n }\n ${storing}`)}
  ${
  flow(
    "slow",
    `step "wait" {\n connector = "db"\n query = "SELECT count(*) AS n FROM notes"\n }
    dedupe {\n key = "input.id"\n ttl = "1s"\n max_keys = 100\n }
    transform {\n n = "step.wait.n"\n }
    to {\n connector = "ws"\n operation = "send_to_room"\n target = "'a'"\n exclude_sender = true\n }`,
  )
}
  ${
  flow(
    "publish",
    `transform {\n text = "upper(input.text)"\n }\n to {\n connector = "mq"\n target = "'notes'"\n }`,
  )
}
  ${
  flow(
    "message",
    `to {\n connector = "ws"\n operation = "broadcast"\n filter = "client.rooms.size() > 1"\n }`,
  )
}
  flow "consume" {
    from {
      connector = "mq"
      operation = "notes"
    }
    to {
      connector = "ws"
      operation = "send_to_user"
      target    = "input.text"
    }
  }
  flow "post" {
    from {
      connector = "api"
      operation = "POST /notes"
    }
    ${storing}
  }
  flow "trim" {
    when = "@every 500ms"
    to {
      connector = "db"
      query     = "DELETE FROM notes"
    }
  }
  flow "count" {
    from {
      connector = "api"
      operation = "GET /count"
    }
    to {
      connector = "ws"
      operation = "broadcast"
    }
    response { recipients = "output.recipients" }
  }
`;

/** A flow on frames of its name. */
function flow(name: string, text: string): string {
  return `flow "${name}" {\n from {\n connector = "ws"\n operation = "${name}"\n }\n ${text}\n }`;
}

/** What the server takes once its garbage is collected, in bytes. */
interface Memory {
  readonly heap: number;
  readonly rss: number;
}

/** Starts the server with a garbage collector that can be called. */
async function startMeasured(stage: Stage): Promise<Weir> {
  const folder = join(stage.folder, "fuzz");
  await mkdir(join(folder, "migrations"), { recursive: true });
  await writeFile(join(folder, "fuzz.hcl"), CONFIG);
  const table = "CREATE TABLE notes (text TEXT, n REAL CHECK (n < 900));";
  await writeFile(join(folder, "migrations/001.sql"), table);
  const script = join(root, "tests/fixtures/scripts/measured.ts");
  const flags = {
    deno: ["run", "-A", "--v8-flags=--expose-gc"],
    bun: ["--no-env-file"],
    node: ["--expose-gc"],
  }[stage.runtime];
  const args = [...flags, script, "run", folder, "--log-level", "error"];
  return await ready(stage.command(await needTool(stage.runtime), args));
}

/** Sends things until the time is over, on one connection after the other. */
async function attack(weir: Weir, random: Random, until: number): Promise<number> {
  const api = new URL("/notes", weir.addresses.find((address) => address.startsWith("http")));
  let sent = 0;
  while (performance.now() < until) {
    sent++;
    if (random.chance(0.2)) {
      const headers = { "content-type": random.pick(["application/json", "text/plain", "x"]) };
      const response = await fetch(api, { method: "POST", headers, body: body(random) });
      await response.body?.cancel();
      assert.ok(response.status < 504, `${response.status}`);
      continue;
    }
    const client = await FrameClient.connect(weir.port);
    // What comes back is drained; the server's frames are judged elsewhere.
    client.socket.resume();
    if (random.chance(0.2)) client.write(request(random));
    else if (random.chance(0.1)) client.write(noise(random, 500));
    else client.write(OPENING);
    for (let i = random.below(20); i > 0 && !client.ended; i--) {
      const bytes = packet(random);
      if (random.chance(0.1)) await client.drip(bytes, 1 + random.below(bytes.length));
      else client.write(bytes);
      sent++;
      if (random.chance(0.3)) await pause(random.below(5));
    }
    // The answers may be on their way.
    if (random.chance(0.5)) await Promise.race([client.gone, pause(20)]);
    // Node cannot reset a socket that is about to end, and then keeps it for ever.
    if (random.chance(0.5) && !client.ended) client.reset();
    else client.destroy();
  }
  return sent;
}

/** Somebody who does nothing wrong, and is answered at any time. */
async function witness(weir: Weir, until: () => boolean): Promise<void> {
  const client = await FrameClient.connect(weir.port);
  await client.open("/ws");
  client.skim = ({ opcode, payload }) => {
    if (opcode === opcodes.ping) client.send({ opcode: opcodes.pong, payload });
    return opcode === opcodes.ping || payload.includes('{"type":"message"');
  };
  for (let id = 0; !until(); id++) {
    client.say({ type: "echo", data: id, id });
    assert.deepEqual(await client.hear(), { type: "ack", id, data: { data: id } });
    await pause(100);
  }
  client.destroy();
}

/** Lets everybody go, and looks. */
async function measure(weir: Weir, times: number): Promise<Memory> {
  const count = new URL("/count", weir.addresses.find((address) => address.startsWith("http")));
  const left = async (): Promise<number> => (await (await fetch(count)).json()).recipients;
  await within("connections", left, 0);
  // What was promised for a second is over as well.
  await pause(1_500);
  weir.signal("SIGUSR2");
  const pattern = new RegExp(`(?:memory .*\\n[^]*){${times - 1}}memory (.*)\\n`);
  const [, memory] = await weir.says(pattern);
  return JSON.parse(memory);
}

processFault("a fuzzer with a fixed seed → no crash, nothing kept", async (stage) => {
  const weir = await startMeasured(stage);
  const random = seeded(SEED);
  const run = async (duration: number): Promise<number> => {
    const end = performance.now() + duration;
    let over = false;
    const watching = witness(weir, () => over);
    const attackers = Array.from(
      { length: ATTACKERS },
      () => attack(weir, seeded(random.below(2 ** 31)), end),
    );
    const sent = await Promise.all(attackers).finally(() => over = true);
    await watching;
    return sent.reduce((sum, each) => sum + each, 0);
  };
  const first = await run(WARM_UP);
  const before = await measure(weir, 1);
  const second = await run(REST);
  const after = await measure(weir, 2);
  if (long) {
    console.log(JSON.stringify({ runtime: stage.runtime, sent: first + second, before, after }));
  }
  weir.signal("SIGTERM");
  const { code, stderr } = await weir.ended();
  assert.equal(code, 0, stderr.slice(-4_000));
  assert.doesNotMatch(stderr, /unhandled|could not be served|could not be decided/);
  assert.ok(first + second > 1_000, `only ${first + second} things were sent`);
  const most = before.heap * MOST + ROOM;
  assert.ok(after.heap <= most, `${after.heap} bytes after ${before.heap}`);
});
