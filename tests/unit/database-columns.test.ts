/** Columns of SQLite tables that somebody else changes while statements are prepared. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import {
  NamedRows,
  SchemaVersion,
} from "../../src/connectors/database/drivers/sqlite/named-rows.ts";
import { connector, withFolder, write } from "./database-support.ts";

/** Changes, and the row that is there after each. */
const CHANGES: readonly (readonly [sql: string, row: Readonly<Record<string, unknown>>])[] = [
  ["SELECT 1", { id: 1, a: "A", b: "B", c: "C" }],
  ["ALTER TABLE t DROP COLUMN a", { id: 1, b: "B", c: "C" }],
  // As many columns as before, and others.
  ["ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD d DEFAULT 'D'", { id: 1, c: "C", d: "D" }],
  ["ALTER TABLE t RENAME c TO e", { id: 1, e: "C", d: "D" }],
  [
    "DROP TABLE t; CREATE TABLE t (d, __proto__ BLOB, id INTEGER PRIMARY KEY); " +
    "INSERT INTO t VALUES ('D', x'00', 1)",
    JSON.parse('{"d": "D", "__proto__": "AA==", "id": 1}'),
  ],
  [
    "ALTER TABLE t ADD f DEFAULT 9007199254740993",
    JSON.parse(
      '{"d": "D", "__proto__": "AA==", "id": 1, "f": "9007199254740993"}',
    ),
  ],
];

/** Statements that return the row: here, in another process, and as what a write returns. */
const RETURNING: Readonly<Record<string, Parameters<typeof write>[1]>> = {
  "a read by its key": { query: "SELECT * FROM t WHERE id = :id", payload: { id: 1 } },
  "a read in another process": { query: "SELECT * FROM t WHERE id < :most", payload: { most: 2 } },
  "a query that writes": { query: "UPDATE t SET id = 1 RETURNING *" },
};

for (const [name, request] of Object.entries(RETURNING)) {
  test(`${name} has its values under their names, whatever others do to the table`, async () => {
    // A statement is run twice between two changes, and once, and so on.
    for (const runs of [2, 1]) {
      await withFolder(async (folder) => {
        const database = join(folder, "a.db");
        const other = new DatabaseSync(database);
        other.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
        other.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)");
        other.exec("INSERT INTO t VALUES (1, 'A', 'B', 'C')");
        const db = connector({ database });
        await db.start?.();
        try {
          for (const [sql, row] of CHANGES) {
            other.exec(sql);
            for (let run = 0; run < runs; run++) {
              const [found] = await write(db, request) as Record<string, unknown>[];
              // On Deno a write returns a column that is new only the next time.
              const isLate = "Deno" in globalThis && name === "a query that writes" && run === 0;
              const { f: _, ...before } = row;
              assert.deepEqual(found, isLate ? before : row, `${sql}, run ${run}`);
            }
          }
        } finally {
          await db.close();
          other.close();
        }
      });
    }
  });
}

test("a column that goes between a read and the look at its names", () =>
  withFolder((folder) => {
    const database = new DatabaseSync(join(folder, "a.db"));
    const other = new DatabaseSync(join(folder, "a.db"));
    other.exec("CREATE TABLE t (a, b, c); INSERT INTO t VALUES ('A', 'B', 'C')");
    const statement = database.prepare("SELECT * FROM t");
    const rows = new NamedRows(statement, new SchemaVersion(database), true);
    const all = statement.all.bind(statement);
    // Once, in the middle of a run.
    const allAndDrop = () => {
      const found = all();
      statement.all = all;
      other.exec("ALTER TABLE t DROP COLUMN a");
      return found;
    };
    statement.all = allAndDrop;
    assert.deepEqual(rows.all([]), [{ a: "A", b: "B", c: "C" }]);
    for (let run = 0; run < 3; run++) assert.deepEqual(rows.all([]), [{ b: "B", c: "C" }]);
    database.close();
    other.close();
    return Promise.resolve();
  }));
