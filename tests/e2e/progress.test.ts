/** What the log says of a start, of migrations and of a shutdown that take long. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { withPostgres } from "../support/postgres.ts";
import { commandFile, onAllRuntimes, type Process, ready, type Stage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { test } from "node:test";
import process from "node:process";
import { until } from "../support/mq.ts";
import { childrenOf, withStops } from "../support/workers.ts";
import { complains } from "../support/watching.ts";

/** Starts the command without waiting until it is ready. */
async function start(stage: Stage, text: string, ...args: readonly string[]): Promise<Process> {
  await writeFile(join(stage.folder, "a.hcl"), text);
  return await stage.script(commandFile(stage.runtime), ["run", "a.hcl", ...args]);
}

async function end(weir: Process): Promise<void> {
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
}

/** A server that takes connections and says nothing. */
async function withSilence(run: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test("a start that waits for a broker says so, with workers, too, and in JSON", () =>
  withSilence((port) =>
    onAllRuntimes(async (stage) => {
      const text = `connector "rabbit" {
  type   = "mq"
  driver = "rabbitmq"
  url    = "amqp://127.0.0.1:${port}"
}
connector "ws" {
  type = "websocket"
  port = 0
}
flow "event" {
  from {
    connector = "rabbit"
    operation = "a.b"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
      const reason = `the broker 127\\.0\\.0\\.1:${port} has not answered yet`;
      const weir = await start(stage, text);
      const said = `the start waits for connector rabbit: ${reason}\\n`;
      await complains(weir, new RegExp(`\\[INF\\] weir: ${said}`));
      await ready(weir);
      assert.ok(weir.stderr.indexOf("the start waits") < weir.stderr.indexOf("is away"));
      await end(weir);

      const team = await start(stage, text, "--workers", "2", "--log-format", "json");
      await ready(team);
      const records = team.stderr.trim().split("\n").map((line) => JSON.parse(line));
      const waits = records.find(({ properties }) => properties.connector === "rabbit");
      // Values are quoted in JSON.
      assert.match(waits.message, /^the start waits for connector "rabbit": "the broker .+"$/);
      assert.deepEqual([waits.level, waits.logger, waits.properties.worker], ["INFO", "weir", 1]);
      await end(team);
    })
  ));

test("a start that waits for a worker says so", () =>
  onAllRuntimes((stage) =>
    withStops(async (stop) => {
      const text = 'connector "ws" {\n  type = "websocket"\n  port = 0\n}\n';
      const weir = await start(stage, text, "--workers", "2");
      let first: number | undefined;
      await until("the first worker", async () => {
        [first] = await childrenOf(weir.pid);
        return first !== undefined;
      });
      await stop(first ?? 0);
      await complains(weir, / \[INF\] weir·workers: the start waits for worker 1\n/);
      process.kill(first ?? 0, "SIGCONT");
      await ready(weir);
      await end(weir);
    })
  ));

await serviceTest(
  "postgres",
  "migrations say which runs, and a start waits for a slow one",
  () =>
    onAllRuntimes((stage) =>
      withPostgres(async ({ url }) => {
        await mkdir(join(stage.folder, "migrations"));
        const migrations = {
          "1-notes.sql": "CREATE TABLE notes (text TEXT);",
          "2-slow.sql": "SELECT pg_sleep(4);",
        };
        for (const [name, sql] of Object.entries(migrations)) {
          await writeFile(join(stage.folder, "migrations", name), sql);
        }
        const text = `connector "db" {
  type       = "database"
  driver     = "postgres"
  url        = "${url}"
  migrations = "./migrations"
}
connector "ws" {
  type = "websocket"
  port = 0
}
`;
        const weir = await ready(await start(stage, text, "--workers", "2"));
        const lines = weir.stderr.split("\n").map((line) => line.replace(/^.*\[INF\] /, ""));
        const own = lines.filter((line) => !line.startsWith("weir·workers: "));
        const shown = own.map((line) => line.replace(/in \d+ ms/, "in N ms"));
        assert.deepEqual(shown, [
          "weir·db: applying migration 1-notes.sql",
          "weir·db: applied migration 1-notes.sql in N ms",
          "weir·db: applying migration 2-slow.sql",
          "weir: the start waits for connector db: has not been opened yet",
          "weir·db: applied migration 2-slow.sql in N ms",
          "",
        ]);
        await end(weir);
        // What has been applied is not said again.
        const again = await ready(await start(stage, text));
        assert.equal(again.stderr, "");
        await end(again);
      })
    ),
);

test("SQLite's migrations say which runs, and a file that is refused is the last", () =>
  onAllRuntimes(async (stage) => {
    await mkdir(join(stage.folder, "migrations"));
    await writeFile(join(stage.folder, "migrations/1.sql"), "CREATE TABLE a (x INTEGER);");
    await writeFile(join(stage.folder, "migrations/2.sql"), "CREATE TABLE a (x INTEGER);");
    const text = `connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = "./a.db"
  migrations = "./migrations"
}
`;
    const { code, stderr } = await (await start(stage, text)).ended();
    assert.equal(code, 3);
    const lines = stderr.split("\n").map((line) => line.replace(/^.*\[INF\] /, ""));
    assert.equal(lines[0], "weir·db: applying migration 1.sql");
    assert.match(lines[1], /^weir·db: applied migration 1\.sql in \d+ ms$/);
    assert.equal(lines[2], "weir·db: applying migration 2.sql");
    assert.match(lines[3], /^error\[migration-failed\]: .*migration "2\.sql" was refused/);
  }));

/** An API that answers when the test says so. */
async function withHeldApi(
  run: (url: string, asked: Promise<void>, release: () => void) => Promise<void>,
): Promise<void> {
  const held: ServerResponse[] = [];
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = createServer((_request: IncomingMessage, response) => {
    held.push(response);
    resolve();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const release = (): void => {
    for (const response of held.splice(0)) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end("{}");
    }
  };
  try {
    await run(`http://127.0.0.1:${port}`, asked, release);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

for (const workers of [1, 2]) {
  test(`a shutdown that waits says for how many flows and clients, ${workers} workers`, () =>
    onAllRuntimes((stage) =>
      withHeldApi(async (url, asked, release) => {
        const text = `connector "ws" {
  type = "websocket"
  port = 0
}
connector "api" {
  type = "http"
  base_url = "${url}"
}
flow "slow" {
  from {
    connector = "ws"
    operation = "slow"
  }
  to {
    connector = "api"
    operation = "GET /"
  }
}
`;
        const weir = await ready(await start(stage, text, "--workers", String(workers)));
        const socket = new WebSocket(weir.addresses[0]);
        const closed = new Promise<number>((resolve) =>
          socket.addEventListener("close", ({ code }) => resolve(code))
        );
        await new Promise((resolve) => socket.addEventListener("open", resolve));
        socket.send('{"type":"slow","id":1}');
        await asked;
        weir.signal("SIGTERM");
        const line = / \[INF\] weir: shutting down; flows in flight: 1, clients: 1\n/;
        // Once a second, not once.
        await complains(weir, new RegExp(`(?:${line.source}[^]*){2}`));
        release();
        assert.equal(await closed, 1001);
        const { code, stderr } = await weir.ended();
        assert.equal(code, 0, stderr);
        // Nothing else is said, and not once for each worker.
        const others = stderr.split("\n").filter((one) => !/shutting down; flows/.test(one));
        assert.deepEqual(others, [""], stderr);
      })
    ));
}

test("a shutdown that waits for nothing says nothing", () =>
  onAllRuntimes(async (stage) => {
    const text = 'connector "ws" {\n  type = "websocket"\n  port = 0\n}\n';
    const weir = await ready(await start(stage, text));
    await end(weir);
    assert.equal(weir.stderr, "");
  }));
