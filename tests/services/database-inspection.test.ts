/** What `weir check --connect` finds in statements for PostgreSQL and MariaDB. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeConnectors } from "../../src/commands/probing.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { withMariadb } from "../support/mariadb.ts";
import { withPostgres } from "../support/postgres.ts";
import { Proxy } from "../support/proxy.ts";
import { type Service, serviceTest } from "../support/services.ts";
import { until } from "./postgres-support.ts";

/** A database of a test's own. */
interface Place {
  readonly url: string;
  sql(text: string): Promise<unknown>;
}

/** What differs between the databases. */
interface Kind {
  readonly driver: string;
  readonly service: Service;
  readonly place: (run: (place: Place) => Promise<void>) => Promise<void>;
  readonly text: string;
  /** Queries that are good in this syntax alone. */
  readonly good: readonly string[];
  /** What the line of the connector begins with. */
  readonly found: RegExp;
  /** The error of a query of a column that does not exist. */
  readonly noColumn: RegExp;
  readonly noTable: RegExp;
  readonly syntaxError: RegExp;
  readonly noKey: RegExp;
}

const kinds: readonly Kind[] = [
  {
    driver: "postgres",
    service: "postgres",
    place: (run) => withPostgres(run),
    text: "text",
    good: [
      "SELECT id::text, :a::int + 1 FROM notes WHERE text = ANY(string_to_array(:b, ','))",
      "INSERT INTO notes (text) VALUES (:a) RETURNING id",
      "CREATE TABLE IF NOT EXISTS more (a int)",
      "SHOW work_mem",
    ],
    found: /^PostgreSQL \d+\.\d+, database "weir_test_\w+" at 127\.0\.0\.1:5432/,
    noColumn: /: column "txt" does not exist$/,
    noTable: /relation "note" does not exist$/,
    syntaxError: /syntax error at or near "SELEC"$/,
    noKey: /no unique or exclusion constraint matching the ON CONFLICT specification; its key must/,
  },
  {
    driver: "mysql",
    service: "mariadb",
    place: (run) => withMariadb(run),
    text: "varchar(100)",
    good: [
      "SELECT id, :a + :a FROM notes WHERE text LIKE CONCAT(:b, '%') LIMIT 10",
      "INSERT INTO notes (text) VALUES (:a)",
      "CREATE TABLE IF NOT EXISTS more (a int)",
      "SHOW TABLES",
    ],
    found: /^"weir_test_\w+" is there, on .*MariaDB/,
    noColumn: /Unknown column 'txt' in /,
    noTable: /Table '\w+\.note' doesn't exist/,
    syntaxError: /You have an error in your SQL syntax/,
    noKey: /there is no primary key or unique index of "text" alone; its key must/,
  },
];

/** The problems and what was found, for the blocks of a flow. */
async function probe(
  { driver }: Kind,
  { url }: Place,
  blocks: readonly string[],
  migrations?: string,
) {
  const text = `connector "db" {
  type   = "database"
  driver = "${driver}"
  url    = "${url}"
  ${migrations === undefined ? "" : `migrations = "${migrations}"`}
}
flow "f" {
  when = "@every 1h"
  ${blocks.map((block) => `to {\nconnector = "db"\n${block}\n}\n`).join("")}
}
`;
  const { problems, results } = await probeConnectors(await loadConfig(text));
  return {
    problems: problems.map(({ code, message, hint = "", source }) => ({
      code,
      message,
      hint,
      source: source.split(" ")[0],
    })),
    found: results.map(({ found, error }) => found ?? `failed: ${error}`).join(),
  };
}

const query = (text: string) => `query = "${text}"`;

