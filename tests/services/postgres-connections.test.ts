/** PostgreSQL: the pool, what is cancelled, transactions that conflict, and a server that goes away. */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Cancellable } from "../../src/contract/connector.ts";
import type { Database, Session, Statement } from "../../src/connectors/database/driver.ts";
import type { PostgresDatabase } from "../../src/connectors/database/drivers/postgres/database.ts";
import { Proxy } from "../support/proxy.ts";
import { type PostgresDatabase as TestDatabase, withPostgres } from "../support/postgres.ts";
import { withPostgresServer } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { connector, until, withOpen } from "./postgres-support.ts";

const passOn = (cause: unknown) => cause as Error;

/** A statement whose rows are needed. */
function statement(database: Database, sql: string): Statement {
  return database.prepare(sql, { rows: "all", background: false, names: [] });
}

/** Reads, as a promise that can be cancelled. */
function read(database: Database, sql: string): Cancellable<unknown> {
  const reading = database.query(statement(database, sql), []);
  return "then" in reading ? reading : assert.fail("it was no promise");
}

/** Writes, as a promise that can be cancelled. */
function write(database: Database, sql: string): Promise<unknown> & Cancellable<unknown> {
  const writing = database.transaction({
    steps: [{ statement: statement(database, sql), values: [] }],
    result: ([result]) => result,
    error: passOn,
  });
  return writing as Promise<unknown> & Cancellable<unknown>;
}

/** How many of these statements the server works on. */
async function running({ sql, name }: TestDatabase, what: string): Promise<number> {
  const text = "select count(*)::int as n from pg_stat_activity where datname = $1 and " +
    "state = 'active' and query like $2 and pid <> pg_backend_pid()";
  const [{ n }] = await sql(text, [name, `%${what}%`]);
  return Number(n);
}

const reasonOf = (database: Database, ended: PromiseLike<unknown>) =>
  Promise.resolve(ended).then(
    () => assert.fail("it did not fail"),
    (error) => ({ error, ...database.explain(error) }),
  );

await serviceTest("postgres", "what is cancelled ends at the server, too", async () => {
  await withPostgres(async (server) => {
    await withOpen({ url: server.url }, async (database) => {
      const work = async (session: Session) => {
        await session.run(statement(database, "insert into t values (1)"), []);
        await session.run(statement(database, "select pg_sleep(60) /* slow */"), []);
      };
      const all = [
        read(database, "select pg_sleep(60) /* slow */"),
        write(database, "insert into t select 2 from pg_sleep(60) /* slow */"),
        database.transact(work, passOn),
      ];
      await until("all run", async () => await running(server, "/* slow */") === 3);
      for (const one of all) {
        assert.equal(one.doing?.(), "its statement was still running at the server");
      }
      // Its work waits for something else.
      const idle = database.transact(() => setTimeout(100), passOn);
      await setTimeout(20);
      assert.equal(idle.doing?.(), undefined);
      await idle;
      for (const one of all) one.cancel();
      for (const ended of await Promise.all(all.map((one) => reasonOf(database, one)))) {
        const { permanent, reason } = ended;
        assert.equal(permanent, false);
        assert.match(reason, /cancel/);
      }
      assert.equal(await running(server, "/* slow */"), 0);
      assert.deepEqual(await server.sql("select * from t"), []);
      // The connections can be used again.
      assert.deepEqual(await read(database, "select 1 as n"), [{ n: 1 }]);
    });
  }, { schema: "create table t (n int)" });
});

await serviceTest("postgres", "statement_timeout ends a statement at the server", async () => {
  await withPostgres(async ({ url }) => {
    await withOpen({ url, statement_timeout: 100 }, async (database) => {
      const { reason, permanent } = await reasonOf(database, read(database, "select pg_sleep(60)"));
      assert.match(reason, /canceling statement due to statement timeout/);
      assert.equal(permanent, false);
    });
  });
});

