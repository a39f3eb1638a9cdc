/** The servers and the proxy that tests of databases use do what they say. */
import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import pg from "pg";
import { MariadbServer, withMariadb, withMariadbServer } from "../support/mariadb.ts";
import { PostgresServer, withPostgres, withPostgresServer } from "../support/postgres.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { pause } from "../support/socket-probe.ts";

/** What happens first: `promise` settles, or the time is up. */
async function soon(promise: Promise<unknown>, limit = 500): Promise<string> {
  const outcome = promise.then(() => "done", () => "failed");
  return await Promise.race([outcome, pause(limit).then(() => "nothing")]);
}

await serviceTest("postgres", "a database on the machine's PostgreSQL is dropped", async () => {
  const name = await withPostgres(async ({ name, url, sql }) => {
    assert.deepEqual(await sql("insert into t values (7); select n from t"), [{ n: 7 }]);
    assert.deepEqual(await sql("select $1::int as n", [3]), [{ n: 3 }]);
    // Somebody who is still connected does not hold it.
    const other = new pg.Client({ connectionString: url });
    other.on("error", () => {});
    await other.connect();
    return name;
  }, { schema: "create table t (n int)" });
  await withPostgres(async ({ sql }) => {
    assert.deepEqual(await sql("select 1 from pg_database where datname = $1", [name]), []);
  });
});

await serviceTest("mariadb", "a database on the machine's MariaDB is dropped", async () => {
  const name = await withMariadb(async ({ name, sql }) => {
    assert.deepEqual(await sql("insert into t values (7); select n from t"), [{ n: 7 }]);
    assert.deepEqual(await sql("select n from t where n = ?", [7]), [{ n: 7 }]);
    assert.deepEqual(await sql("delete from t"), []);
    return name;
  }, { schema: "create table t (n int)" });
  await withMariadb(async ({ sql }) => {
    assert.deepEqual(await sql("show databases like ?".replace("?", `'${name}'`)), []);
  });
});

for (
  const { name, service, open } of [
    { name: "PostgreSQL", service: "postgres-server", open: PostgresServer.open },
    { name: "MariaDB", service: "mariadb-server", open: MariadbServer.open },
  ] as const
) {
  await serviceTest(
    service,
    `${name}: killed, restarted, frozen, and gone at the end`,
    async () => {
      const server = await open({ tls: true, maxConnections: 10 });
      try {
        assert.match(server.certificate?.pem ?? "", /BEGIN CERTIFICATE/);
        await server.sql("create table t (n int)");
        await server.sql("insert into t values (1)");
        const answer = server.sql("select n from t");
        await answer;
        await server.kill();
        assert.equal(await soon(server.sql("select 1")), "failed");
        await server.start();
        assert.deepEqual(await server.sql("select n from t"), [{ n: 1 }]);
        await server.freeze();
        const late = server.sql("select n from t");
        assert.equal(await soon(late), "nothing");
        server.thaw();
        assert.deepEqual(await late, [{ n: 1 }]);
        await server.restart();
        assert.deepEqual(await server.sql("select n from t"), [{ n: 1 }]);
        // Frozen ones end, too.
        await server.freeze();
      } finally {
        await server.end();
      }
      await assert.rejects(access(server.folder));
      assert.equal(server.pid, undefined);
    },
  );
}

await serviceTest("postgres-server", "PostgreSQL asks for the password", async () => {
  await withPostgresServer(async (server) => {
    const wrong = new pg.Client({ connectionString: server.url("postgres", "postgres", "x") });
    await assert.rejects(wrong.connect(), /password authentication failed/);
    assert.deepEqual(await server.sql("show wal_level"), [{ wal_level: "logical" }]);
    await server.set({ default_transaction_read_only: "on" });
    await withinRefused(() => server.sql("create table t (n int)"), /read-only/);
  });
});

