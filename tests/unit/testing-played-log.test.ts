import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { ChangeLog } from "../../src/connectors/database/drivers/sqlite/playing/change-log.ts";
import { ManualClock } from "../../src/testing/clock.ts";

/** A database with two watched tables; of `b` the whole row is known as it was. */
function watched(): { readonly database: DatabaseSync; readonly log: ChangeLog } {
  const database = new DatabaseSync(":memory:");
  database.exec(`
    CREATE TABLE a ("the ""id""" INTEGER PRIMARY KEY, paid boolean);
    CREATE TABLE b (x text, y text, n bigint, raw bytea, PRIMARY KEY (x, y));
  `);
  const log = new ChangeLog(database, "postgres", new ManualClock(), new Set(["b"]));
  assert.ok(log.watch("a") && log.watch("b"));
  assert.equal(log.watch("c"), false);
  return { database, log };
}

/** What was taken, in short. */
function taken(log: ChangeLog): readonly unknown[] {
  return log.take().map(({ operation, table, row, old }) => [operation, table, row, old]);
}

test("log: the changes of several tables come in their order, each once", () => {
  const { database, log } = watched();
  database.exec("INSERT INTO b VALUES ('x', 'y', 9007199254740993, x'00ff')");
  database.exec("INSERT INTO a VALUES (1, true)");
  database.exec("DELETE FROM b");
  const b = { x: "x", y: "y", n: "9007199254740993", raw: "AP8=" };
  assert.deepEqual(taken(log), [
    ["INSERT", "b", b, null],
    ["INSERT", "a", { 'the "id"': 1, paid: true }, null],
    ["DELETE", "b", b, b],
  ]);
  assert.deepEqual(taken(log), []);
  database.exec('UPDATE a SET "the ""id""" = 2');
  database.exec("UPDATE a SET paid = false");
  database.exec("DELETE FROM a");
  const [moved, updated, removed] = taken(log);
  assert.deepEqual(moved, ["UPDATE", "a", { 'the "id"': 2, paid: true }, { 'the "id"': 1 }]);
  assert.deepEqual(updated, ["UPDATE", "a", { 'the "id"': 2, paid: false }, null]);
  assert.deepEqual(removed, ["DELETE", "a", { 'the "id"': 2 }, { 'the "id"': 2 }]);
  database.close();
});

test("log: what is not committed is not told, and what is undone never was", () => {
  const { database, log } = watched();
  let told = 0;
  log.listen(() => told++);
  database.exec("BEGIN; INSERT INTO a VALUES (1, true)");
  log.ended();
  assert.equal(told, 0);
  database.exec("ROLLBACK");
  log.ended();
  assert.equal(told, 1);
  assert.deepEqual(taken(log), []);
  database.exec("BEGIN; INSERT INTO a VALUES (2, true); COMMIT");
  log.ended();
  assert.equal(told, 2);
  assert.deepEqual(taken(log), [["INSERT", "a", { 'the "id"': 2, paid: true }, null]]);
  database.close();
});
