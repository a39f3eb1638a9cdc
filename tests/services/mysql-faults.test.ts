/** What MySQL's driver does when a connection breaks, when nobody waits any more, and at conflicts. */
import assert from "node:assert/strict";
import type { Cancellable } from "../../src/contract/connector.ts";
import { Requests } from "../../src/connectors/database/requests.ts";
import type {
  Database,
  Result,
  Session,
  Statement,
  StatementOptions,
} from "../../src/connectors/database/driver.ts";
import { type MariadbDatabase, withMariadb } from "../support/mariadb.ts";
import { recorder } from "../support/log.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { pause } from "../support/socket-probe.ts";
import { opened, type Options, rowsOf } from "./mysql-support.ts";

const SCHEMA = "CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE = InnoDB; " +
  "INSERT INTO t VALUES (1, 1), (2, 2)";

function statement(database: Database, sql: string, rows: StatementOptions["rows"] = "all") {
  return database.prepare(sql, { rows, background: false, names: [] });
}

/** Runs one statement as a write does; rejects with its reason, and whether it is permanent. */
function write(database: Database, sql: string): Cancellable<Result> & Promise<Result> {
  return database.transaction({
    steps: [{ statement: statement(database, sql), values: [] }],
    result: ([result]) => result,
    error: (cause) => new Error(words(database, cause)),
  }) as Promise<Result> & Cancellable<Result>;
}

function read(database: Database, sql: string): Cancellable<Result> {
  return database.query(statement(database, sql), []) as Cancellable<Result>;
}

function words(database: Database, cause: unknown): string {
  const { reason, permanent } = database.explain(cause);
  return `${permanent ? "permanent" : "passing"}: ${reason}`;
}

async function withProxy(
  run: (proxy: Proxy, database: Database, server: MariadbDatabase) => Promise<void>,
  options: Options = {},
): Promise<void> {
  await withMariadb(async (server) => {
    const proxy = await Proxy.open(3306);
    try {
      const url = server.url.replace(":3306", `:${proxy.port}`);
      await using database = await opened({ url, ...options });
      await run(proxy, database, server);
    } finally {
      proxy.close();
    }
  }, { schema: SCHEMA });
}

/** Waits until it is true, for at most ten seconds. */
async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (await check()) return;
    await pause(50);
  }
  assert.fail(`not within 10 s: ${what}`);
}

/** How many statements with this text run at the server. */
async function running(server: MariadbDatabase, text: string): Promise<number> {
  const rows = await server.sql(
    "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE ? " +
      "AND id <> CONNECTION_ID()",
    [`%${text}%`],
  );
  return rows.length;
}

await serviceTest("mariadb", "a connection that is cut in a write leaves it open", async () => {
  await withProxy(async (proxy, database, server) => {
    const cut = proxy.cutWhen({ direction: "to server", sequence: "INSERT INTO t VALUES (3" });
    await assert.rejects(
      write(database, "INSERT INTO t VALUES (3, 3)"),
      /^Error: passing: .*it may have been written$/,
    );
    await cut;
    // It was written: the server had the statement.
    await until(
      "the row is there",
      async () => (await server.sql("SELECT id FROM t WHERE id = 3")).length === 1,
    );
    await write(database, "INSERT INTO t VALUES (4, 4)");
  });
});

await serviceTest("mariadb", "a transaction is open only where its COMMIT was sent", async () => {
  await withProxy(async (proxy, database, server) => {
    const transact = () =>
      database.transact(
        (session) => session.run(statement(database, "UPDATE t SET n = 9 WHERE id = 1"), []),
        (cause) => new Error(words(database, cause)),
      );
    void proxy.cutWhen({ direction: "to server", sequence: "SET n = 9", deliver: false });
    const before = await transact().then(() => assert.fail("not refused"), (error) => error);
    assert.match(database.explain(before).reason, /the connection was lost/);
    assert.doesNotMatch(String(before), /may have been written/);
    assert.deepEqual(await server.sql("SELECT n FROM t WHERE id = 1"), [{ n: 1 }]);
    const idle = await Promise.resolve(database.transact(async (session) => {
      await session.run(statement(database, "UPDATE t SET n = 8 WHERE id = 1"), []);
      proxy.cut();
      await pause(100);
    }, (cause) => new Error(words(database, cause)))).then(
      () => assert.fail("not refused"),
      String,
    );
    assert.match(idle, /^Error: passing: the connection was lost/);
    assert.doesNotMatch(idle, /may have been written/);
    assert.deepEqual(await server.sql("SELECT n FROM t WHERE id = 1"), [{ n: 1 }]);
    void proxy.cutWhen({ direction: "to server", sequence: "COMMIT" });
    await assert.rejects(
      Promise.resolve(transact()),
      /^Error: passing: .*it may have been written$/,
    );
  });
});

