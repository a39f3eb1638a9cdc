/** The executable and a real Redis: a plugin that imports a package, the driver that it has inside, a backplane. */
import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withExecutable } from "../support/executable.ts";
import { withServer } from "../support/own-server.ts";
import { withPostgres } from "../support/postgres.ts";
import { openStage, root } from "../support/process.ts";
import { RedisServer, SHARED, withNames, withRedis } from "../support/redis.ts";
import { service, serviceTest } from "../support/services.ts";
import { WebClient } from "../support/web-client.ts";

const folder = join(root, "tests/fixtures/redis-counter");

await serviceTest(
  "redis",
  "executable: a plugin counts in Redis",
  () =>
    withExecutable((stage) =>
      withNames(async ({ env }) => {
        const probed = await stage.weir(["check", "--connect", folder], { env });
        assert.deepEqual([probed.code, probed.stderr], [0, ""]);
        const tested = await stage.weir(["test", folder], { env });
        assert.deepEqual([tested.code, tested.stderr], [0, ""]);
        assert.match(tested.stdout, /5 tests, all passed/);
        const weir = await stage.run([folder, "--workers", "2"], { env });
        const clients: WebClient[] = [];
        for (let index = 0; index < 4; index++) {
          clients.push(await WebClient.open(weir.addresses[0]));
        }
        const asked = { type: "message", data: { counter: "visits", by: 3 } };
        for (const [index, client] of clients.entries()) {
          assert.deepEqual((await client.request(asked)).data, { value: 3 * (index + 1) });
        }
        for (const client of clients) {
          for (const value of [3, 6, 9, 12]) {
            assert.deepEqual(await client.message(), { name: "visits", value, amount: 3 });
          }
        }
        weir.signal("SIGINT");
        assert.equal((await weir.ended()).code, 0, weir.output);
      })
    ),
);

await serviceTest(
  "redis",
  "executable: a message goes through a stream and a channel of Redis",
  () =>
    withExecutable(async (stage) => {
      const name = `weir-test-${crypto.randomUUID()}`;
      const hop = (flow: string, [source, operation]: string[], [connector, target]: string[]) => `
        flow "${flow}" {
          from {
            connector = "${source}"
            operation = "${operation}"
          }
          to {
            connector = "${connector}"
            ${connector === "ws" ? "operation" : "target"} = "${target}"
          }
        }
      `;
      const redis = 'type = "mq"\ndriver = "redis"';
      const text = `
        connector "ws" {
          type = "websocket"
          port = 0
        }
        connector "streams" {
          ${redis}
          queue { name = "workers" }
        }
        connector "channels" {
          ${redis}
        }
        ${hop("in", ["ws", "message"], ["streams", name])}
        ${hop("on", ["streams", name], ["channels", `${name}.live`])}
        ${hop("out", ["channels", `${name}.*`], ["ws", "broadcast"])}
      `;
      await writeFile(join(stage.folder, "live.hcl"), text);
      const weir = await stage.run(["live.hcl"]);
      try {
        const client = await WebClient.open(weir.addresses[0]);
        await client.request({ type: "message", data: { text: "hello" } });
        assert.deepEqual(await client.message(), { text: "hello" });
        weir.signal("SIGINT");
        assert.equal((await weir.ended()).code, 0, weir.output);
      } finally {
        await withRedis(SHARED, (redis) => redis.del(name));
      }
    }),
);

// It needs both; the name has the one that is missing.
await serviceTest(
  (await service("postgres")).ok ? "redis-server" : "postgres",
  "executable: the replicas of deploy/ are one service, also with one from the sources",
  () =>
    withExecutable((stage) =>
      withServer(RedisServer.open(), (redis) =>
        withPostgres(async (database) => {
          await cp(join(root, "deploy/replicas"), join(stage.folder, "app"), { recursive: true });
          const env = { REDIS_URL: redis.url, DATABASE_URL: database.url };
          const tested = await stage.weir(["test", "app"]);
          assert.deepEqual([tested.code, tested.stderr], [0, ""]);
          const probed = await stage.weir(["check", "--connect", "app"], { env });
          assert.deepEqual([probed.code, probed.stderr], [0, ""]);
          assert.match(probed.stdout, /it links the instances of the service "live"$/m);

          const sources = await openStage("node");
          try {
            const one = await stage.run(["app", "--port", "ws=0"], { env });
            const folder = join(stage.folder, "app");
            const two = await sources.run([folder, "--port", "ws=0"], { env });
            const clients = await Promise.all([one, two].map((weir) => {
              return WebClient.open(weir.addresses[0]);
            }));
            for (const [index, client] of clients.entries()) {
              const data = { text: `from ${index}` };
              await client.request({ type: "message", data });
              for (const other of clients) assert.deepEqual(await other.message(), data);
            }
            const rows = await database.sql("SELECT text FROM messages ORDER BY id");
            assert.deepEqual(rows.map(({ text }) => text), ["from 0", "from 1"]);
            for (const weir of [one, two]) {
              weir.signal("SIGTERM");
              assert.equal((await weir.ended()).code, 0, weir.output);
            }
          } finally {
            await sources.end();
          }
        }))
    ),
);
