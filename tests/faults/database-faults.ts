/** The entries of "Downstream" about a database whose server runs, for either kind. */
import assert from "node:assert/strict";
import { Proxy } from "../support/proxy.ts";
import type { WebClient } from "../support/web-client.ts";
import { type Connection, idsOf, type Kind } from "./database-kinds.ts";
import {
  ask,
  databaseFaults,
  type DatabaseScene,
  notes,
  read,
  running,
  storedIn,
  timed,
  Writers,
} from "./databases.ts";
import { lockEntries } from "./database-locks.ts";
import { until } from "./downstream.ts";

/** Most of what a table's page of either database holds, so that few rows need another page. */
const LARGE = "x".repeat(1_500);

/** Registers them. */
export async function databaseEntries(kind: Kind): Promise<void> {
  const fault = await databaseFaults(kind);
  await lockEntries(fault);

  await fault(
    "connection cut in mid-flow → those in flight fail, the next ones are served, every acked row is there",
    async (scene) => {
      const { kind, server } = scene;
      const blocks = read("long", kind.sleep(30), 'timeout = "20s"');
      const { bench, proxy } = await throughProxy(scene, blocks);
      const writers = await Writers.start(bench);
      const reader = await bench.open();
      // The server may find out later that nobody waits for those of former cuts.
      for (let cut = 1; cut <= 5; cut++) {
        await until("notes are written", () => writers.acked.length >= cut * 20);
        const before = await idsOf(server, kind.sleeping);
        const reading = ask(reader, "long");
        await until("it reads", async () => {
          return (await idsOf(server, kind.sleeping)).some((id) => !before.includes(id));
        });
        proxy.cut();
        const start = performance.now();
        const code = await reading;
        const ms = performance.now() - start;
        assert.ok(code === "flow_failed" && ms < 900, `${code} after ${ms} ms`);
      }
      await until("notes are written", () => writers.acked.length >= 120);
      await writers.stop();
      await bench.recovered();
      await writers.check(scene);
      assert.ok([...writers.refused.values()].every((code) => code === "flow_failed"));
    },
  );

  await fault(
    "connection cut in the middle of a commit → the client gets an error, whether the row is there or not, and the log says that it may be",
    async (scene) => {
      const { bench, client, proxy } = await throughProxy(scene);
      const sessions = () => idsOf(scene.server, kind.sessions);
      const lost = async (type: string, id: number, cut: object): Promise<number[]> => {
        // The connection knows the statement already.
        assert.equal(await ask(client, type, { id: id * 10, text: "" }), undefined);
        const before = await sessions();
        const cutting = proxy.cutWhen({ direction: "to server", ...cut });
        assert.equal(await ask(client, type, { id, text: `note ${id} is cut` }), "flow_failed");
        await cutting;
        // The server may be at work, or not have begun, when the client has its error already.
        await until("its session has ended", async () => {
          const open = await sessions();
          return before.some((session) => !open.includes(session));
        });
        await until("it has come to rest", async () => await running(scene) === 0);
        return (await storedIn(scene)).filter((found) => found === id);
      };
      const text = (id: number) => ({ sequence: `note ${id} is cut` });
      assert.deepEqual(await lost("store", 2, text(2)), [2]);
      const last = kind.lastOfWrite("note 3 is cut");
      assert.deepEqual(await lost("store", 3, { sequence: last, deliver: false }), []);
      assert.deepEqual(await lost("both", 4, { sequence: "COMMIT" }), [4]);
      assert.deepEqual(await lost("both", 5, { sequence: "COMMIT", deliver: false }), []);
      assert.deepEqual(await storedIn(scene, "twins"), [4, 40, 50]);
      assert.equal((await bench.logged(/it may have been written/)).length, 4);
      // With a key it may be written again.
      for (const id of [2, 3]) assert.equal(await ask(client, "keep", { id, text: "" }), undefined);
      assert.deepEqual(await storedIn(scene), [1, 2, 3, 4, 20, 30, 40, 50]);
    },
  );

  await fault(
    "sessions ended by the administrator → those in flight fail, the next ones are served",
    async (scene) => {
      const { bench, server } = scene;
      await bench.serve(await notes(scene));
      const writers = await Writers.start(bench);
      const reader = await bench.open();
      for (let times = 1; times <= 3; times++) {
        await until("notes are written", () => writers.acked.length >= times * 20);
        const before = await idsOf(server, kind.sleeping);
        const reading = timed(reader, "sleep");
        await until("it reads", async () => {
          return (await idsOf(server, kind.sleeping)).some((id) => !before.includes(id));
        });
        const sessions = await server.sql(kind.sessions);
        assert.ok(sessions.length > 0);
        // One may have gone by itself.
        for (const { id } of sessions) await server.sql(kind.end(String(id))).catch(() => {});
        const { code, ms } = await reading;
        assert.ok(code === "flow_failed" && ms < 900, `${code} after ${ms} ms`);
      }
      await until("notes are written", () => writers.acked.length >= 80);
      await writers.stop();
      await bench.recovered();
      await writers.check(scene);
    },
  );

  await fault(
    "out of connections → a start is tried again; what needs another one fails, what has one goes on",
    async (scene) => {
      const { bench } = scene;
      let others = await occupy(scene);
      await bench.serve(await notes(scene));
      assert.deepEqual(await bench.ready(), { status: 503, troubles: ["db"] });
      await leave(others);
      await bench.recovered();
      const client = await bench.open();
      assert.equal(await ask(client, "store", { id: 1, text: "a" }), undefined);
      others = await occupy(scene);
      const readers = await Promise.all(Array.from({ length: 8 }, () => bench.open()));
      const asked = await Promise.all(readers.map((one) => timed(one, "sleep")));

      for (const { code, ms } of asked) {
        assert.ok(code === "flow_failed" || code === "timeout", String(code));
        assert.ok(ms < 2_000, `a flow of 1 s took ${ms} ms`);
      }
      assert.equal(await ask(client, "store", { id: 2, text: "b" }), undefined);
      assert.equal(await ask(client, "count"), undefined);
      await leave(others);
      const counts = await Promise.all(readers.map((reader) => ask(reader, "count")));
      assert.deepEqual(counts, readers.map(() => undefined));
      await bench.recovered();
    },
  );

  await fault(
    "disk full → writes fail, reads and other clients go on; with space again they succeed",
    async (scene) => {
      const { bench, server } = scene;
      await bench.serve(await notes(scene));
      const client = await bench.open();
      assert.equal(await ask(client, "store", { id: 1, text: LARGE }), undefined);
      await server.fillDisk();
      try {
        let code: unknown;
        let last = 1;
        while (code === undefined && last < 2_000) {
          code = await ask(client, "store", { id: ++last, text: LARGE });
        }
        assert.equal(code, "flow_failed");
        assert.equal(await ask(client, "count"), undefined);
        assert.equal((await storedIn(scene)).length, last - 1);
        assert.equal((await bench.ready()).status, 200);
      } finally {
        await server.freeDisk();
      }
      assert.equal(await ask(client, "store", { id: 0, text: LARGE }), undefined);
    },
  );

  await fault("read-only → writes fail, reads go on; later they succeed", async (scene) => {
    const { bench, server } = scene;
    await bench.serve(await notes(scene));
    const client = await bench.open();
    await kind.readOnly(server, true);
    try {
      await until("a write fails", async () => {
        return await ask(client, "keep", { id: 1, text: "a" }) === "flow_failed";
      });
      assert.equal(await ask(client, "both", { id: 2, text: "a" }), "flow_failed");
      assert.equal(await ask(client, "count"), undefined);
      assert.equal((await bench.ready()).status, 200);
    } finally {
      await kind.readOnly(server, false);
    }
    await until("a write succeeds", async () => {
      return await ask(client, "both", { id: 2, text: "a" }) === undefined;
    });
    assert.equal((await bench.logged(/read.only/i, "error")).length > 0, true);
  });

  await fault(
    "a statement that takes 30 s → the flow times out, or `statement_timeout` ends it, and the server has given up as well",
    async (scene) => {
      const { bench, database } = scene;
      const limited = `
        connector "limited" {
          type              = "database"
          driver            = "${kind.driver}"
          url               = ${JSON.stringify(database.url)}
          statement_timeout = "700ms"
        }
        ${read("limited", kind.sleep(31), "", "limited")}
      `;
      await bench.serve(await notes(scene, { blocks: limited }));
      const [first, second] = [await bench.open(), await bench.open()];
      const asked = [timed(first, "sleep"), timed(second, "limited")];
      await until("both run", async () => await running(scene) === 2);
      const [flow, statement] = await Promise.all(asked);
      assert.equal(flow.code, "timeout");
      assert.ok(flow.ms > 900 && flow.ms < 2_500, `a flow of 1 s took ${flow.ms} ms`);
      assert.equal(statement.code, "flow_failed");
      assert.ok(
        statement.ms > 600 && statement.ms < 2_500,
        `statement_timeout of 700 ms held ${statement.ms} ms`,
      );
      await until("nothing runs", async () => await running(scene) === 0, 2_000);
      assert.equal(await ask(first, "count"), undefined);
    },
  );

  await fault(
    "a table dropped, made again, and a column added in mid-flow → flow_failed while it is away; then the row has the column",
    altered,
  );
}

