/** The client in Python of docs/client.md loses no message, and shows none twice. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { redisConfig } from "../support/client-page.ts";
import { keptPort } from "../support/ports.ts";
import { onAllRuntimes, type Stage } from "../support/process.ts";
import { Proxy } from "../support/proxy.ts";
import { type Facts, PythonClient } from "../support/python-client.ts";
import { RedisServer } from "../support/redis.ts";
import { service, serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";

const COUNT = 1000;
/** The clients wait for random times before they connect again. */
const PATIENCE = 60_000;

const redis = await service("redis-server");

await serviceTest(
  redis.ok ? "python-websockets" : "redis-server",
  `Python's client of docs/client.md: ${COUNT} messages through cuts, restarts and kills, each once`,
  () => onAllRuntimes(losesNothing),
);

/** A reader and a writer behind a proxy, and a server that is stopped and killed under them. */
async function losesNothing(stage: Stage): Promise<void> {
  const redis = await RedisServer.open();
  const port = await keptPort();
  const proxy = await Proxy.open(port);
  try {
    await mkdir(join(stage.folder, "public"));
    await writeFile(join(stage.folder, "chat.hcl"), redisConfig());
    const env = { REDIS_URL: redis.url };
    const start = () => stage.run(["chat.hcl", "--port", `ws=${port}`], { env });
    let weir = await start();
    const restart = async (signal: "SIGTERM" | "SIGKILL") => {
      weir.signal(signal);
      await weir.ended();
      weir = await start();
    };
    const reader = await PythonClient.start(stage, proxy.port, { first: "join" });
    await reader.process.says(/"ack"/);
    const writer = await PythonClient.start(stage, proxy.port);
    /** Waits until both clients are connected again. */
    const bothAfter = async (disturb: () => unknown) => {
      const clients = [reader, writer];
      const before = clients.map(({ connections }) => connections);
      await disturb();
      const isBack = () => clients.every((client, n) => client.connections > before[n]);
      await until("both clients", isBack, 20, PATIENCE);
    };
    const disturbances = [
      () => bothAfter(() => proxy.cut()),
      () => bothAfter(() => restart("SIGTERM")),
      () => proxy.cutWhen({ direction: "to server", bytes: 500 }),
      () => bothAfter(() => restart("SIGKILL")),
      () => proxy.cutWhen({ direction: "to client", bytes: 500 }),
      // Nothing passes and nothing ends: the clients must notice it.
      () =>
        bothAfter(async () => {
          const { taken } = proxy;
          proxy.stall();
          await until("new connections", () => proxy.taken >= taken + 2, 20, PATIENCE);
          proxy.resume();
        }),
      () => bothAfter(() => restart("SIGKILL")),
      () => bothAfter(() => proxy.cut()),
    ];
    const each = COUNT / disturbances.length;
    for (const [index, disturb] of disturbances.entries()) {
      writer.say(each);
      const half = index * each + Math.floor(each / 2);
      await until(`answer ${half}`, () => writer.answered(half), 1, PATIENCE);
      await disturb();
    }
    await until("all answers", () => writer.answered(COUNT - 1), 50, PATIENCE);
    await until("all messages", () => reader.texts.length >= COUNT, 50, PATIENCE);

    assert.deepEqual(reader.texts, Array.from({ length: COUNT }, (_, n) => `${n}`));
    const joins = reader.shown.filter(({ type }) => type === "ack");
    // A connection may be cut between its first answer and that of the join.
    assert.ok(joins.length > 1 && joins.length <= reader.connections, `${joins.length} joins`);
    const recovered = [undefined, ...joins.slice(1).map(() => true)];
    assert.deepEqual(joins.map((frame) => frame.recovered), recovered);
    for (const { type } of reader.shown) assert.match(`${type}`, /^(?:pong|ack|message)$/);
    const answers = writer.facts.filter(({ answer }) => (answer as Facts)?.type === "ack");
    assert.equal(answers.length, COUNT);
  } finally {
    proxy.close();
    await redis.end();
  }
}