await serviceTest("mariadb", "a server that says nothing is noticed, and heard again", async () => {
  const log = recorder();
  await withMariadb(async (server) => {
    const proxy = await Proxy.open(3306);
    try {
      const url = server.url.replace(":3306", `:${proxy.port}`);
      await using database = await opened({ url }, [], log);
      assert.deepEqual(await rowsOf(database, "SELECT n FROM t WHERE id = 1"), [{ n: 1 }]);
      proxy.stall();
      const waiting = write(database, "INSERT INTO t VALUES (5, 5)").then(
        () => assert.fail("not refused"),
        (error) => String(error),
      );
      await until("health says so", () => database.health() !== undefined);
      assert.match(
        database.health() ?? "",
        /^database "\w+" at 127\.0\.0\.1:\d+ does not answer: no answer within 2 s$/,
      );
      assert.match(await waiting, /passing: the server has not answered for 5 s; it may have been/);
      proxy.resume();
      await until("health is good", () => database.health() === undefined);
      assert.deepEqual(await rowsOf(database, "SELECT n FROM t WHERE id = 1"), [{ n: 1 }]);
      const texts = log.records.map(({ text }) => text);
      assert.equal(texts.filter((text) => text.includes(" does not answer: ")).length, 1);
      assert.ok(texts.includes("the server answers again"));
    } finally {
      proxy.close();
    }
  }, { schema: SCHEMA });
});

await serviceTest("mariadb", "what nobody waits for is ended at the server", async () => {
  await withMariadb(async (server) => {
    await using database = await opened({ url: server.url });
    const work: Readonly<Record<string, () => Cancellable>> = {
      "a read": () => read(database, "SELECT SLEEP(20)"),
      "a write": () => write(database, "UPDATE t SET n = SLEEP(20) WHERE id = 1"),
      "a transaction": () =>
        database.transact(
          (session) => session.run(statement(database, "DELETE FROM t WHERE SLEEP(20)"), []),
          (cause) => new Error(words(database, cause)),
        ),
    };
    for (const [name, start] of Object.entries(work)) {
      const started = start();
      const ended = Promise.resolve(started).then(() => "done", (error) => String(error));
      await until(`${name} runs`, async () => await running(server, "SLEEP(20)") === 1);
      assert.equal(started.doing?.(), "its statement was still running at the server", name);
      started.cancel();
      assert.match(await ended, /cancelled/, name);
      await until(`${name} is ended`, async () => await running(server, "SLEEP(20)") === 0);
    }
    assert.deepEqual(await server.sql("SELECT n FROM t ORDER BY id"), [{ n: 1 }, { n: 2 }]);
    assert.equal(database.health(), undefined);
  }, { schema: SCHEMA });
});

await serviceTest(
  "mariadb",
  "a statement has its limit, also where the server has none",
  async () => {
    await withMariadb(async (server) => {
      await using database = await opened({ url: server.url, statement_timeout: 300 });
      await assert.rejects(
        write(database, "UPDATE t SET n = SLEEP(20) WHERE id = 1"),
        /passing: Query execution was interrupted \(max_statement_time exceeded\)/,
      );
      // As at MySQL, whose limit is for SELECT alone.
      await assert.rejects(
        write(database, "SET STATEMENT max_statement_time = 0 FOR UPDATE t SET n = SLEEP(20)"),
        /passing: Query execution was interrupted/,
      );
      assert.equal(await running(server, "SLEEP(20)"), 0);
      assert.deepEqual(await rowsOf(database, "SELECT n FROM t WHERE id = 1"), [{ n: 1 }]);
    }, { schema: SCHEMA });
  },
);