await serviceTest("postgres", "who waits for a connection waits only so long", async () => {
  await withPostgres(async (server) => {
    const pool = { max: 1, acquire_timeout: 200, idle_timeout: 100 };
    await withOpen({ url: server.url, pool }, async (database) => {
      const slow = read(database, "select pg_sleep(60) /* slow */");
      await until("it runs", async () => await running(server, "/* slow */") === 1);
      const { reason, permanent } = await reasonOf(database, read(database, "select 1"));
      assert.equal(reason, "no connection within 0.2 s; all 1 of its pool are in use");
      assert.equal(permanent, false);
      const waiting = read(database, "select 1");
      const writing = write(database, "insert into t values (1)");
      await setTimeout(20);
      for (const one of [waiting, writing]) assert.equal(one.doing?.(), undefined);
      writing.cancel();
      assert.match((await reasonOf(database, writing)).reason, /cancelled/);
      waiting.cancel();
      assert.equal((await reasonOf(database, waiting)).reason, "was cancelled");
      const next = read(database, "select 1 as n");
      slow.cancel();
      await assert.rejects(Promise.resolve(slow));
      assert.deepEqual(await next, [{ n: 1 }]);
      await until("it is closed when it is not used", async () => {
        const text = "select 1 from pg_stat_activity where datname = $1 and application_name = $2";
        return (await server.sql(text, [server.name, "weir/db"])).length === 0;
      });
    });
  });
});

await serviceTest("postgres", "transactions that lock each other are repeated", async () => {
  await withPostgres(async ({ url, sql, name }) => {
    await sql(`alter database ${name} set deadlock_timeout = '20ms'`);
    await withOpen({ url }, async (database) => {
      let calls = 0;
      let holders = 0;
      const bothHaveOne = Promise.withResolvers<void>();
      const add = (first: number, second: number) => async (session: Session) => {
        calls++;
        const set = (id: number) => `update t set n = n + 1 where id = ${id}`;
        await session.run(statement(database, set(first)), []);
        if (++holders === 2) bothHaveOne.resolve();
        await bothHaveOne.promise;
        await session.run(statement(database, set(second)), []);
        return first;
      };
      const all = [database.transact(add(1, 2), passOn), database.transact(add(2, 1), passOn)];
      assert.deepEqual(await Promise.all(all), [1, 2]);
      assert.ok(calls > 2, `${calls} calls`);
      assert.deepEqual(await sql("select n from t order by id"), [{ n: 2 }, { n: 2 }]);
    });
  }, { schema: "create table t (id int, n int); insert into t values (1, 0), (2, 0)" });
});

await serviceTest("postgres", "many transactions on few rows all end", async () => {
  await withPostgres(async ({ url, sql, name }) => {
    await sql(`alter database ${name} set deadlock_timeout = '20ms'`);
    await withOpen({ url }, async (database) => {
      const add = (first: number) => async (session: Session) => {
        for (let step = 0; step < 4; step++) {
          // Half of them go the other way.
          const id = (first + (first % 2 === 0 ? step : 4 - step)) % 4;
          await session.run(statement(database, `update t set n = n + 1 where id = ${id}`), []);
        }
      };
      const all = Array.from({ length: 30 }, (_, i) => database.transact(add(i), passOn));
      await Promise.all(all);
      assert.deepEqual(await sql("select n from t"), Array(4).fill({ n: 30 }));
    });
  }, {
    schema:
      "create table t (id int, n int); insert into t select i, 0 from generate_series(0, 3) i",
  });
});

await serviceTest("postgres", "transactions that cannot be serialised are repeated", async () => {
  await withPostgres(async ({ url, sql, name }) => {
    await sql(`alter database ${name} set default_transaction_isolation = 'serializable'`);
    await withOpen({ url }, async (database) => {
      let calls = 0;
      const bothHaveRead = Promise.withResolvers<void>();
      const add = async (session: Session) => {
        calls++;
        const rows = await session.run(statement(database, "select n from t"), []);
        const n = "changes" in rows ? 0 : Number(rows[0].n);
        if (calls === 2) bothHaveRead.resolve();
        await bothHaveRead.promise;
        await session.run(statement(database, `update t set n = ${n + 1}`), []);
      };
      await Promise.all([database.transact(add, passOn), database.transact(add, passOn)]);
      assert.equal(calls, 3);
      assert.deepEqual(await sql("select n from t"), [{ n: 2 }]);
    });
  }, { schema: "create table t (n int); insert into t values (0)" });
});

