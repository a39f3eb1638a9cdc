/** Migrations of MySQL: once each, whoever starts; and what the errors of the server mean. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Migration } from "../../src/connectors/database/driver.ts";
import { test } from "node:test";
import { explain } from "../../src/connectors/database/drivers/mysql/errors.ts";
import { ScriptRefusal } from "../../src/connectors/database/drivers/mysql/script-refusal.ts";
import { MariadbServer, withMariadb } from "../support/mariadb.ts";
import { serviceTest } from "../support/services.ts";
import { opened, probed, refused, rowsOf } from "./mysql-support.ts";

function migrationsOf(...texts: readonly string[]): readonly Migration[] {
  return texts.map((sql, index) => ({
    name: `00${index + 1}.sql`,
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
  }));
}

const FILES = migrationsOf(
  `-- Several statements, and a trigger without DELIMITER.
   CREATE TABLE t (id INT PRIMARY KEY, n INT);
   CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN
     IF NEW.n IS NULL THEN SET NEW.n = 5; END IF;
     SET NEW.n = NEW.n + 1;
   END;
   INSERT INTO t VALUES (1, NULL); -- the end`,
  "-- nothing at all",
  "",
  "INSERT INTO t VALUES (2, 7);",
);

await serviceTest("mariadb", "migrations are applied once, also by four at a time", async () => {
  await withMariadb(async ({ url, name, sql }) => {
    assert.equal(
      await probed({ url }, FILES).then((text) => text.split("; ")[1]),
      "4 migrations wait",
    );
    const databases = await Promise.all([1, 2, 3, 4].map(() => opened({ url }, FILES)));
    try {
      assert.deepEqual(await rowsOf(databases[3], "SELECT id, n FROM t ORDER BY id"), [
        { id: 1, n: 6 },
        { id: 2, n: 8 },
      ]);
      const applied = await rowsOf(databases[0], "SELECT * FROM _weir_migrations ORDER BY name");
      assert.deepEqual(applied.map((row) => row.checksum), FILES.map((file) => file.checksum));
      assert.match(String(applied[0].applied_at), /^\d{4}-.*\.\d{3}Z$/);
      assert.deepEqual(await databases[0].describe("t"), ["id", "n"]);
      assert.deepEqual(await databases[0].describe("T"), []);
      assert.deepEqual(await databases[0].describe(`${name}.t`), ["id", "n"]);
      assert.deepEqual(await databases[0].describe("nowhere.t"), []);
      assert.deepEqual((await databases[0].describe()).toSorted(), ["_weir_migrations", "t"]);
    } finally {
      await Promise.all(databases.map((database) => database.close()));
    }
    assert.match(await probed({ url }, FILES), /^"\w+" is there, on [^;]*$/);
    // The lock went with its connection.
    assert.deepEqual(
      await sql("SELECT IS_FREE_LOCK(CONCAT('weir:', SHA1(DATABASE()))) AS free"),
      [{ free: 1 }],
    );
  });
});

await serviceTest(
  "mariadb",
  "a migration that was changed or is refused ends the start",
  async () => {
    await withMariadb(async ({ url, sql }) => {
      await (await opened({ url }, FILES)).close();
      const changed = FILES.with(3, { ...FILES[3], checksum: "0".repeat(64) });
      for (const start of [() => opened({ url }, changed), () => probed({ url }, changed)]) {
        const error = await refused(start);
        assert.match(error.message, /migration "004\.sql" was changed after it was applied/);
        assert.deepEqual([error.code, error.permanent], ["migration-failed", true]);
      }
      const bad = (text: string) => {
        const [file] = migrationsOf(text);
        return [...FILES, { ...file, name: "005.sql" }];
      };
      const cases: readonly (readonly [string, RegExp])[] = [
        [
          "CREATE TABLE half (n INT);\nINSERT INTO half VALUES (1);\n-- next\nSELEC 1;\nCREATE TABLE rest (n INT)",
          /migration "005\.sql" was refused at statement 3 of 4, line 4: You have an error .* near 'SELEC 1.*'; the 2 before it are applied, which the server cannot undo: undo it by hand/,
        ],
        [
          "INSERT INTO t VALUES (3, 3);\n INSERT INTO t VALUES (1, 1)",
          /was refused at statement 2 of 2, line 2: Duplicate entry '1' for key 'PRIMARY'$/,
        ],
        ["COMMIT", /migration "005\.sql" must not COMMIT: it runs in a transaction of its own$/],
        ["DELIMITER //\nCREATE TABLE x (n INT)//", /must not use DELIMITER/],
      ];
      for (const [text, message] of cases) {
        const error = await refused(() => opened({ url }, bad(text)));
        assert.match(error.message, message);
        assert.deepEqual([error.code, error.permanent], ["migration-failed", true]);
      }
      // Rows are undone, tables are not.
      assert.deepEqual(await sql("SELECT id FROM t ORDER BY id"), [{ id: 1 }, { id: 2 }]);
      assert.deepEqual(await sql("SHOW TABLES LIKE 'half'").then((rows) => rows.length), 1);
      assert.deepEqual(await sql("SHOW TABLES LIKE 'rest'").then((rows) => rows.length), 0);
      assert.deepEqual(
        await sql("SELECT COUNT(*) AS n FROM _weir_migrations"),
        [{ n: "4" }],
      );
    });
  },
);

await serviceTest("mariadb-server", "a server that takes no change, or no connection", async () => {
  const server = await MariadbServer.open({ maxConnections: 10 });
  try {
    await server.sql("CREATE DATABASE d; CREATE USER u@'127.0.0.1' IDENTIFIED BY 'p'");
    await server.sql("GRANT ALL ON d.* TO u@'127.0.0.1'");
    const url = server.url("d", "u", "p");
    await (await opened({ url }, FILES)).close();
    await server.set({ read_only: "1" });
    {
      // Nothing is to be applied, so nothing is changed.
      await using database = await opened({ url }, FILES);
      assert.equal((await rowsOf(database, "SELECT id FROM t")).length, 2);
      const insert = database.prepare("INSERT INTO t VALUES (9, 9)", {
        rows: "none",
        background: false,
        names: [],
      });
      const error = await database.transaction({
        steps: [{ statement: insert, values: [] }],
        result: () => assert.fail("not refused"),
        error: (cause) => cause as Error,
      }).catch((error) => error);
      assert.match(explain(error).reason, /read-only/);
      assert.equal(explain(error).permanent, false);
      // Migrations that wait fail, and are tried again.
      const more = [...FILES, { ...FILES[0], name: "009.sql" }];
      const waiting = await refused(() => opened({ url }, more));
      assert.equal(waiting.permanent, false, waiting.message);
    }
    await server.set({ read_only: "0" });
    await server.sql("GRANT USAGE ON *.* TO u@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1");
    await using first = await opened({ url });
    const full = await rowsOf(first, "SELECT 1").then(() => assert.fail("not refused"), (e) => e);
    assert.match(explain(full).reason, /max_user_connections/);
    assert.equal(explain(full).permanent, false);
    // One that is open does for all that wait.
    await server.sql("GRANT USAGE ON *.* TO u@'127.0.0.1' WITH MAX_USER_CONNECTIONS 2");
    const all = await Promise.all(
      [1, 2, 3, 4].map((n) => rowsOf(first, `SELECT ${n} AS n, SLEEP(0.05)`)),
    );
    assert.deepEqual(all.map(([{ n }]) => n), [1, 2, 3, 4]);
  } finally {
    await server.end();
  }
});

await serviceTest("mariadb", "what an error of the server means", async () => {
  await withMariadb(async ({ url, name }) => {
    await using database = await opened({ url });
    const cases: readonly (readonly [string, RegExp])[] = [
      ["INSERT INTO e (id) VALUES (1)", /^Duplicate entry '1' for key 'PRIMARY'$/],
      ["INSERT INTO e (id, p) VALUES (2, 9)", /foreign key constraint fails/],
      ["DELETE FROM p", /foreign key constraint fails/],
      ["INSERT INTO e (id, n) VALUES (2, -1)", /^CONSTRAINT `positive` failed for/],
      ["INSERT INTO e (id, s) VALUES (2, NULL)", /^Column 's' cannot be null$/],
      ["INSERT INTO e (id, s) VALUES (2, 'abcd')", /^Data too long for column 's'$/],
      ["INSERT INTO e (id, n) VALUES (2, 999)", /^Out of range value for column 'n'$/],
      ["INSERT INTO e (id, n) VALUES (2, 'x')", /^Incorrect integer value: 'x' for column/],
      ["INSERT INTO e (id, d) VALUES (2, '2026-02-30')", /^Incorrect datetime value: '2026-02-30'/],
      ["INSERT INTO e (id, j) VALUES (2, '{')", /^CONSTRAINT `e\.j` failed for/],
      ["SELEC 1", /^You have an error in your SQL syntax/],
    ];
    for (
      const sql of [
        "CREATE TABLE p (id INT PRIMARY KEY)",
        "CREATE TABLE e (id INT PRIMARY KEY, p INT, n TINYINT, s VARCHAR(3) NOT NULL DEFAULT '', " +
        "d DATETIME, j JSON, FOREIGN KEY (p) REFERENCES p (id), CONSTRAINT positive CHECK (n > 0))",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO e (id, p) VALUES (1, 1)",
      ]
    ) await rowsOf(database, sql);
    const failure = (sql: string) =>
      rowsOf(database, sql).then(() => assert.fail(`not refused: ${sql}`), explain);
    for (const [sql, message] of cases) {
      const { reason, permanent } = await failure(sql);
      assert.match(reason, message);
      assert.ok(permanent, sql);
    }
    const table = await failure("SELECT * FROM pp");
    assert.deepEqual([table.unknown?.kind, table.unknown?.name], ["table", "pp"]);
    assert.deepEqual(table.unknown?.known?.toSorted(), ["e", "p"]);
    const column = await failure(`SELECT e.idd FROM ${name}.e`);
    assert.deepEqual([column.unknown?.kind, column.unknown?.name], ["column", "idd"]);
    assert.deepEqual(column.unknown?.known?.toSorted(), ["d", "id", "j", "n", "p", "s"]);
    const large = await failure(`SELECT '${"x".repeat(17_000_000)}'`);
    assert.match(large.reason, /^it has 170000\d\d bytes, and the server's max_allowed_packet is/);
    assert.ok(large.permanent);
  });
});

await serviceTest(
  "mariadb",
  "a refused migration says where, and what is applied of it",
  async () => {
    await withMariadb(async ({ url, sql }) => {
      await sql("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1)");
      const one = "INSERT INTO t VALUES (NULL, 2)";
      const applied = "the one before it is applied, which the server cannot undo: undo it by hand";
      const cases: readonly (readonly [script: string, message: RegExp])[] = [
        [`\n\n-- c\n${one}`, /was refused in line 4: Column 'id' cannot be null$/],
        ["\n/* c */\nSELEC 1", /was refused in line 3: You have .* near 'SELEC 1'$/],
        [`CREATE TABLE t (n INT); ${one}`, /statement 1 of 2, line 1: Table 't' already exists$/],
        // Its transaction ends before it is refused.
        [
          "INSERT INTO t VALUES (5, 5);\nCREATE TABLE t (n INT)",
          new RegExp(`statement 2 of 2, line 2: Table 't' already exists; ${applied}`),
        ],
        [
          "CREATE TABLE a (n INT);\n\n/* c\n */ SELECT\n (SELEC 2);",
          new RegExp(`statement 2 of 2, line 5: You have .* near '2\\)'; ${applied}`),
        ],
        // With the results of a procedure, and one that fails when its columns are sent already.
        [
          "CREATE PROCEDURE p() BEGIN\n SELECT 1;\n SELECT 2; END;\nCALL p();\nCALL p();\n" +
          "SELECT 1;\nSELECT (SELECT 1 UNION SELECT 2);\nCREATE TABLE b (n INT)",
          /statement 5 of 6, line 7: Subquery returns more than 1 row; the 4 before it are applied/,
        ],
        [
          "CREATE PROCEDURE q() BEGIN SELECT 1; SELECT * FROM nope; END;\nCALL q();\nSELECT 1",
          new RegExp(`statement 2 of 3, line 2: Table '\\w+\\.nope' doesn't exist; ${applied}`),
        ],
        [
          "CREATE TABLE c (n INT);\n;\nCREATE TABLE d (n INT)",
          /statement 2 of 3, line 2: it is empty; /,
        ],
        // What is not split as the server does it has no place.
        [
          `IF 1 THEN\n SELECT 1; SELECT 2; END IF; CREATE TABLE e (n INT); ${one}`,
          /was refused: Column 'id' cannot be null; what it did before that is applied, which/,
        ],
        [
          `INSERT INTO t VALUES (6, 6); IF 1 THEN ${one}; END IF`,
          /refused: Column 'id' cannot be null$/,
        ],
      ];
      for (const [script, message] of cases) {
        const error = await refused(() => opened({ url }, migrationsOf(script)));
        assert.match(error.message, message);
        assert.deepEqual([error.code, error.permanent], ["migration-failed", true]);
      }
      assert.deepEqual(await sql("SELECT id FROM t ORDER BY id"), [{ id: 1 }, { id: 5 }]);
    });
  },
);

test("what MySQL refuses as empty at the end of a script is none, and elsewhere is one", () => {
  const empty = Object.assign(new Error("Query was empty"), { errno: 1065, sqlState: "42000" });
  const refusal = (script: string, results: readonly boolean[]) =>
    new ScriptRefusal(script, results, empty);
  for (const script of ["", "-- nothing", "SELECT 1; -- the end\n", "SELECT 1; /* a */"]) {
    assert.ok(refusal(script, script.startsWith("SELECT") ? [true] : []).isAtEnd, script);
  }
  assert.ok(refusal("IF 1 THEN SELECT 1; END IF; -- end", [true]).isAtEnd);
  for (const script of ["SELECT 1;; SELECT 2", "SELECT 1; -- a\n; SELECT 2"]) {
    assert.ok(!refusal(script, [true]).isAtEnd, script);
    assert.match(refusal(script, [true]).describe(true), /statement 2 of 3, line \d: it is empty$/);
  }
});
