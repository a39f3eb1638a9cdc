/** Changes of PostgreSQL while connections, servers and instances come to an end. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { runtime } from "../faults/stage.ts";
import { until } from "../support/mq.ts";
import { dropSlot, PostgresServer, withPostgres } from "../support/postgres.ts";
import { openStage } from "../support/process.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import {
  keeping,
  makeSource,
  openChanges,
  type Source,
  withSource,
} from "./postgres-changes-support.ts";

const { server, changesTest } = await openChanges();
after(() => server?.end());

const CONFIGURATION = `
connector "pg" {
  type   = "database"
  driver = "postgres"
  url    = env("URL")
  changes {
    slot = env("SLOT")
  }
}
flow "copy" {
  from {
    connector = "pg"
    operation = "INSERT t"
  }
  transform {
    n   = "input.id"
    who = "env('WHO')"
  }
  to {
    connector = "pg"
    target    = "seen"
  }
}
`;

const TABLE = "create table t (id int primary key)";
const idOf = ({ input }: FlowEvent) => Number(input.id);

/** Each number at least once, and no number before one that is smaller came for the first time. */
function assertComplete(seen: readonly number[], last: number): void {
  assert.deepEqual([...new Set(seen)], Array.from({ length: last }, (_, index) => index + 1));
}

/** The same database, by another port. */
function through(url: string, { port }: Proxy): string {
  return Object.assign(new URL(url), { port: String(port) }).href;
}

await changesTest("cut connections lose nothing", TABLE, async ({ url, changes, sql }) => {
  const proxy = await Proxy.open(server!.port);
  try {
    const seen: number[] = [];
    const take = (event: FlowEvent) => void seen.push(idOf(event));
    const options = { url: through(url, proxy), changes };
    await withSource(options, { "INSERT t": take }, async ({ counts, connector }) => {
      for (let id = 1; id <= 600; id++) {
        await sql("insert into t values ($1)", [id]);
        if (id % 150 === 0) proxy.cut();
        if (id === 300) await until("it reads again", () => connector.health() === undefined);
      }
      await until("the last is there", () => seen.at(-1) === 600);
      assertComplete(seen, 600);
      assert.equal(counts().gaps, undefined);
    });
  } finally {
    proxy.close();
  }
});