await serviceTest("mariadb-server", "MariaDB asks for the password", async () => {
  await withMariadbServer(async (server) => {
    const wrong = { at: server.url("mysql", "root", "") };
    await assert.rejects(withMariadb(() => Promise.resolve(), wrong), /Access denied/);
    await server.set({ max_connections: "11" });
    assert.deepEqual(await server.sql("select @@max_connections as n"), [{ n: "11" }]);
    // It shares no temporary tables with another server, which it would remove.
    assert.deepEqual(await server.sql("select @@tmpdir as d"), [{ d: server.folder }]);
  });
});

await serviceTest("tmpfs", "a small disk is full and is free again", async () => {
  for (
    const [service, open] of [
      ["PostgreSQL", PostgresServer.open],
      ["MariaDB", MariadbServer.open],
    ] as const
  ) {
    const server = await open({ disk: service === "MariaDB" ? 48 : 64 });
    try {
      // Of a value that is kept outside of its row MariaDB makes a crash.
      await server.sql("create table t (s varchar(4000))");
      await server.fillDisk();
      const row = `insert into t select repeat('${crypto.randomUUID()}', 100)`;
      const write = async () => {
        for (let n = 0; n < 200; n++) await server.sql(row);
      };
      await assert.rejects(write, /No space left|is full/, service);
      await server.freeDisk();
      await server.sql(row);
    } finally {
      await server.end();
    }
  }
});

await serviceTest("postgres", "the proxy cuts, holds and refuses", async () => {
  const proxy = await Proxy.open(5432);
  try {
    await withPostgres(async ({ sql, url }) => {
      await sql("create table t (n int)");
      const open = async () => {
        const there = Object.assign(new URL(url), { port: String(proxy.port) });
        const client = new pg.Client({ connectionString: there.href });
        client.on("error", () => {});
        await client.connect();
        return client;
      };
      const rows = async () => (await sql("select n from t order by n")).map(({ n }) => n);

      const first = await open();
      assert.deepEqual([proxy.connections, proxy.taken], [1, 1]);
      proxy.stall();
      const held = first.query("insert into t values (1)");
      assert.deepEqual([await soon(held), await rows()], ["nothing", []]);
      proxy.resume();
      await held;
      proxy.refuse();
      assert.equal(await soon(first.query("select 1")), "done");
      await assert.rejects(open(), /ECONNREFUSED/);
      await proxy.accept();

      // The server commits, and its answer is lost.
      await first.query("begin; insert into t values (2)");
      let cut = proxy.cutWhen({ direction: "to server", sequence: "commit" });
      await assert.rejects(first.query("commit"));
      await cut;
      await eventually(async () => assert.deepEqual(await rows(), [1, 2]));

      // The server does not get it.
      const second = await open();
      await second.query("begin; insert into t values (3)");
      cut = proxy.cutWhen({ direction: "to server", sequence: "commit", deliver: false });
      await assert.rejects(second.query("commit"));
      await cut;
      await pause(200);
      assert.deepEqual(await rows(), [1, 2]);

      const third = await open();
      cut = proxy.cutWhen({ direction: "to client", bytes: 1000 });
      await assert.rejects(third.query("select repeat('x', 5000)"));
      await cut;
      const fourth = await open();
      proxy.cut();
      await assert.rejects(fourth.query("select 1"));
      await eventually(() => assert.equal(proxy.connections, 0));
      assert.equal(proxy.taken, 4);
    });
  } finally {
    proxy.close();
  }
  const refused = connectTcp({ port: proxy.port, host: "127.0.0.1" });
  await assert.rejects(new Promise((_, reject) => refused.on("error", reject)), /ECONNREFUSED/);
});

/** Retries what may not hold yet. */
async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await check();
    } catch {
      await pause(50);
    }
  }
  await check();
}

/** Waits until an action is refused: settings take effect soon. */
async function withinRefused(act: () => Promise<unknown>, message: RegExp): Promise<void> {
  await eventually(async () => await assert.rejects(act, message));
}