/** Takes every connection that is left, as Weir's user. */
async function occupy({ kind, database, server }: DatabaseScene): Promise<readonly Connection[]> {
  // The test's own connections are there before.
  await Promise.all([server.sql("select 1"), database.sql("select 1")]);
  const taken: Connection[] = [];
  for (;;) {
    const connection = await kind.connect(database.url).catch((error) => {
      assert.match(error.message, /too many|connection slots/i);
      return undefined;
    });
    if (connection === undefined) return taken;
    taken.push(connection);
  }
}

async function leave(connections: readonly Connection[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.end()));
}

/** Serves the notes through a proxy. The first one is written, so that its statement is known. */
async function throughProxy(scene: DatabaseScene, blocks = "") {
  const { bench, server, database } = scene;
  const proxy = await Proxy.open(server.port);
  bench.onEnd(() => proxy.close());
  const url = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
  await bench.serve(await notes(scene, { url, blocks }));
  const client: WebClient = await bench.open();
  assert.equal(await ask(client, "keep", { id: 1, text: "a" }), undefined);
  return { bench, client, proxy };
}

async function altered(scene: DatabaseScene): Promise<void> {
  const { bench, database } = scene;
  const wide = `
    flow "wide" {
      from {
        connector = "ws"
        operation = "wide"
      }
      to {
        connector = "db"
        target    = "notes"
      }
      response {
        more = "output.more"
      }
    }
  `;
  await bench.serve(await notes(scene, { blocks: wide }));
  const client = await bench.open();
  const wideNote = (data: object) => client.request({ type: "wide", data });
  assert.deepEqual((await wideNote({ id: 1, text: "a" })).data, { more: null });
  assert.equal(await ask(client, "count"), undefined);
  await database.sql("drop table notes");
  assert.equal(await ask(client, "store", { id: 2, text: "b" }), "flow_failed");
  assert.equal(await ask(client, "count"), "flow_failed");
  assert.ok((await bench.logged(/notes/, "error")).length >= 2);
  assert.equal((await bench.ready()).status, 200);
  await database.sql("create table notes (id int primary key, text varchar(50))");
  await database.sql(`grant all on notes to weir`).catch(() => {});
  assert.equal(await ask(client, "store", { id: 3, text: "c" }), undefined);
  assert.equal(await ask(client, "count"), undefined);
  await database.sql("alter table notes add column more varchar(50) default 'default'");
  assert.deepEqual((await wideNote({ id: 4, text: "d" })).data, { more: "default" });
  assert.deepEqual((await wideNote({ id: 5, text: "e", more: "given" })).data, { more: "given" });
  assert.equal(await ask(client, "count"), undefined);
  assert.deepEqual(await storedIn(scene), [3, 4, 5]);
}