await serviceTest("postgres-server", "changes: a server that is killed loses nothing", async () => {
  const own = await PostgresServer.open({ fsync: true });
  try {
    await withPostgres(async ({ url, sql }) => {
      const seen: number[] = [];
      const take = async (event: FlowEvent) => {
        if (idOf(event) % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(idOf(event));
      };
      await withSource({ url }, { "INSERT t": take }, async ({ counts, connector, log }) => {
        for (const first of [1, 501]) {
          await sql(`insert into t select n from generate_series(${first}, ${first + 499}) n`);
          await own.kill();
          if (first === 1) await until("it is down", () => connector.health() !== undefined);
          await own.start();
        }
        await until("the last is there", () => seen.at(-1) === 1000);
        assertComplete(seen, 1000);
        assert.equal(counts().gaps, undefined);
        assert.match(JSON.stringify(log), /does not read changes, and tries again/);
        await until("it reads", () => connector.health() === undefined);
      });
      await dropSlot(sql, "weir_app");
    }, { at: own.url(), schema: TABLE });
  } finally {
    await own.end();
  }
});

await changesTest(
  "a second instance waits, and takes over when the first one ends",
  TABLE,
  async ({ url, changes, sql }) => {
    const [one, two] = [keeping(), keeping()];
    const first = await makeSource({ url, changes }, { "INSERT t": one.keep });
    await first.connector.start();
    await first.connector.consume();
    await sql("insert into t values (1)");
    await until("the first reads", () => one.events.length === 1);
    await withSource({ url, changes }, { "INSERT t": two.keep }, async ({ connector, log }) => {
      await until("it waits", () => connector.health() === undefined);
      assert.match(
        JSON.stringify(log),
        /another instance reads the slot .* its clients alone/,
      );
      await sql("insert into t values (2)");
      await until("the first has it", () => one.events.length === 2);
      await first.end();
      await sql("insert into t values (3)");
      await until("the second has it", () => two.events.length === 1, 3000);
      assert.deepEqual([one.events.map(idOf), two.events.map(idOf)], [[1, 2], [3]]);
    });
  },
);

await changesTest(
  "a second instance takes over within ten seconds where the first one is cut off in silence",
  TABLE,
  async ({ url, changes, sql }) => {
    const proxy = await Proxy.open(server!.port);
    const [one, two] = [keeping(), keeping()];
    let first: Source | undefined;
    try {
      first = await makeSource({ url: through(url, proxy), changes }, { "INSERT t": one.keep });
      await first.connector.start();
      await first.connector.consume();
      await sql("insert into t values (1)");
      await until("the first reads", () => one.events.length === 1);
      await withSource({ url, changes }, { "INSERT t": two.keep }, async ({ connector }) => {
        await until("it waits", () => connector.health() === undefined);
        proxy.stall();
        await sql("insert into t values (2)");
        await until(
          "the second has it",
          () => two.events.some((event) => idOf(event) === 2),
          10_000,
        );
        // The first one has seen it as well, and says so.
        await until("the first knows", () => /does not read/.test(JSON.stringify(first?.log)));
        proxy.resume();
        await until("the first waits", () => first?.connector.health() === undefined);
        assert.deepEqual(one.events.map(idOf), [1]);
      });
    } finally {
      await first?.end();
      proxy.close();
    }
  },
);

await changesTest(
  "of two processes one is killed: the other one goes on where it was, and all is there",
  `${TABLE}; create table seen (n int, who text)`,
  async ({ url, changes, sql }) => {
    const stage = await openStage(runtime);
    try {
      await writeFile(join(stage.folder, "weir.hcl"), CONFIGURATION);
      const env = { URL: url, SLOT: changes.slot };
      const first = await stage.run(["weir.hcl"], { env: { ...env, WHO: "first" } });
      const second = await stage.run(["weir.hcl"], { env: { ...env, WHO: "second" } });
      let ended = 0;
      for (let id = 1; id <= 400; id++) {
        await sql("insert into t values ($1)", [id]);
        if (id !== 200) continue;
        await until("the first works", async () => (await sql("select from seen")).length > 0);
        await first.kill();
        ended = performance.now();
      }
      const count = async () => {
        const [{ n }] = await sql("select count(distinct n)::int as n from seen");
        return Number(n);
      };
      await until("all are there", async () => await count() === 400);
      assert.ok(performance.now() - ended < 10_000);
      const who = await sql("select who, count(*)::int as n from seen group by who order by who");
      assert.deepEqual(who.map(({ who }) => who), ["first", "second"]);
      assert.ok(Number(who[0].n) + Number(who[1].n) < 500, JSON.stringify(who));
      second.signal("SIGTERM");
      assert.equal((await second.ended()).code, 0);
      stage.assertSound();
    } finally {
      await stage.end();
    }
  },
);

await changesTest(
  "a flow that takes longer than the server waits for a sign of life loses no connection",
  TABLE,
  async ({ url, changes, sql }) => {
    const seen: number[] = [];
    const take = async (event: FlowEvent) => {
      if (idOf(event) === 1) await new Promise((resolve) => setTimeout(resolve, 7500));
      seen.push(idOf(event));
    };
    await withSource({ url, changes }, { "INSERT t": take }, async ({ log, connector }) => {
      // More than waits at once, so that the connection is not read meanwhile.
      await sql("insert into t select n from generate_series(1, 5000) n");
      await until("the lag is known", () => connector.counts().change_lag_bytes > 0);
      await until("the last is there", () => seen.length === 5000, 20_000);
      assertComplete(seen, 5000);
      await until("nothing is left", () => connector.counts().change_lag_bytes < 10_000);
      assert.deepEqual(log.filter(([level]) => level !== "info"), []);
    });
  },
);

await changesTest(
  "a server that is away at the start is read when it answers, after the migrations",
  TABLE,
  async ({ url, changes, sql }) => {
    const proxy = await Proxy.open(server!.port);
    const { events, keep } = keeping();
    proxy.refuse();
    try {
      const options = { url: through(url, proxy), changes };
      await withSource(options, { "INSERT t": keep }, async ({ connector }) => {
        assert.match(String(connector.health()), /ECONNREFUSED/);
        await proxy.accept();
        await until("it reads", () => connector.health() === undefined);
        await sql("insert into t values (1)");
        await until("it is there", () => events.length === 1);
      });
    } finally {
      proxy.close();
    }
  },
);

await changesTest(
  "a slot that was dropped is made again, and the gap is counted",
  TABLE,
  async ({ url, changes, sql, name }) => {
    const { events, keep } = keeping();
    await withSource({ url, changes }, { "INSERT t": keep }, async ({ counts, log, connector }) => {
      await sql("insert into t values (1)");
      await until("it reads", () => events.length === 1);
      // Until the slot is free for a moment.
      await until("it is dropped", async () => {
        await sql(
          "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1",
          [name],
        );
        return await sql("select pg_drop_replication_slot($1)", [name]).then(
          () => true,
          () => false,
        );
      });
      await until("it reads again", () => counts().gaps === 1 && connector.health() === undefined);
      assert.match(JSON.stringify(log), /changes are missing: the slot was dropped/);
      await sql("insert into t values (3)");
      await until("it goes on", () => events.length === 2);
    });
  },
);

await changesTest(
  "a publication that was dropped is made again, and the gap is counted",
  TABLE,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    await withSource({ url, changes }, { "INSERT t": keep }, async ({ counts, log }) => {
      await sql("drop publication weir_app");
      await sql("insert into t values (1)");
      await until("there is a gap", () => (counts().gaps ?? 0) > 0);
      assert.match(JSON.stringify(log), /changes are missing: the publication had/);
      await until("it goes on", async () => {
        await sql("delete from t; insert into t values (2)");
        return events.length > 0;
      });
    });
  },
);