for (const kind of kinds) {
  const refused = `${kind.driver}: what the server refuses is found, and nothing is run`;
  await serviceTest(kind.service, refused, async () => {
    await kind.place(async (place) => {
      await place.sql(`create table notes (id int primary key, text ${kind.text})`);
      const good = await probe(kind, place, [
        ...kind.good.map(query),
        'target = "notes"\ntransform {\nid = "1"\ntext = "\'a\'"\n}',
        'target = "notes"\noperation = "UPSERT"\nkey = "id"\ntransform {\nid = "1"\ntext = "\'a\'"\n}',
        'target = "notes"\noperation = "DELETE"\nkey = "id"\ntransform {\nid = "1"\n}',
      ]);
      assert.deepEqual(good.problems, []);
      assert.match(good.found, kind.found);
      assert.match(good.found, /; 7 statements prepared$/);

      const { problems, found } = await probe(kind, place, [
        query("SELECT txt FROM notes"),
        query("SELECT * FROM note"),
        query("SELEC 1"),
        'target = "noets"\ntransform {\nid = "1"\n}',
        'target = "notes"\ntransform {\nidd = "1"\n}',
        'target = "notes"\noperation = "UPSERT"\nkey = "text"\ntransform {\nid = "1"\ntext = "\'a\'"\n}',
      ]);
      assert.doesNotMatch(found, /prepared|failed/);
      const expected: ReadonlyArray<readonly [string, string, string, RegExp]> = [
        ["unknown-column", 'did you mean "text"?', "query", kind.noColumn],
        ["unknown-table", 'did you mean "notes"?', "query", kind.noTable],
        ["refused-statement", "", "query", kind.syntaxError],
        ["unknown-table", 'did you mean "notes"?', "target", /no table "noets"$/],
        ["unknown-column", 'did you mean "id"?', "idd", /no column "idd" in table "notes"$/],
        ["refused-statement", "", "target", kind.noKey],
      ];
      assert.equal(problems.length, expected.length);
      for (const [index, [code, hint, source, message]] of expected.entries()) {
        const problem = problems[index];
        assert.match(problem.message, message);
        assert.deepEqual([problem.code, problem.hint, problem.source], [code, hint, source]);
      }
      assert.deepEqual(await place.sql("select * from notes"), []);
    });
  });

  const pending = `${kind.driver}: what pending migrations make is waited for`;
  await serviceTest(kind.service, pending, async () => {
    const folder = await mkdtemp(join(tmpdir(), "weir-inspection-"));
    try {
      await mkdir(join(folder, "sql"));
      await writeFile(join(folder, "sql/1.sql"), `create table notes (id int, text ${kind.text});`);
      await kind.place(async (place) => {
        const { problems, found } = await probe(kind, place, [
          query("SELECT txt FROM notes"),
          'target = "notes"\ntransform {\nid = "1"\n}',
          query("SELECT 1"),
          query("SELEC 1"),
        ], join(folder, "sql"));
        assert.deepEqual(problems.map(({ code }) => code), ["refused-statement"]);
        assert.match(found, /; 2 statements wait for 1 migration; 1 statement prepared$/);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const cut = `${kind.driver}: a look that is cut is no failure of migrations`;
  await serviceTest(kind.service, cut, async () => {
    await kind.place(async ({ url, ...place }) => {
      const proxy = await Proxy.open(Number(new URL(url).port));
      const there = new URL(url);
      there.port = String(proxy.port);
      const isCut = proxy.cutWhen({ direction: "to server", sequence: "54321" });
      try {
        const { found } = await probe(kind, { ...place, url: there.href }, [query("SELECT 54321")]);
        await isCut;
        assert.match(found, /^failed: connector "db": cannot open (?:the )?database "\w+" at /);
        await until("it is closed", () => proxy.connections === 0);
      } finally {
        proxy.close();
      }
    });
  });
}

await serviceTest("postgres", "postgres: a parameter without a type is named", async () => {
  await withPostgres(async (place) => {
    const { problems } = await probe(kinds[0], place, [query("SELECT 1 WHERE :status IS NULL")]);
    const [{ message, source }] = problems;
    assert.match(message, /parameter ":status"; write CAST\(:status AS text\), or another type$/);
    assert.equal(source, "query");
  });
});

await serviceTest("postgres", "postgres: a look does not wait long for a lock", async () => {
  await withPostgres(async (place) => {
    await place.sql("create table notes (id int)");
    await place.sql("begin; lock table notes");
    const { found } = await probe(kinds[0], place, [query("SELECT * FROM notes")]);
    assert.match(
      found,
      /^failed: connector "db": cannot open .*: canceling statement due to lock timeout$/,
    );
    await place.sql("rollback");
  });
});