await serviceTest(
  "mariadb",
  "a statement waits for a connection as long as the pool says",
  async () => {
    await withMariadb(async (server) => {
      const pool = { max: 1, acquire_timeout: 200 };
      await using database = await opened({ url: server.url, pool });
      const long = read(database, "SELECT SLEEP(20)");
      const ended = Promise.resolve(long).catch(() => "cancelled");
      const waiting = read(database, "SELECT 2");
      assert.equal(waiting.doing?.(), undefined, "it waits for a connection");
      waiting.cancel();
      await assert.rejects(Promise.resolve(waiting), /cancelled/);
      const writing = write(database, "UPDATE t SET n = 5 WHERE id = 2");
      await pause(20);
      assert.equal(writing.doing?.(), undefined, "its batch waits for a connection");
      writing.cancel();
      await assert.rejects(writing, /cancelled/);
      const error = await rowsOf(database, "SELECT 1").then(
        () => assert.fail("not refused"),
        (error) => error,
      );
      assert.equal(
        words(database, error),
        "passing: no connection within 0.2 s; all 1 of its pool are in use",
      );
      long.cancel();
      assert.equal(await ended, "cancelled");
      assert.deepEqual(await rowsOf(database, "SELECT 1 AS one"), [{ one: 1 }]);
    }, { schema: SCHEMA });
  },
);

await serviceTest(
  "mariadb",
  "connections that the server or time has ended are replaced",
  async () => {
    await withMariadb(async (server) => {
      await using database = await opened({ url: server.url, pool: { idle_timeout: 300 } });
      const id = async () => (await rowsOf(database, "SELECT CONNECTION_ID() AS id"))[0].id;
      const first = await id();
      assert.equal(await id(), first);
      await server.sql(`KILL ${first}`);
      await until("another one is used", async () => {
        const now = await id().catch(() => first);
        return now !== first;
      });
      const second = await id();
      await until("it was idle for too long", async () => {
        const rows = await server.sql(
          `SELECT id FROM information_schema.processlist WHERE id = ${second}`,
        );
        return rows.length === 0;
      });
      assert.notEqual(await id(), second);
    }, { schema: SCHEMA });
  },
);

await serviceTest("mariadb", "what others undo is repeated", async () => {
  await withMariadb(async (server) => {
    await using database = await opened({ url: server.url });
    const change = (id: number): Statement =>
      statement(database, `UPDATE t SET n = n + 10 WHERE id = ${id}`, "none");
    let calls = 0;
    let holders = 0;
    const bothHaveOne = Promise.withResolvers<void>();
    // Two that meet in the middle: one of them is undone by the server.
    const both = await Promise.all([[1, 2], [2, 1]].map((ids) => {
      return database.transact(async (session) => {
        calls++;
        await session.run(change(ids[0]), []);
        if (++holders === 2) bothHaveOne.resolve();
        await bothHaveOne.promise;
        await session.run(change(ids[1]), []);
        return ids[0];
      }, (cause) => new Error(words(database, cause)));
    }));
    assert.deepEqual(both, [1, 2]);
    assert.ok(calls > 2, "there was no conflict");
    assert.deepEqual(await server.sql("SELECT n FROM t ORDER BY id"), [{ n: 21 }, { n: 22 }]);
  }, { schema: SCHEMA });
});

await serviceTest("mariadb", "a transaction is undone by its work, and by a refusal", async () => {
  await withMariadb(async (server) => {
    await using database = await opened({ url: server.url });
    const change = statement(database, "UPDATE t SET n = 50", "none");
    const refusal = statement(database, "INSERT INTO t VALUES (1, 1)", "none");
    const describe = (cause: unknown) => new Error(words(database, cause));
    const thrown = new RangeError("of the work");
    await assert.rejects(
      Promise.resolve(database.transact(async (session) => {
        await session.run(change, []);
        throw thrown;
      }, describe)),
      (error) => error === thrown,
    );
    // Also where the work does not mind.
    await assert.rejects(
      Promise.resolve(database.transact(async (session) => {
        await session.run(change, []);
        await Promise.resolve(session.run(refusal, [])).catch(() => {});
        return "done";
      }, describe)),
      /^Error: permanent: Duplicate entry '1' for key 'PRIMARY'$/,
    );
    await assert.rejects(
      database.transaction({
        steps: [{ statement: change, values: [] }, { statement: refusal, values: [] }],
        result: () => "done",
        error: describe,
      }),
      /^Error: permanent: Duplicate entry/,
    );
    assert.deepEqual(await server.sql("SELECT n FROM t ORDER BY id"), [{ n: 1 }, { n: 2 }]);
    // Its work waits for something else.
    const idle = database.transact(() => pause(100), describe);
    await pause(20);
    assert.equal(idle.doing?.(), undefined);
    await idle;
    const late = await database.transact((session) => session, describe);
    await assert.rejects(Promise.resolve(late.run(change, [])), /the transaction has ended/);
  }, { schema: SCHEMA });
});

