/** Values of PostgreSQL where no server is needed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { arrayOf } from "../../src/connectors/database/drivers/postgres/arrays.ts";
import { bind, codecs, plain } from "../../src/connectors/database/drivers/postgres/codecs.ts";
import { PostgresStatement } from "../../src/connectors/database/drivers/postgres/statement.ts";
import { fromTimestamp } from "../../src/connectors/database/drivers/postgres/timestamps.ts";

test("what no type takes is refused before a type is known", () => {
  assert.equal(bind(undefined), null);
  assert.equal(bind(5), 5);
  assert.throws(() => bind(() => {}), { message: "is a function, which cannot be stored" });
  assert.throws(() => bind(Symbol("a")), { message: "is a symbol, which cannot be stored" });
});

test("an array that is cut off is an error, not an endless loop", () => {
  const { decode } = arrayOf(plain);
  const text = `[0:1]={{"a,\\"",NULL},{b,"}"}}`;
  assert.deepEqual(decode?.(text), [['a,"', null], ["b", "}"]]);
  for (let length = 0; length < text.length; length++) {
    assert.throws(() => decode?.(text.slice(0, length)), TypeError, text.slice(0, length));
  }
});

test("timestamps of another session's format stay as they are", () => {
  for (const text of ["", "infinity", "01/02/2026 03:04:05 UTC", "2026-01-02", "99999999999"]) {
    assert.equal(fromTimestamp(text), text);
  }
  assert.equal(fromTimestamp("2026-01-02 03:04:05.1-02:30"), "2026-01-02T05:34:05.100Z");
  assert.equal(fromTimestamp("12026-01-02 03:04:05.123456"), "+012026-01-02T03:04:05.123456Z");
});

test("bytes in the old format stay as they are", () => {
  assert.equal(codecs.bytea.decode?.("a\\001"), "a\\001");
});

test("statements that may share a transaction are known by their first word", () => {
  const shares = (sql: string) =>
    new PostgresStatement(sql, { rows: "all", background: false, names: [] }).shares;
  for (
    const sql of [
      "INSERT INTO t DEFAULT VALUES",
      "  update t set a = 1",
      "/* VACUUM */ -- VACUUM\n\tDelete from t",
      "/***/merge into t",
      "with a as (select 1) select 1",
    ]
  ) assert.equal(shares(sql), true, sql);
  for (
    const sql of [
      "VACUUM",
      "-- INSERT",
      "/* INSERT */ CALL p()",
      "(select 1)",
      "select 1",
      "INSERTED",
      "",
    ]
  ) assert.equal(shares(sql), false, sql);
});
