/** The mq connector with servers of Redis of the test's own: passwords, rights, TLS, a failover. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { ConnectorError } from "../../src/base/errors.ts";
import { flow, request, until } from "../support/mq.ts";
import { PASSWORD, withServer } from "../support/own-server.ts";
import { MASTER, RedisSentinel } from "../support/redis-sentinel.ts";
import { RedisServer, withRedis } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";
import { Bench, benchOn } from "./redis-support.ts";

/** The rules of the documentation: for channels, and for streams. */
async function rules(): Promise<readonly string[]> {
  const page = await readFile(new URL("../../docs/redis.md", import.meta.url), "utf8");
  return [...page.matchAll(/^ACL SETUSER weir on >PASSWORD ([^`]+)^```$/gm)]
    .map(([, all]) => all.trim().replace(/\s+/g, " "));
}
const [CHANNELS, STREAMS] = await rules();
const users = {
  streams: `on >${PASSWORD} ${STREAMS}`,
  channels: `on >${PASSWORD} ${CHANNELS}`,
};

/** How the start of a connector that consumes ends. */
async function ended(bench: Bench, options: Record<string, unknown>, operation = "news.a") {
  const { connector } = await bench.make(options);
  connector.subscribe(operation, flow(() => {}));
  try {
    await connector.start();
    await connector.consume();
    return connector.health() ?? "consumes";
  } catch (error) {
    assert.ok(error instanceof ConnectorError && error.permanent, String(error));
    return error.message.replace(/^connector "events": /, "");
  }
}

await serviceTest(
  "redis-server",
  "who may not connect, or not consume, is told at start",
  () =>
    withServer(
      RedisServer.open({
        password: PASSWORD,
        users,
      }),
      (server) =>
        benchOn(server, { password: PASSWORD }, async (bench) => {
          const { port } = server;
          const queue = { name: "workers" };
          const as = (username: string, password = PASSWORD) => ({
            ...{ host: "127.0.0.1", port, username, password },
          });
          const password = encodeURIComponent(PASSWORD);
          const table: readonly (readonly [Record<string, unknown>, RegExp, string?])[] = [
            [as("default"), /^consumes$/],
            [{ url: [`redis://default:${password}@127.0.0.1:${port}/1`], queue }, /^consumes$/],
            [as("default", "wrong"), /^cannot start: WRONGPASS/],
            [as("nobody"), /^cannot start: WRONGPASS/],
            [{ host: "127.0.0.1", port }, /^cannot start: NOAUTH/],
            [{ url: [`redis://:${password}@127.0.0.1:${port}/99`] }, /^cannot start: ERR DB index/],
            [{ ...as("streams"), queue }, /^consumes$/, "jobs"],
            [{ ...as("streams"), queue }, /^cannot start: NOPERM/, "other"],
            [as("streams"), /^cannot start: NOPERM/],
            [as("channels"), /^consumes$/],
            [as("channels"), /^consumes$/, "news.*"],
            [as("channels"), /^cannot start: NOPERM/, "other"],
            [{ ...as("channels"), queue }, /^cannot start: NOPERM/],
          ];
          for (const [options, expected, operation] of table) {
            const found = await ended(bench, options, operation);
            assert.match(found, expected, JSON.stringify({ ...options, operation }));
            assert.ok(!found.includes(PASSWORD));
          }
          const { connector } = await bench.make({
            ...as("channels"),
            publisher: { mode: "stream" },
          });
          await connector.start();
          await assert.rejects(
            Promise.resolve(connector.write(request("news.a", 1))),
            /could not publish "news.a": NOPERM/,
          );
          const wrong = await bench.make(as("default", "wrong"));
          await assert.rejects(wrong.connector.probe([], []), / refuses: WRONGPASS/);
        }),
    ),
);

await serviceTest(
  "redis-server",
  "a user with the rights of the docs does all that streams need",
  () =>
    withServer(
      RedisServer.open({
        password: PASSWORD,
        users,
      }),
      (server) =>
        benchOn(server, { password: PASSWORD }, async (bench) => {
          const host = { host: "127.0.0.1", port: server.port, password: PASSWORD };
          const dlq = { max_retries: 1, retry_delay: 1, stream: "jobs.dead" };
          const streams = await bench.consume(
            { ...host, username: "streams", ...bench.streams({ dlq }) },
            ({ payload }) => {
              if (payload === "poison") throw new Error("always");
            },
            "jobs",
          );
          await streams.connector.write(request("jobs", "poison"));
          await streams.connector.write(request("jobs", "good"));
          await until("the dead letter", () => streams.connector.counts().dead_lettered === 1);
          const { client, group } = bench;
          await until("the acks", async () => (await client.xPending("jobs", group)).pending === 0);
          assert.equal(await client.xLen("jobs.dead"), 1);
          const heard: unknown[] = [];
          const { connector } = await bench.consume(
            { ...host, username: "channels" },
            ({ payload }) => heard.push(payload),
            "news.*",
          );
          await connector.write(request("news.a", 1));
          await until("the message", () => heard.length === 1);
          await streams.connector.stop();
          await streams.connector.close();
          // It has the right to leave the group.
          assert.deepEqual(await client.xInfoConsumers("jobs", group), []);
        }),
    ),
);

await serviceTest(
  "redis-server",
  "acks that the server cannot take are kept until it can",
  () =>
    withServer(
      RedisServer.open({ password: PASSWORD }),
      (server) =>
        benchOn(server, { password: PASSWORD }, async (bench) => {
          const { port } = server;
          const runs: unknown[] = [];
          const { promise, resolve } = Promise.withResolvers<void>();
          const { connector, log } = await bench.consume(
            { host: "127.0.0.1", port, password: PASSWORD, ...bench.streams({ claim_after: 600 }) },
            async ({ payload }) => {
              runs.push(payload);
              await promise;
            },
          );
          await connector.write(request(bench.name, 1));
          await until("the run", () => runs.length === 1);
          await bench.client.configSet("min-replicas-to-write", "1");
          resolve();
          const refusal = /^cannot ack 1 messages yet: NOREPLICAS/;
          await until("the refusal", () => log.some(([, text]) => refusal.test(text)));
          await bench.client.configSet("min-replicas-to-write", "0");
          await until("the ack", async () => await bench.pending() === 0);
          assert.deepEqual([runs, connector.counts().claimed], [[1], 0]);
          assert.equal(log.filter(([, text]) => refusal.test(text)).length, 1);
        }),
    ),
);

await serviceTest(
  "redis-server",
  "TLS: who the server is, and who the client is",
  () =>
    withServer(RedisServer.open({ tls: "clients" }), async (server) => {
      const { tls, port } = server;
      assert.ok(tls);
      const { authority, client } = tls;
      const good = { ca: authority.ca, cert: client.cert, key: client.key };
      const url = [`rediss://127.0.0.1:${port}`];
      const bench = new Bench(undefined);
      try {
        const { connector } = await bench.consume({ url, tls: good }, () => {}, "news");
        await connector.write(request("news", 1));
        await until("the message", () => connector.counts().acked === 1);
        assert.equal(await ended(bench, { host: "127.0.0.1", port, tls: good }), "consumes");
        assert.match(
          await ended(bench, { url, tls: { cert: client.cert, key: client.key } }),
          /^cannot start: .*; tls\.ca names who may have signed it/,
        );
        assert.match(
          await ended(bench, { url, tls: { ...good, server_name: "other" } }),
          /^cannot start: .*tls\.server_name/,
        );
        assert.match(
          await ended(bench, { url, tls: { ...good, ca: `${authority.ca}.gone` } }),
          /^cannot start: cannot read the file ".*" of tls\.ca/,
        );
        assert.match(
          await ended(bench, { url, tls: { ca: authority.ca } }),
          /^cannot start: .*; tls\.cert and tls\.key are this client's$/,
        );
      } finally {
        await bench.end();
      }
    }),
);

await serviceTest(
  "redis-server",
  "a Sentinel knows the server, also after a failover",
  () =>
    withServer(RedisSentinel.open(), async (group) => {
      const bench = new Bench(undefined);
      try {
        const url = ["redis://127.0.0.1:1", `redis://127.0.0.1:${group.port}`];
        const seen = new Set<unknown>();
        const heard = new Set<unknown>();
        const streams = await bench.consume(
          { url, sentinel: MASTER, ...bench.streams() },
          ({ payload }) => seen.add(payload),
        );
        const channels = await bench.consume(
          { url, sentinel: MASTER },
          ({ payload }) => heard.add(payload),
        );
        const both = async (n: number) => {
          const published = [streams, channels].map(({ connector }) =>
            Promise.resolve(connector.write(request(bench.name, n))).catch(() => undefined)
          );
          await Promise.all(published);
          return seen.has(n) && heard.has(n);
        };
        await until("the first", () => both(1));
        await group.failOver();
        await until("the move", () => channels.connector.counts().gaps === 1);
        const other = await group.master();
        await until("the second, at the other server", async () => {
          if (!await both(2)) return false;
          const all = await withRedis(
            other.url,
            (client) => client.xRevRange(bench.name, "+", "-"),
          );
          return all?.[0].message.body === "2";
        });
        const lines = streams.log.map(([, text]) => text);
        assert.ok(lines.some((text) => /"main" of Sentinel .* is away; reconnecting/.test(text)));
        assert.ok(lines.some((text) => /"main" of Sentinel .* is back/.test(text)));
        assert.match(
          await ended(bench, { url, sentinel: "other" }),
          // The first one of them is away.
          /is away: the Sentinel 127\.0\.0\.1:1: /,
        );
        assert.match(
          await ended(bench, { url: url.slice(1), sentinel: "other" }),
          /^cannot start: the Sentinel 127\.0\.0\.1:\d+ knows no "other"$/,
        );
      } finally {
        await bench.end();
      }
    }),
);

/** Calls `use` with the port of a server that says it is this version. */
async function withVersion(version: string, use: (port: number) => Promise<void>): Promise<void> {
  const fields = ["server", "redis", "version", version, "role", "master"];
  const texts = fields.map((text) => `$${text.length}\r\n${text}\r\n`).join("");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const commands = bytes.toString().match(/\*\d+\r\n/g) ?? [];
      for (const _ of commands) socket.write(`%4\r\n${texts}$2\r\nid\r\n:1\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

await serviceTest(
  "redis-server",
  "an old server is an error at start",
  () =>
    withVersion("6.2.14", async (port) => {
      const bench = new Bench(undefined);
      assert.match(
        await ended(bench, { host: "127.0.0.1", port }),
        /^cannot start: it is redis 6\.2\.14; version 7\.0 or later is needed$/,
      );
      await bench.end();
    }),
);