await serviceTest("postgres", "a refusal that the work does not wait for counts, too", async () => {
  await withPostgres(async ({ url }) => {
    await withOpen({ url }, async (database) => {
      const bad = statement(database, "insert into t values ('x' || pg_sleep(0.1)::text)");
      const transacted = database.transact((session) => {
        void Promise.resolve(session.run(bad, [])).catch(() => {});
        return "done";
      }, passOn);
      // The COMMIT of a transaction that the server has given up is a ROLLBACK without an error.
      const { permanent } = await reasonOf(database, transacted);
      assert.equal(permanent, true);
    });
  }, { schema: "create table t (n int)" });
});

await serviceTest("postgres", "a transaction whose work fails leaves nothing", async () => {
  await withPostgres(async ({ url, sql }) => {
    await withOpen({ url }, async (database) => {
      const insert = statement(database, "insert into t values (1)");
      const own = new Error("its own");
      const failing = database.transact(async (session) => {
        await session.run(insert, []);
        throw own;
      }, () => new Error("not this"));
      assert.equal((await reasonOf(database, failing)).error, own);
      // What went wrong counts, also where the work takes no notice of it.
      const careless = database.transact(async (session) => {
        await session.run(insert, []);
        const dividing = session.run(statement(database, "select 1 / 0"), []);
        await Promise.resolve(dividing).catch(() => {});
      }, passOn);
      assert.match((await reasonOf(database, careless)).reason, /division by zero/);
      let kept: Session | undefined;
      await database.transact((session) => void (kept = session), passOn);
      await assert.rejects(Promise.resolve(kept?.run(insert, [])), /the transaction has ended/);
      const deferred = database.transact(async (session) => {
        await session.run(statement(database, "insert into u values (5)"), []);
      }, passOn);
      const { reason, permanent } = await reasonOf(database, deferred);
      assert.match(reason, /violates foreign key constraint "u_n_fkey"/);
      assert.equal(permanent, true);
      const both = database.transaction({
        steps: ["insert into t values (7)", "insert into u values (6)"]
          .map((sql) => ({ statement: statement(database, sql), values: [] })),
        result: (results) => results,
        error: passOn,
      });
      await assert.rejects(both, /u_n_fkey/);
      assert.deepEqual(await sql("select * from t"), []);
    });
  }, {
    schema: "create table t (n int primary key); " +
      "create table u (n int references t deferrable initially deferred)",
  });
});

await serviceTest(
  "postgres",
  "a transaction looks at the catalog with no connection to spare",
  async () => {
    await withPostgres(async ({ url }) => {
      const pool = { max: 1, acquire_timeout: 1000, idle_timeout: 60_000 };
      const { db } = connector({ url, pool });
      await db.start();
      try {
        const request = (target: string | undefined, payload: unknown, query?: string) => ({
          operation: undefined,
          target,
          payload,
          options: query === undefined ? {} : { query },
          scope: {},
          event: undefined,
        });
        const row = await db.transact((transaction) =>
          transaction.write(request("t", { n: 1 })) as Promise<unknown>
        );
        assert.deepEqual(row, { n: 1 });
        const failing = db.transact((transaction) =>
          transaction.write(request(undefined, {}, "insert into tt values (1)")) as Promise<unknown>
        );
        await assert.rejects(Promise.resolve(failing), /"tt" does not exist; did you mean "t"\?/);
      } finally {
        await db.close();
      }
    }, { schema: "create table t (n int)" });
  },
);

