import assert from "node:assert/strict";
import { test } from "node:test";
import * as sql from "../../src/connectors/database/sql/mod.ts";
import {
  inSchema,
  standardDialect,
  tableStatement,
} from "../../src/connectors/database/statements.ts";

/** As SQLite reads it; the other syntaxes are in `database-syntax.test.ts`. */
const parseQuery = (text: string) => sql.parseQuery(text, "sqlite");
const transactionControl = (script: string) => sql.transactionControl(script, "sqlite");

test("a query's named parameters are found, repeated ones too", () => {
  const query = parseQuery("UPDATE t SET a = :a, b = :größe_2 WHERE c=:a;");
  assert.deepEqual(query.parameters, ["a", "größe_2", "a"]);
  assert.deepEqual(query.pieces, ["UPDATE t SET a = ", ", b = ", " WHERE c=", ""]);
  assert.equal(query.reads, false);
});

test("strings, quoted names, comments and casts hold no parameters", () => {
  const text =
    `SELECT ':a', 'it''s :b', ":c""d", \`:e\`, [:f], x::int, :g -- :h '\n/* :i ; */ ; -- end`;
  assert.deepEqual(parseQuery(text).parameters, ["g"]);
});

test("a name from Object.prototype is a parameter like any other", () => {
  const { parameters } = parseQuery("SELECT :__proto__, :constructor");
  assert.deepEqual(parameters, ["__proto__", "constructor"]);
});

test("a query that only reads is told apart from one that writes", () => {
  const reads = (text: string) => parseQuery(text).reads;
  assert.equal(reads("select replace(a, 'x', 'y') from t"), true);
  assert.equal(reads(" -- insert\n SELECT 1"), true);
  assert.equal(reads("VALUES (1)"), true);
  assert.equal(reads("WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a"), true);
  assert.equal(reads("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a"), false);
  assert.equal(reads("WITH a AS (SELECT 1) DELETE FROM t"), false);
  assert.equal(reads("INSERT INTO t SELECT * FROM u"), false);
  assert.equal(reads("PRAGMA user_version"), false);
});

test("a query that cannot return rows is told apart from one that may", () => {
  const returnsRows = (text: string) => parseQuery(text).returnsRows;
  assert.equal(returnsRows("SELECT 1"), true);
  assert.equal(returnsRows("PRAGMA user_version"), true);
  assert.equal(returnsRows("WITH a AS (SELECT 1) DELETE FROM t returning a"), true);
  assert.equal(returnsRows("INSERT INTO t SELECT * FROM u"), false);
  assert.equal(returnsRows("UPDATE t SET a = 'RETURNING' -- RETURNING"), false);
  assert.equal(returnsRows("CREATE TABLE t (a)"), false);
});

test("a query that cannot be one is refused", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["", /^holds no statement$/],
    [" ;; -- nothing\n", /holds no statement/],
    ["SELECT 1; DROP TABLE t", /more than one statement/],
    ["SELECT 1; SELECT 2", /more than one statement/],
    ["SELECT 'a", /leaves a ' open/],
    ['SELECT "a', /leaves a " open/],
    ["SELECT ?", /the parameter "\?"; only :named/],
    ["SELECT ?12", /the parameter "\?12"/],
    ["SELECT @a", /the parameter "@a"/],
    ["SELECT $a", /the parameter "\$a"/],
    ["commit", /must not COMMIT/],
    ["BEGIN", /must not BEGIN/],
    ["end transaction", /must not END/],
    ["ROLLBACK", /must not ROLLBACK/],
    ["SAVEPOINT a", /must not SAVEPOINT/],
    ["release a", /must not RELEASE/],
  ];
  for (const [text, message] of refused) {
    assert.throws(
      () => parseQuery(text),
      (error) => error instanceof SyntaxError && message.test(error.message),
      text,
    );
  }
});

test("long nonsense is read in time that grows with its length", () => {
  for (const piece of ["'", '"', "(", "/*", "--", ":", "::", "'a''", "[", "`", "\u{1F600}"]) {
    try {
      parseQuery(`SELECT ${piece.repeat(20_000)}`);
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error));
    }
  }
});

