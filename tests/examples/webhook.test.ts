/** The webhooks: an event reaches the other API once, or is kept and delivered again, on every runtime. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openStage, root, runtimes, type Stage } from "../support/process.ts";
import { SHARED, withRedis } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";

await serviceTest("redis", "webhook: delivered once, given up, replayed", async () => {
  await Promise.all(runtimes.map(async (runtime) => {
    const stage = await openStage(runtime);
    const stream = `weir-test-${crypto.randomUUID()}`;
    const partner = await Partner.open();
    try {
      await deliver(stage, stream, partner);
    } finally {
      await stage.end();
      await partner.close();
      await withRedis(SHARED, (redis) => redis.del([stream, `${stream}.dead`, `${stream}.lost`]));
    }
  }));
});

/** The other API: it answers with `status`, and keeps what it got. */
class Partner {
  status = 204;
  readonly got: { key: unknown; token: unknown; body: unknown }[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = "";
      for await (const part of request.setEncoding("utf8")) body += part;
      const { "idempotency-key": key, authorization: token } = request.headers;
      this.got.push({ key, token, body: JSON.parse(body) });
      response.writeHead(this.status).end();
    });
  }

  static async open(): Promise<Partner> {
    const partner = new Partner();
    await new Promise<void>((resolve) => partner.#server.listen(0, "127.0.0.1", resolve));
    return partner;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function deliver(stage: Stage, stream: string, partner: Partner): Promise<void> {
  const env = {
    REDIS_URL: SHARED,
    STREAM: stream,
    DEAD_STREAM: `${stream}.dead`,
    LOST_STREAM: `${stream}.lost`,
    PARTNER_URL: partner.url,
    PARTNER_TOKEN: "t0ken",
    WEBHOOK_DB: join(stage.folder, "webhook.db"),
  };
  const weir = await stage.run([join(root, "examples/webhook"), "--port", "api=0"], { env });
  const origin = `http://localhost:${weir.port}`;
  const send = async (id: string, signature = signed(id)): Promise<number> => {
    const { status, body } = await fetch(`${origin}/events`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-signature": signature },
      body: JSON.stringify({ id, type: "order.paid", data: { order: 7 } }),
    });
    await body?.cancel();
    return status;
  };
  assert.equal(await send("e1", "0".repeat(64)), 401);
  assert.deepEqual([await send("e1"), await send("e1")], [200, 200]);
  await until(() => partner.got.length === 1);
  assert.deepEqual(partner.got, [{
    key: "e1",
    token: "Bearer t0ken",
    body: { id: "e1", type: "order.paid", data: { order: 7 } },
  }]);

  partner.status = 400;
  assert.equal(await send("e2"), 200);
  const letters = async (): Promise<readonly { id: string; reason: string }[]> =>
    await (await fetch(`${origin}/dead-letters`)).json();
  await until(async () => (await letters()).length === 1);
  const [{ id, reason }] = await letters();
  assert.equal(id, "e2");
  assert.match(reason, /^flow_failed: flow "deliver"/);

  partner.status = 204;
  const replay = await fetch(`${origin}/dead-letters/e2/replay`, { method: "POST" });
  assert.deepEqual(await replay.json(), { id: "e2", replayed: true });
  await until(() => partner.got.length === 3);
  assert.deepEqual(partner.got.map(({ key }) => key), ["e1", "e2", "e2"]);
  assert.deepEqual(await letters(), []);
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

function signed(id: string): string {
  return createHmac("sha256", "a-secret-for-tries").update(`${id}order.paid`).digest("hex");
}

/** The test's own deadline ends the wait. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
