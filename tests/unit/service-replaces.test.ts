/** A service that replaces another one in the same process: `replaces`. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defineConnector } from "../../src/contract/definition.ts";
import { loadHost } from "../../src/server/host.ts";
import { type ServeOptions, type Service, startService } from "../../src/server/mod.ts";
import { post } from "../support/web-client.ts";

type Options = Omit<ServeOptions, "workers">;

async function serve(config: string, options: Options = {}): Promise<Service> {
  const host = await loadHost();
  return await startService(config, { ...host.options, ...options }, host.listen);
}

/** A service that is replaced; `calls` gets its end. */
function former(calls: string[], ports: Readonly<Record<string, number>> = {}) {
  return {
    ports,
    close(): Promise<void> {
      calls.push("the former is closed");
      return Promise.resolve();
    },
  };
}

/** Connector types that note their calls, or fail in one of them. */
function noting(calls: string[], fails?: string) {
  const note = (call: string) => (): Promise<void> => {
    calls.push(call);
    return call === fails ? Promise.reject(new TypeError(call)) : Promise.resolve();
  };
  return {
    early: defineConnector({
      fields: {},
      create: () => ({
        prepare: note("early prepares"),
        start: note("early starts"),
        consume: note("early consumes"),
        close: note("early closes"),
      }),
    }),
    late: defineConnector({
      fields: {},
      create: () => ({
        start: note("late starts"),
        consume: note("late consumes"),
        close: note("late closes"),
      }),
    }),
  };
}

const both = 'connector "e" {\n  type = "early"\n}\nconnector "l" {\n  type = "late"\n}\n';

test("a new service prepares, the former is closed, then all the rest is started", async () => {
  const calls: string[] = [];
  const service = await serve(both, { connectors: noting(calls), replaces: former(calls) });
  assert.deepEqual(calls, [
    "early prepares",
    "the former is closed",
    "early starts",
    "late starts",
    "early consumes",
    "late consumes",
  ]);
  await service.close();
});

test("without a former service nothing is prepared", async () => {
  const calls: string[] = [];
  const service = await serve(both, { connectors: noting(calls) });
  await service.close();
  assert.deepEqual(calls, [
    "early starts",
    "late starts",
    "early consumes",
    "late consumes",
    "early closes",
    "late closes",
  ]);
});

test("a failure before the end of the former leaves it alone", async () => {
  const calls: string[] = [];
  const connectors = noting(calls, "early prepares");
  await assert.rejects(serve(both, { connectors, replaces: former(calls) }), /early prepares/);
  assert.deepEqual(calls, ["early prepares", "early closes", "late closes"]);
});

test("a failure after the end of the former is that of the start", async () => {
  const calls: string[] = [];
  const connectors = noting(calls, "late starts");
  await assert.rejects(serve(both, { connectors, replaces: former(calls) }), /late starts/);
  assert.deepEqual(calls.slice(0, 2), ["early prepares", "the former is closed"]);
  assert.deepEqual(calls.slice(-2), ["early closes", "late closes"]);
});

test("a former service that cannot be closed is not replaced", async () => {
  const calls: string[] = [];
  const replaces = { ports: {}, close: () => Promise.reject(new Error("it does not end")) };
  await assert.rejects(serve(both, { connectors: noting(calls), replaces }), /it does not end/);
  assert.deepEqual(calls, ["early prepares", "early closes", "late closes"]);
});

const socket = (port: number) =>
  `connector "ws" {\n  type = "websocket"\n  port = ${port}\n  host = "127.0.0.1"\n}\n`;

test("a port is tried, unless the former service has it", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const calls: string[] = [];
  await assert.rejects(
    serve(socket(port), { replaces: former(calls) }),
    /connector "ws": cannot listen on 127\.0\.0\.1:\d+: the port is in use/,
  );
  assert.deepEqual(calls, []);
  const replaces = {
    ports: { ws: port },
    close: () => new Promise<void>((resolve) => other.close(() => resolve())),
  };
  const service = await serve(socket(port), { replaces });
  assert.equal(service.ports.ws, port);
  await service.close();
});

test("two services use one SQLite file while one replaces the other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-replaces-"));
  try {
    const file = join(folder, "a.db");
    const config = `
connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = "${file}"
}
connector "api" {
  type = "rest"
  port = 0
  host = "127.0.0.1"
}
flow "write" {
  from {
    connector = "api"
    operation = "POST /notes"
  }
  to {
    connector = "db"
    query     = "CREATE TABLE IF NOT EXISTS notes (text)"
  }
  to {
    connector = "db"
    target    = "notes"
  }
}
flow "count" {
  from {
    connector = "api"
    operation = "GET /notes"
  }
  step "all" {
    connector = "db"
    query     = "SELECT count(*) AS n FROM notes"
  }
  response { n = "step.all.n" }
}
`;
    const write = async ({ addresses: [url] }: Service) =>
      (await post(`${url}/notes`, { text: "a" })).status;
    const first = await serve(config);
    assert.equal(await write(first), 200);
    // What is written while the new service has the file open, too, is there afterwards.
    const second = await serve(config, {
      replaces: {
        ports: first.ports,
        async close() {
          assert.equal(await write(first), 200);
          await first.close();
        },
      },
    });
    assert.equal(await write(second), 200);
    const answer = await fetch(`${second.addresses[0]}/notes`);
    assert.deepEqual(await answer.json(), { n: 3 });
    assert.deepEqual(second.runtime.health(), {});
    await second.close();
    assert.equal(existsSync(`${file}-wal`), false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