await serviceTest(
  "mariadb",
  "a pool of one: transactions, reads and what they look up",
  async () => {
    await withMariadb(async ({ url, sql }) => {
      await using database = await opened({ url, pool: { max: 1 } });
      const requests = new Requests("db", database);
      const insert = (session: Session, target: string, n: number) =>
        requests.write({
          operation: "INSERT",
          target,
          payload: { id: n, n },
          options: {},
          scope: {},
          event: undefined,
        }, session);
      const started = performance.now();
      // The first write to a table asks for its columns, and the connection is in use.
      const all = await Promise.allSettled([3, 4, 5].flatMap((id) => [
        requests.transact((session) => insert(session, "t", id)),
        rowsOf(database, "SELECT 1"),
      ]));
      assert.deepEqual(all.map(({ status }) => status), Array(6).fill("fulfilled"));
      const wrong = requests.transact((session) => insert(session, "tt", 6));
      await assert.rejects(Promise.resolve(wrong), /there is no table "tt"; did you mean "t"\?/);
      assert.ok(performance.now() - started < 5000, "something has waited for itself");
      assert.deepEqual(await sql("SELECT COUNT(*) AS n FROM t"), [{ n: "5" }]);
    }, { schema: SCHEMA });
  },
);

await serviceTest("mariadb", "reads that nobody waits for hold nothing", async () => {
  await withMariadb(async (server) => {
    await using database = await opened({ url: server.url, pool: { max: 2 } });
    const [{ id: before }] = await rowsOf(database, "SELECT CONNECTION_ID() AS id");
    const first = Number(before);
    const reads = Array.from({ length: 1000 }, () => read(database, "SELECT SLEEP(20)"));
    await until("two run", async () => await running(server, "SLEEP(20)") === 2);
    for (const reading of reads) reading.cancel();
    const ended = await Promise.allSettled(reads);
    assert.ok(ended.every(({ status }) => status === "rejected"));
    const [{ id }] = await rowsOf(database, "SELECT CONNECTION_ID() AS id");
    assert.ok(Number(id) < first + 500, "each of them has had a connection");
    await until("none runs", async () => await running(server, "SLEEP(20)") === 0);
    const rows = await server.sql(
      "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    );
    // The pool's, and the one that watches the server.
    assert.ok(rows.length <= 3, `${rows.length} connections`);
  }, { schema: SCHEMA });
});

await serviceTest("mariadb", "many transactions on few rows all end", async () => {
  await withMariadb(async (server) => {
    await using database = await opened({ url: server.url });
    const changes = Array.from(
      { length: 10 },
      (_, id) => statement(database, `UPDATE few SET n = n + 1 WHERE id = ${id}`, "none"),
    );
    // Half of them go the other way.
    const work = (steps: readonly Statement[]) => async (session: Session) => {
      for (const step of steps) await session.run(step, []);
    };
    const client = async (_: unknown, index: number) => {
      const steps = index % 2 === 0 ? changes : changes.toReversed();
      for (let i = 0; i < 5; i++) {
        await database.transact(work(steps), (cause) => new Error(words(database, cause)));
      }
    };
    await Promise.all(Array.from({ length: 40 }, client));
    assert.deepEqual(await server.sql("SELECT n FROM few"), Array(10).fill({ n: 200 }));
  }, {
    schema: "CREATE TABLE few (id INT PRIMARY KEY, n INT) ENGINE = InnoDB; " +
      "INSERT INTO few SELECT seq, 0 FROM seq_0_to_9",
  });
});

await serviceTest(
  "mariadb",
  "50 transactions at once that write to a table for the first time",
  async () => {
    await withMariadb(async ({ url, sql }) => {
      await using database = await opened({ url });
      const requests = new Requests("db", database);
      const started = performance.now();
      await Promise.all(
        Array.from({ length: 50 }, (_, id) =>
          requests.transact((session) =>
            requests.write({
              operation: "INSERT",
              target: "t",
              payload: { id: id + 3, n: id },
              options: {},
              scope: {},
              event: undefined,
            }, session)
          )),
      );
      assert.ok(performance.now() - started < 8000, "something has waited for itself");
      assert.deepEqual(await sql("SELECT COUNT(*) AS n FROM t"), [{ n: "52" }]);
    }, { schema: SCHEMA });
  },
);