await serviceTest("postgres", "a connection lost at the COMMIT leaves it unknown", async () => {
  await withPostgres(async (server) => {
    const proxy = await Proxy.open(5432);
    const url = server.url.replace(":5432", `:${proxy.port}`);
    try {
      await withOpen({ url }, async (database) => {
        for (const deliver of [true, false]) {
          const cut = proxy.cutWhen({ direction: "to server", sequence: "COMMIT", deliver });
          const insert = statement(database, `insert into t values (${deliver})`);
          const failing = database.transact(async (session) => {
            await session.run(insert, []);
          }, passOn);
          await cut;
          const { reason, permanent } = await reasonOf(database, failing);
          assert.match(reason, /^lost the connection.*; it may have been written$/);
          assert.equal(permanent, false);
        }
        await until("one is there", async () => (await server.sql("select * from t")).length > 0);
        assert.deepEqual(await server.sql("select * from t"), [{ written: true }]);
        // A statement that the server has surely not committed.
        const insert = statement(database, "insert into t values (null) /* cut */");
        const cut = proxy.cutWhen({ direction: "to server", sequence: "/* cut */" });
        const failing = database.transact(async (session) => {
          await session.run(insert, []);
        }, passOn);
        await cut;
        const { reason, permanent } = await reasonOf(database, failing);
        assert.match(reason, /lost the connection/);
        assert.doesNotMatch(reason, /may have been written/);
        assert.equal(permanent, false);
        assert.deepEqual(await read(database, "select count(*)::int as n from t"), [{ n: 1 }]);
      });
    } finally {
      proxy.close();
    }
  }, { schema: "create table t (written boolean)" });
});

await serviceTest("postgres", "an answer that was lost on the way ends its statement", async () => {
  await withPostgres(async ({ url }) => {
    await withOpen({ url }, async (database) => {
      const { connections } = database as PostgresDatabase;
      const connection = await connections.acquire();
      connection.client.connection.stream.pause();
      await assert.rejects(
        connection.client.query("select 1"),
        /the server does nothing for what waits on it/,
      );
      connections.release(connection);
      assert.equal(database.health(), undefined);
      assert.deepEqual(await read(database, "select 1 as n"), [{ n: 1 }]);
    });
  });
});

await serviceTest(
  "postgres",
  "a statement that takes long goes on, also where nobody sees it",
  async () => {
    await withPostgres(async ({ url, sql, name }) => {
      await sql(`alter database ${name} set track_activities = off`);
      await withOpen({ url }, async (database) => {
        const rows = await read(database, "select 1 as n from pg_sleep(5)");
        assert.deepEqual(rows, [{ n: 1 }]);
      });
    });
  },
);

await serviceTest("postgres", "connections that the server has ended are replaced", async () => {
  await withPostgres(async ({ url, sql, name }) => {
    await withOpen({ url }, async (database) => {
      for (let round = 0; round < 3; round++) {
        await Promise.all([1, 2, 3].map(() => read(database, "select 1")));
        const all = "from pg_stat_activity where datname = $1 and application_name like 'weir/%'";
        // One may still be opened for a read that another one has done.
        await until(
          "all are open",
          async () => (await sql(`select 1 ${all}`, [name])).length >= 4,
        );
        await sql(`select pg_terminate_backend(pid) ${all}`, [name]);
        // A read fails where the end of its connection has not arrived.
        await until(
          "they are replaced",
          () => read(database, "select 1 as n").then(() => true, () => false),
        );
        await setTimeout(1100);
        assert.equal(database.health(), undefined);
      }
    });
  });
});

await serviceTest(
  "postgres",
  "a connection with an open transaction is used by nobody else",
  async () => {
    await withPostgres(async ({ url, sql, name }) => {
      await withOpen({ url }, async (database) => {
        const { connections } = database as PostgresDatabase;
        const connection = await connections.acquire();
        await connection.client.query("begin; insert into t values (1)");
        connections.release(connection);
        await write(database, "insert into t values (2)");
        const open = "select 1 from pg_stat_activity where datname = $1 and state like 'idle in%'";
        await until("it is ended", async () => (await sql(open, [name])).length === 0);
        assert.deepEqual(await sql("select n from t"), [{ n: 2 }]);
      });
    }, { schema: "create table t (n int)" });
  },
);

