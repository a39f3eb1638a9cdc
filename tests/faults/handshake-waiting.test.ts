/** Handshakes that wait for their decision, here for the keys of an issuer that does not answer. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { Issuer, pair, sign } from "../support/auth.ts";
import type { Weir } from "../support/process.ts";
import { handshakeText } from "../support/socket-client.ts";
import { pause, until } from "../support/socket-probe.ts";
import { FrameClient } from "./client.ts";
import { processFault } from "./stage.ts";
import { within } from "./within.ts";

const CONFIG = (keys: string) => `
  connector "ws" {
    type            = "websocket"
    port            = 0
    max_connections = 6
    auth {
      jwt {
        jwks_url = "${keys}"
      }
      required = false
    }
  }
`;

/** Begins a handshake. */
async function knock({ port }: Weir, token?: string): Promise<FrameClient> {
  const client = await FrameClient.connect(port);
  client.write(handshakeText(token === undefined ? "/ws" : `/ws?token=${token}`));
  return client;
}

async function statusOf(client: FrameClient): Promise<number> {
  const { status, headers } = await client.response();
  if (status === 503) assert.equal(headers.get("retry-after"), "1");
  return status;
}

processFault(
  "handshakes that wait for their decision → each takes a place of `max_connections`; one more gets 503 at once, and a client that is refused or leaves frees its place",
  async (stage) => {
    const { privateKey, jwk } = await pair("ES256");
    const { privateKey: otherKey } = await pair("ES256");
    const header = { alg: "ES256", kid: "1" };
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const [good, bad] = [
      await sign({ exp }, privateKey, header),
      await sign({ exp }, otherKey, header),
    ];
    await using issuer = await Issuer.start();
    const asked: ServerResponse[] = [];
    issuer.answer = (response) => void asked.push(response);
    await writeFile(join(stage.folder, "weir.hcl"), CONFIG(issuer.url));
    const weir = await stage.run([stage.folder]);

    const witness = await FrameClient.connect(weir.port);
    await witness.open("/ws");
    const waiting = await Promise.all([good, good, bad, bad].map((token) => knock(weir, token)));
    const leaver = await knock(weir, good);
    await until("a question for the keys", () => asked.length > 0);
    // Time for the server to read all five.
    await pause(100);
    // The issuer is silent: what is answered now has not waited for it.
    const late = await Promise.all(
      Array.from({ length: 20 }, (_, i) => knock(weir, i % 2 === 0 ? good : undefined)),
    );
    const statuses = await Promise.all(late.map(statusOf));
    assert.deepEqual(statuses, Array(20).fill(503));
    witness.say({ type: "ping", id: 1 });
    assert.deepEqual(await witness.hear(), { type: "pong", id: 1 });

    leaver.destroy();
    issuer.publish({ ...jwk, kid: "1" });
    for (const response of asked) issuer.answer(response);
    assert.deepEqual(await Promise.all(waiting.map(statusOf)), [101, 101, 401, 401]);
    // Three places are free again, one of them as soon as the server knows that its client has left.
    const next: FrameClient[] = [];
    await within("free places", async () => {
      const client = await knock(weir);
      if (await statusOf(client) === 101) next.push(client);
      return next.length;
    }, 3);
    assert.equal(await statusOf(await knock(weir)), 503);
    for (const client of [witness, ...next]) {
      client.say({ type: "ping", id: 2 });
      assert.deepEqual(await client.hear(), { type: "pong", id: 2 });
    }
    for (const client of [witness, leaver, ...waiting, ...late, ...next]) client.destroy();
  },
);
