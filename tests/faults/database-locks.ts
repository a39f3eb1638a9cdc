/** The entries of "Downstream" about transactions of a database that wait for each other. */
import assert from "node:assert/strict";
import { ask, type DatabaseFault, type DatabaseScene, notes, running, timed } from "./databases.ts";
import { until } from "./downstream.ts";

/** Registers them. */
export async function lockEntries(fault: DatabaseFault): Promise<void> {
  await fault("a deadlock of two transactions → repeated, both succeed", deadlock);

  await fault(
    "a row that somebody has locked → its flow times out, and the server gives up as well; what came with it is done then, what comes later at once",
    locked,
  );
}

async function deadlock(scene: DatabaseScene): Promise<void> {
  const { kind, bench, server, database } = scene;
  const change = (id: number) => `
      to {
        connector = "db"
        operation = "UPDATE"
        target    = "notes"
        key       = "id"
        atomic    = true
        transform {
          id   = "${id}"
          text = "input.text"
        }
      }
  `;
  const both = (first: number, second: number) => `
    flow "change ${first} and ${second}" {
      timeout = "10s"
      from {
        connector = "ws"
        operation = "change_${first}_${second}"
      }
      ${change(first)}
      to {
        connector = "db"
        query     = "${kind.sleep(0.3)}"
        atomic    = true
      }
      ${change(second)}
    }
  `;
  await bench.serve(await notes(scene, { blocks: both(1, 2) + both(2, 1) }));
  const [one, other] = [await bench.open(), await bench.open()];
  for (const id of [1, 2]) assert.equal(await ask(one, "store", { id, text: "" }), undefined);
  const before = await kind.deadlocks(server);
  assert.deepEqual(
    await Promise.all([
      ask(one, "change_1_2", { text: "a" }),
      ask(other, "change_2_1", { text: "b" }),
    ]),
    [undefined, undefined],
  );
  // Each of them has changed both rows.
  const texts = await database.sql("select distinct text from notes");
  assert.equal(texts.length, 1, JSON.stringify(texts));
  await until("a deadlock", async () => await kind.deadlocks(server) > before);
}

async function locked(scene: DatabaseScene): Promise<void> {
  const { bench, database } = scene;
  const pair = (name: string, id: number, timeout: string) => `
    flow "${name}" {
      timeout = "${timeout}"
      from {
        connector = "ws"
        operation = "pair"
      }
      to {
        connector = "db"
        target    = "notes"
        transform {
          id   = "${id}"
          text = "'pair'"
        }
      }
    }
  `;
  const blocks = pair("waits", 50, "2s") + pair("goes on", 51, "10s");
  await bench.serve(await notes(scene, { blocks }));
  const [first, second, third] = [await bench.open(), await bench.open(), await bench.open()];
  for (const id of [1, 2]) assert.equal(await ask(first, "store", { id, text: "a" }), undefined);
  await database.sql(
    "begin; update notes set text = 'mine' where id = 1; insert into notes values (50, 'mine')",
  );
  const waiting = timed(first, "set", { id: 1, text: "b" });
  await until("one waits", async () => await running(scene) === 1);
  const sharing = timed(third, "pair");
  await until("both wait", async () => await running(scene) === 2);
  for (let id = 10; id < 30; id++) {
    const { code, ms } = await timed(second, "store", { id, text: "c" });
    assert.equal(code, undefined);
    assert.ok(ms < 1_000, `an INSERT of another row took ${ms} ms`);
  }
  assert.equal(await ask(second, "set", { id: 2, text: "d" }), undefined);
  for (const { code, ms } of await Promise.all([waiting, sharing])) {
    assert.equal(code, "timeout");
    assert.ok(ms > 1_900 && ms < 3_000, `a timeout of 2 s took ${ms} ms`);
  }
  // It was in one batch with one that waits. What has the lock may see none of it.
  const count = async () => (await first.request({ type: "count" })).data as { n: unknown };
  await until("the other write of the batch is done", async () => Number((await count()).n) === 23);
  await until("nothing runs", async () => await running(scene) === 0, 2_000);
  await database.sql("rollback");
  assert.equal(await ask(first, "set", { id: 1, text: "e" }), undefined);
  const rows = await database.sql("select text from notes where id in (1, 2) order by id");
  assert.deepEqual(rows.map(({ text }) => text), ["e", "d"]);
}