test("a script that controls transactions is noticed, a trigger is not", () => {
  const trigger = `CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN
    INSERT OR ROLLBACK INTO u VALUES (CASE WHEN new.a THEN 1 END); SELECT RAISE(ROLLBACK, 'no'); END;`;
  assert.equal(transactionControl(`${trigger} CREATE TABLE "COMMIT" (a); -- COMMIT;`), undefined);
  assert.equal(transactionControl(`${trigger} END;`), "END");
  assert.equal(transactionControl("CREATE TABLE a (b);\ncommit ; DROP TABLE a;"), "COMMIT");
  assert.equal(transactionControl("BEGIN; CREATE TABLE a (b); COMMIT"), "BEGIN");
  assert.equal(transactionControl("SELECT ';COMMIT'; ROLLBACK"), "ROLLBACK");
});

test("names are quoted and values bound in every statement", () => {
  const dialect = {
    ...standardDialect,

    placeholder: (n: number) => `?${n}`,
  };
  const write = { table: 'a"b', key: ["k"], columns: ["x", 'y"', "k"] };
  assert.deepEqual(tableStatement({ operation: "INSERT", ...write }, dialect), {
    sql: 'INSERT INTO "a""b" ("x", "y""", "k") VALUES (?1, ?2, ?3) RETURNING *',
    columns: ["x", 'y"', "k"],
  });
  assert.deepEqual(tableStatement({ operation: "UPDATE", ...write }, dialect), {
    sql: 'UPDATE "a""b" SET "x" = ?1, "y""" = ?2 WHERE "k" = ?3 RETURNING *',
    columns: ["x", 'y"', "k"],
  });
  assert.deepEqual(tableStatement({ operation: "DELETE", ...write }, dialect), {
    sql: 'DELETE FROM "a""b" WHERE "k" = ?1 RETURNING *',
    columns: ["k"],
  });
  const both = { ...write, key: ["k", "x"] };
  assert.deepEqual(tableStatement({ operation: "UPDATE", ...both }, dialect), {
    sql: 'UPDATE "a""b" SET "y""" = ?1 WHERE "k" = ?2 AND "x" = ?3 RETURNING *',
    columns: ['y"', "k", "x"],
  });
  assert.deepEqual(tableStatement({ operation: "DELETE", ...both }, dialect), {
    sql: 'DELETE FROM "a""b" WHERE "k" = ?1 AND "x" = ?2 RETURNING *',
    columns: ["k", "x"],
  });
  assert.match(
    tableStatement({ operation: "UPSERT", ...both }, dialect).sql,
    /ON CONFLICT \("k", "x"\) DO UPDATE SET "y""" = excluded."y""" RETURNING/,
  );
  assert.match(
    tableStatement({ operation: "UPSERT", ...write }, dialect).sql,
    /ON CONFLICT \("k"\) DO UPDATE SET "x" = excluded."x", "y""" = excluded."y""" RETURNING/,
  );
  assert.equal(
    tableStatement({ operation: "INSERT", table: "t", key: [], columns: [] }, dialect).sql,
    'INSERT INTO "t" DEFAULT VALUES RETURNING *',
  );
  assert.equal(dialect.quoteName('"; DROP TABLE t; --'), '"""; DROP TABLE t; --"');
});

test("what differs between databases comes from the dialect", () => {
  const quoteName = (name: string) => `\`${name.replaceAll("`", "``")}\``;
  const dialect = {
    ...standardDialect,
    quoteName,
    quoteTable: inSchema(quoteName),
    placeholder: () => "?",
    defaultRow: "() VALUES ()",
    returning: "",
    upsert: (_keys: readonly string[], set: readonly string[]) =>
      ` ON DUPLICATE KEY UPDATE ${set.map((c) => `${quoteName(c)} = VALUES(${quoteName(c)})`)}`,
  };
  const write = { table: "a`b", key: ["k"], columns: ["x", "k"] };
  assert.deepEqual(tableStatement({ operation: "UPSERT", ...write }, dialect), {
    sql: "INSERT INTO `a``b` (`x`, `k`) VALUES (?, ?) ON DUPLICATE KEY UPDATE `x` = VALUES(`x`)",
    columns: ["x", "k"],
  });
  assert.deepEqual(tableStatement({ operation: "UPDATE", ...write }, dialect), {
    sql: "UPDATE `a``b` SET `x` = ? WHERE `k` = ?",
    columns: ["x", "k"],
  });
  assert.equal(
    tableStatement({ operation: "INSERT", table: "t", key: [], columns: [] }, dialect).sql,
    "INSERT INTO `t` () VALUES ()",
  );
  assert.equal(
    tableStatement({ operation: "DELETE", table: "a`b.t", key: ["k"], columns: ["k"] }, dialect)
      .sql,
    "DELETE FROM `a``b`.`t` WHERE `k` = ?",
  );
});