await serviceTest(
  "postgres",
  "where the heartbeat's connection was dead, idle ones are renewed",
  async () => {
    await withPostgres(async ({ url, sql, name }) => {
      await withOpen({ url }, async (database) => {
        const pid = () => read(database, "select pg_backend_pid() as pid");
        const before = await pid();
        assert.deepEqual(await pid(), before);
        const heartbeat = "datname = $1 and application_name = 'weir/db heartbeat'";
        await sql(`select pg_terminate_backend(pid) from pg_stat_activity where ${heartbeat}`, [
          name,
        ]);
        await until(
          "the heartbeat goes on",
          async () =>
            (await sql(`select 1 from pg_stat_activity where ${heartbeat}`, [name])).length > 0,
        );
        const [{ pid: old }] = before as readonly [{ readonly pid: number }];
        await until(
          "the idle connection is ended",
          async () =>
            (await sql("select 1 from pg_stat_activity where pid = $1", [old])).length === 0,
        );
        assert.notDeepEqual(await pid(), before);
        assert.equal(database.health(), undefined);
      });
    });
  },
);

await serviceTest("postgres", "closing ends what runs, and leaves no connection", async () => {
  await withPostgres(async (server) => {
    let ended: Promise<unknown> | undefined;
    await withOpen({ url: server.url }, async (database) => {
      ended = reasonOf(database, read(database, "select pg_sleep(60) /* slow */"));
      const writing = write(database, "insert into t select 1 from pg_sleep(0.3) /* slow */");
      await until("both run", async () => await running(server, "/* slow */") === 2);
      ended = Promise.all([ended, writing]);
    });
    await ended;
    assert.deepEqual(await server.sql("select n from t"), [{ n: 1 }]);
    await until("none is left", async () => {
      const text = "select 1 from pg_stat_activity where datname = $1 and application_name <> ''";
      return (await server.sql(text, [server.name])).length === 0;
    });
  }, { schema: "create table t (n int)" });
});

await serviceTest("postgres-server", "a server that is full, frozen or restarted", async () => {
  await withPostgresServer(async (server) => {
    await server.sql("create role app login password 'app'; create table t (n int)");
    await server.sql("grant all on t to app");
    const url = server.url("postgres", "app", "app");
    const pool = { max: 4, acquire_timeout: 5000, idle_timeout: 60_000 };
    await withOpen({ url, pool }, async (database, { records }) => {
      // Three are for administrators, one is this test's, one the heartbeat's.
      const all = [1, 2, 3, 4].map((n) => read(database, `select ${n} as n, pg_sleep(0.2)`));
      const rows = (await Promise.all(all)).map((rows) => (rows as { readonly n: number }[])[0].n);
      assert.deepEqual(rows, [1, 2, 3, 4]);
      assert.equal(database.health(), undefined);

      const writing = write(database, "insert into t select 1 from pg_sleep(60)");
      await setTimeout(200);
      await server.freeze();
      const { reason, permanent } = await reasonOf(database, writing);
      assert.match(
        reason,
        /database "postgres" at .* does not answer: .*; it may have been written/,
      );
      assert.equal(permanent, false);
      assert.match(String(database.health()), /^database "postgres" at \S+ does not answer: /);
      await assert.rejects(Promise.resolve(read(database, "select 1")), /does not answer/);
      server.thaw();
      await until("it is found again", () => database.health() === undefined);
      assert.deepEqual(await read(database, "select 1 as n"), [{ n: 1 }]);

      await server.restart();
      await until("it is found again", () => database.health() === undefined);
      assert.deepEqual(await read(database, "select 2 as n"), [{ n: 2 }]);
      await server.kill();
      await until("it is missed", () => database.health() !== undefined);
      await server.start();
      await until("it is found again", () => database.health() === undefined);
      assert.deepEqual(await read(database, "select 3 as n"), [{ n: 3 }]);

      await server.set({ default_transaction_read_only: "on" });
      await until("it is noticed", () => records.some(({ text }) => text.includes("read but not")));
      const refused = await reasonOf(database, write(database, "insert into t values (1)"));
      assert.match(refused.reason, /read-only transaction; the server takes no writes/);
      assert.equal(refused.permanent, false);
    });
  }, { maxConnections: 6 });
});
