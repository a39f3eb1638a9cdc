/** What a server of MySQL is set to, and what it is told for one statement. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { dialect } from "../../src/connectors/database/drivers/mysql/dialect.ts";
import { MysqlStatement } from "../../src/connectors/database/drivers/mysql/statement.ts";
import { Requests } from "../../src/connectors/database/requests.ts";
import { withMariadb, withMariadbServer } from "../support/mariadb.ts";
import { serviceTest } from "../support/services.ts";
import { opened, rowsOf } from "./mysql-support.ts";

/** What is asked for. */
interface Wanted {
  readonly target?: string;
  readonly payload?: unknown;
  readonly options?: { readonly query: string };
}

/** The rows that the server has sent on a connection. */
const SENT = "SHOW SESSION STATUS LIKE 'Rows_sent'";

/** What each of them would end a literal, a name or a comment with. */
const TEXTS = [
  "'",
  "\\",
  "\\'; DROP TABLE `t`; -- ",
  "'' OR '1' = '1",
  '"',
  "`",
  "?",
  "/* */ -- #",
  "\u{10ffff} \u7e17' \u00bf'\\",
  "a\r\n\u001a\t",
];

await serviceTest(
  "mariadb",
  "what a server is set to changes neither values nor commits",
  () =>
    withMariadbServer(async (server) => {
      const name = "a`b'c\"d\\e";
      await using database = await opened({ url: server.url("mysql") });
      const requests = new Requests("db", database);
      const write = async (wanted: Wanted) =>
        await requests.write({
          operation: undefined,
          target: undefined,
          payload: {},
          options: {},
          scope: {},
          event: undefined,
          ...wanted,
        });
      const quotes = `SELECT "text" AS text, 'a\\'b' AS quote`;
      assert.deepEqual(await rowsOf(database, quotes), [{ text: "text", quote: "a'b" }]);
      const column = dialect.quoteName(name);
      const table = `CREATE TABLE t (id INT PRIMARY KEY, ${column} TEXT, b BLOB)`;
      await write({ options: { query: `${table} CHARACTER SET utf8mb4` } });
      for (const [id, text] of TEXTS.entries()) {
        const bytes = Buffer.from(text).toString("base64");
        const row = { id, [name]: text, b: bytes };
        assert.deepEqual(await write({ target: "t", payload: row }), row);
        const query = "SELECT id, :text AS text FROM t WHERE b = :bytes";
        const payload = { text, bytes: Buffer.from(text) };
        assert.deepEqual(await write({ payload, options: { query } }), [{ id, text }]);
      }
      // Another connection sees what is committed.
      await using other = await opened({ url: server.url("mysql") });
      assert.deepEqual(await rowsOf(other, "SELECT count(*) AS n FROM t"), [{ n: TEXTS.length }]);
    }, {
      settings: {
        "autocommit": "0",
        "sql-mode": "ANSI,NO_BACKSLASH_ESCAPES",
        "character-set-server": "latin1",
        "default-time-zone": "+05:00",
      },
    }),
);

await serviceTest(
  "mariadb",
  "where the first row is enough, the server sends no more",
  () =>
    withMariadb(async ({ url }) => {
      await using database = await opened({ url, pool: { max: 1 } });
      const sent = async () => Number((await rowsOf(database, SENT))[0].Value);
      const read = async (sql: string) => {
        const before = await sent();
        const options = { rows: "first", background: true, names: ["n"] } as const;
        const values = [database.dialect.bind("'\\")];
        const found = await database.query(database.prepare(sql, options), values);
        return [found, await sent() - before];
      };
      const value = database.dialect.placeholder(1);
      const own = await sent() - await sent();
      const rows = `SELECT seq AS n, ${value} AS s FROM seq_1_to_10000`;
      for (
        const sql of [
          rows,
          `${rows} UNION ALL SELECT seq, '' FROM seq_1_to_9`,
          `WITH a AS (${rows}) SELECT * FROM a ORDER BY n`,
          `${rows} LIMIT 1`,
        ]
      ) assert.deepEqual(await read(sql), [[{ n: 1, s: "'\\" }], 1 - own], sql);
      // What it says itself counts.
      assert.deepEqual(await read(`SELECT seq AS n FROM seq_1_to_10000 LIMIT 3`), [
        [{ n: 1 }],
        3 - own,
      ]);
      assert.deepEqual((await rowsOf(database, "SELECT seq FROM seq_1_to_5")).length, 5);
    }),
);

test("MySQL is told in a hint, where there is none", () => {
  const limited = (sql: string, background = true) => {
    const options = { rows: "first", background, names: [] } as const;
    return new MysqlStatement(sql, options).limited(sql, false);
  };
  const hint = "/*+ SET_VAR(sql_select_limit = 1) */";
  assert.equal(limited("SELECT a FROM t"), `SELECT ${hint} a FROM t`);
  assert.equal(limited("\n select(1)"), `\n select ${hint}(1)`);
  for (const sql of ["SELECT /*+ NO_ICP(t) */ a FROM t", "SELECTED", "(SELECT 1)"]) {
    assert.equal(limited(sql), sql);
  }
  assert.equal(limited("SELECT a FROM t FOR UPDATE", false), "SELECT a FROM t FOR UPDATE");
});

await serviceTest(
  "mariadb",
  "what a query would set for those after it is refused, and a migration may set it",
  async () => {
    await withMariadb(async ({ url }) => {
      const sql = "SET SESSION sql_mode = ''; CREATE TABLE t (s VARCHAR(3)); " +
        "INSERT INTO t VALUES ('long'); SET SESSION sql_mode = 'ANSI'";
      await using database = await opened({ url, pool: { max: 1 } }, [
        { name: "1.sql", sql, checksum: "1" },
      ]);
      const requests = new Requests("db", database);
      const write = async (options: { readonly query?: string }, target?: string) =>
        await requests.write({
          operation: undefined,
          target,
          payload: { s: "longer" },
          options,
          scope: {},
          event: undefined,
        });
      for (const query of ["SET SESSION sql_mode = ''", "USE mysql"]) {
        await assert.rejects(write({ query }), /must not (SET|USE): the connections are shared/);
      }
      assert.deepEqual(await write({ query: "SELECT s FROM t" }), [{ s: "lon" }]);
      await assert.rejects(write({}, "t"), /Data too long for column 's'/);
    });
  },
);
