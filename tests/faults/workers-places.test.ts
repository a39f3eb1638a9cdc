/** The entries of "Workers" about `max_connections`, which all workers have together. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { Issuer, pair, sign } from "../support/auth.ts";
import { until } from "../support/mq.ts";
import type { Stage, Weir } from "../support/process.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient, withoutWaits } from "../support/talk.ts";
import { processFault } from "./stage.ts";

const PLACES = 4;

/** A service of two workers; `auth` is added to the connector. */
async function startFew(stage: Stage, auth = ""): Promise<Weir> {
  const file = join(stage.folder, "few.hcl");
  const connector =
    `connector "ws" {\n type = "websocket"\n port = 0\n max_connections = ${PLACES}\n${auth}}\n`;
  await writeFile(file, connector);
  return await stage.run([file, "--workers", "2"]);
}

/** Begins a handshake. */
async function knock({ port }: Weir, path = "/ws"): Promise<SocketClient> {
  const client = await SocketClient.connect(port);
  client.write(handshakeText(path));
  return client;
}

/** Opens as many clients as there are places left. */
async function fill(weir: Weir, count: number): Promise<readonly SocketClient[]> {
  const clients: SocketClient[] = [];
  await until("all places are free again", async () => {
    clients.push(...await openClient(weir).then((client) => [client], () => []));
    return clients.length === count;
  });
  for (const client of clients) await client.hearsNothing();
  await assert.rejects(openClient(weir), /too many connections/);
  return clients;
}

async function end(weir: Weir): Promise<void> {
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

processFault(
  "handshakes wait for their decision on all workers → together they take the places of `max_connections`; one more gets 503 at once, and a client that leaves frees its place",
  async (stage) => {
    const { privateKey, jwk } = await pair("ES256");
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const token = await sign({ exp }, privateKey, { alg: "ES256", kid: "1" });
    await using issuer = await Issuer.start();
    // It does not answer.
    const asked: ServerResponse[] = [];
    issuer.answer = (response) => void asked.push(response);
    const jwt = `auth {\n jwt {\n jwks_url = "${issuer.url}"\n }\n required = false\n }\n`;
    const weir = await startFew(stage, jwt);
    const path = `/ws?token=${token}`;
    const waiting = await Promise.all(Array.from({ length: PLACES }, () => knock(weir, path)));
    await until("a question for the keys", () => asked.length > 0);
    // Time for both workers to read theirs.
    await pause(200);
    for (let more = 0; more < 10; more++) {
      const { status } = await (await knock(weir, more % 2 === 0 ? path : "/ws")).response();
      assert.equal(status, 503);
    }
    for (const client of waiting) client.destroy();
    issuer.publish({ ...jwk, kid: "1" });
    for (const response of asked) issuer.answer(response);
    await fill(weir, PLACES);
    await end(weir);
  },
);

processFault(
  "the process that looks after the workers does not answer → a handshake that needs a place of `max_connections` gets 503 after ten seconds, and takes no place",
  async (stage) => {
    const weir = await startFew(stage);
    const served = await openClient(weir);
    process.kill(weir.pid, "SIGSTOP");
    const startedAt = performance.now();
    const waiting = await Promise.all(Array.from({ length: PLACES - 1 }, () => knock(weir)));
    // A client of these tests waits for at most ten seconds.
    await pause(8_000);
    const answers = await Promise.all(waiting.map((client) => client.response()));
    const waited = performance.now() - startedAt;
    for (const { status, body } of answers) {
      assert.deepEqual([status, body], [503, "the decision took too long\n"]);
    }
    assert.ok(waited > 9_000 && waited < 15_000, `they were answered after ${waited} ms`);
    await served.hearsNothing();
    process.kill(weir.pid, "SIGCONT");
    // Now it answers the earlier questions, too: for a moment those places are taken.
    await fill(weir, PLACES - 1);
    // It was held up itself, so it does not conclude that a worker hangs.
    await pause(2_000);
    await served.hearsNothing();
    assert.equal(withoutWaits(weir.stderr), "");
    await end(weir);
  },
);