await changesTest(
  "a table that is dropped does not stop the others; made again it is read again",
  `${TABLE}; create table u (id int primary key)`,
  async ({ url, changes, sql }) => {
    const { events, keep } = keeping();
    const flows = { "INSERT t": keep, "INSERT u": keep };
    await withSource({ url, changes }, flows, async ({ counts, connector }) => {
      await sql("drop table t; insert into u values (1)");
      await until("u goes on", () => events.length === 1);
      await until("it says so", () => /no table "t"/.test(String(connector.health())));
      await sql(TABLE);
      await until("it is published", () => connector.health() === undefined);
      assert.equal(counts().gaps, 1);
      await sql("insert into t values (1)");
      await until("t goes on", () => events.length === 2);
    });
  },
);

await serviceTest(
  "postgres-server",
  "changes: a slot that the server has given up is a gap",
  async () => {
    const own = await PostgresServer.open({ settings: { max_slot_wal_keep_size: "1MB" } });
    try {
      await withPostgres(async ({ url, sql }) => {
        const { events, keep } = keeping();
        await withSource({ url }, { "INSERT t": keep }, () => {});
        await sql("create table filler (note text)");
        for (let n = 0; n < 8; n++) {
          await sql("insert into filler select repeat('x', 1000) from generate_series(1, 2000)");
          await sql("select pg_switch_wal()");
        }
        await sql("checkpoint");
        const state = "select wal_status::text as state from pg_replication_slots";
        assert.deepEqual(await sql(state), [{ state: "lost" }]);
        await withSource({ url }, { "INSERT t": keep }, async ({ counts, log }) => {
          assert.match(JSON.stringify(log), /changes are missing: the server has thrown away/);
          await sql("insert into t values (1)");
          await until("it goes on", () => events.length === 1);
          assert.equal(counts().gaps, 1);
        });
        await dropSlot(sql, "weir_app");
      }, { at: own.url(), schema: TABLE });
    } finally {
      await own.end();
    }
  },
);
