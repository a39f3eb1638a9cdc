/** What `weir check` finds with the tables that the migrations make. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import { formatProblem } from "../../src/base/problem.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { attribute, path } from "../../src/contract/fields.ts";
import { text } from "../../src/contract/value-schema.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import {
  type Case,
  compare,
  DESK,
  flow,
  type Migrations,
  placesOf,
  problemsOf,
  step,
  to,
} from "../support/check-database.ts";
import { place, placed } from "../support/problems.ts";

test("a write names tables, columns and keys that exist", async () => {
  const cases: readonly Case[] = [
    [to('target = "messages"\ntransform { room = "\'a\'" }')],
    [to('target = "mesages"'), "a.hcl:5:10+9 unknown-table"],
    [to('target = "sqlite_schema"'), "a.hcl:5:10+15 unknown-table"],
    [
      to('target = "messages"\ntransform {\nroom = "\'a\'"\ntxt = "now()"\nautor = "now()"\n}'),
      "a.hcl:8:1+3 unknown-column",
      "a.hcl:9:1+5 unknown-column",
    ],
    [`transform {\nrom = "'a'"\n}\n${to('target = "messages"')}`, "a.hcl:4:1+3 unknown-column"],
    [step('target = "messages"\nparams = { rom = "\'a\'" }'), "a.hcl:6:12+3 unknown-column"],
    [to('target = "messages"\noperation = "UPDATE"\nkey = "idd"'), "a.hcl:7:7+5 unknown-column"],
    [
      to('target = "messages"\noperation = "DELETE"\nkey = ["id", "rom"]'),
      "a.hcl:7:14+5 unknown-column",
    ],
    [
      to('target = "messages"\noperation = "UPSERT"\nkey = "room"'),
      "a.hcl:7:7+6 refused-statement",
    ],
    [
      to('target = "messages"\ntransform {\nroom = "\'a\'"\nlength = "1"\n}'),
      "a.hcl:8:1+6 refused-statement",
    ],
    [
      'error_handling {\nfallback {\nconnector = "db"\ntarget = "messages"\ntransform { rom = "\'a\'" }\n}\n}',
      "a.hcl:7:13+3 unknown-column",
    ],
  ];
  await compare(cases);
});

test("what an item of a list or a failed event has is known as far as the block names it", async () => {
  const cases: readonly Case[] = [
    [to('target = "messages"\neach = "[1]"')],
    [`transform {\nrom = "'a'"\n}\n${to('target = "messages"\neach = "[1]"')}`],
    [
      to('target = "messages"\neach = "[1]"\ntransform { rom = "item" }'),
      "a.hcl:7:13+3 unknown-column",
    ],
    ['error_handling {\nfallback {\nconnector = "db"\ntarget = "messages"\n}\n}'],
    [
      'error_handling {\nfallback {\nconnector = "db"\ntarget = "messages"\ninclude_error = true\n' +
      'transform { room = "1" }\n}\n}',
      "a.hcl:6:10+10 unknown-column",
    ],
  ];
  await compare(cases);
});

test("views and virtual tables are written to as SQLite allows", async () => {
  const migrations = `CREATE VIRTUAL TABLE pages USING fts5(title, text);
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE VIEW news AS SELECT text FROM notes;
CREATE TRIGGER add_news INSTEAD OF INSERT ON news BEGIN
  INSERT INTO notes (text) VALUES (new.text);
END;
`;
  const cases: readonly Case[] = [
    [to(
      'target = "pages"\noperation = "UPDATE"\nkey = "title"\ntransform {\ntitle = "1"\ntext = "\'a\'"\n}',
    )],
    [to('target = "pages"\ntransform { titel = "1" }'), "a.hcl:6:13+5 unknown-column"],
    [to('target = "news"\ntransform { text = "\'a\'" }')],
    [to('target = "news"\ntransform { txt = "\'a\'" }'), "a.hcl:6:13+3 unknown-column"],
    [step("query = \"SELECT title FROM pages WHERE pages MATCH 'a' ORDER BY rank\"")],
  ];
  await compare(cases, { migrations });
  // The servers of the others write to simple views.
  const view = "CREATE TABLE a (id INT PRIMARY KEY, s TEXT); CREATE VIEW b AS SELECT id, s FROM a;";
  const written = flow(to('target = "b"\ntransform { s = "input.s" }'));
  assert.deepEqual(await placesOf(written, { migrations: view, driver: "postgres" }), []);
  assert.equal((await problemsOf(written, { migrations: view })).length, 1);
});

test("the place of a field is where it is named", async () => {
  const config = `type "message" {
  room = string
  rom  = string
}
transform "shared" {
  room = "'a'"
  txt  = "'b'"
}
flow "typed" {
  when = "@every 1h"
  validate {
    input = "message"
  }
  ${to('target = "messages"')}
}
flow "used" {
  when = "@every 1h"
  transform {
    use = "transform.shared"
  }
  ${to('target = "messages"')}
}
flow "again" {
  when = "@every 1h"
  transform {
    use = "transform.shared"
  }
  ${to('target = "messages"')}
}
`;
  // The second flow with the same transform has the same cause.
  assert.deepEqual(await placesOf(config), [
    "a.hcl:3:3+3 unknown-column",
    "a.hcl:7:3+3 unknown-column",
  ]);
});

test("a row has a value for each column that needs one, of a type that the column takes", async () => {
  const cases: readonly Case[] = [
    [to('target = "messages"\ntransform { text = "\'a\'" }'), "a.hcl:5:10+10 missing-column"],
    [
      to('target = "counts"\noperation = "UPSERT"\nkey = "room"\ntransform { room = "\'a\'" }'),
      "a.hcl:5:10+8 missing-column",
    ],
    [to(
      'target = "counts"\noperation = "UPDATE"\nkey = "room"\ntransform {\nroom = "\'a\'"\nshare = "1"\n}',
    )],
    [to('target = "messages"\ntransform { room = "null" }'), "a.hcl:6:20+6 refused-value"],
    [
      to('target = "messages"\ntransform {\nid = "null"\nroom = "1"\nauthor = "null"\n}'),
      "a.hcl:9:10+6 refused-value",
    ],
    [
      to('target = "counts"\ntransform {\nroom = "\'a\'"\namount = "\'many\'"\nshare = "[1]"\n}'),
      "a.hcl:8:10+8 refused-value",
      "a.hcl:9:9+5 refused-value",
    ],
    // SQLite makes numbers of such texts, and of a boolean.
    [to('target = "counts"\ntransform {\nroom = "1"\namount = "\'12\'"\nshare = "true"\n}')],
    // A table that is not STRICT takes any value.
    [to('target = "messages"\ntransform {\nid = "null"\nroom = "1"\ntext = "[1]"\n}')],
    // What is not known may be right.
    [to('target = "counts"')],
    [to('target = "counts"\ntransform {\nextend = true\nroom = "\'a\'"\n}')],
    [to('target = "counts"\ntransform {\nroom = "input.room"\namount = "input.amount"\n}')],
  ];
  await compare(cases);
  const types = `CREATE TABLE t (
    a TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'x', b INTEGER PRIMARY KEY NOT NULL);
    CREATE TABLE u (id TEXT PRIMARY KEY, b INT AS (1) STORED NOT NULL) WITHOUT ROWID;`;
  const empty = (table: string) => flow(to(`target = "${table}"\ntransform { b = "1" }`));
  assert.deepEqual(await placesOf(empty("t"), { migrations: types }), []);
  // A trigger may write another row, and the value of a constant may come from elsewhere.
  const filled = `CREATE TABLE t (a TEXT NOT NULL, b INTEGER) STRICT;
    CREATE TRIGGER fill BEFORE INSERT ON t WHEN new.a IS NULL BEGIN
      INSERT INTO t VALUES ('x', new.b); SELECT RAISE(IGNORE); END;`;
  assert.deepEqual(await placesOf(empty("t"), { migrations: filled }), []);
  const constant = flow(to('target = "t"\ntransform { b = "constants.level" }'));
  const level = `${constant}\nconstants {\n  level = env("NO_LEVEL", "none")\n}\n`;
  assert.deepEqual(await placesOf(level, { migrations: filled }), []);
  const without = flow(to('target = "u"\noperation = "INSERT"\ntransform {\n}'));
  assert.deepEqual(await placesOf(without, { migrations: types }), ["a.hcl:5:10+3 missing-column"]);
});

test("the caret is at the name in a query", async () => {
  const cases: readonly Case[] = [
    [step('query = "SELECT txt FROM messages"'), "a.hcl:5:17+3 unknown-column"],
    [step('query = "SELECT text FROM message"'), "a.hcl:5:27+7 unknown-table"],
    [
      step('query = "SELECT m.txt FROM messages m JOIN counts c ON c.room = m.room"'),
      "a.hcl:5:19+3 unknown-column",
    ],
    [step('query = "SELECT n.text FROM messages m"'), "a.hcl:5:17+1 unknown-table"],
    [
      step('query = "SELECT n.txt FROM (SELECT text FROM messages) AS n"'),
      "a.hcl:5:19+3 unknown-column",
    ],
    [
      to(
        "query = \"INSERT INTO counts VALUES ('a', 1, 1) ON CONFLICT DO UPDATE SET amount = excluded.amonut\"",
      ),
      "a.hcl:5:92+6 unknown-column",
    ],
    // The name in the inner query is right, the one in the outer query is not.
    [
      step(
        'query = "SELECT amount FROM messages WHERE room IN (SELECT room FROM counts WHERE amount > 1)"',
      ),
      "a.hcl:5:17+6 unknown-column",
    ],
    [
      step("query = \"SELECT text FROM messages WHERE text = 'txt' AND txt = 1\""),
      "a.hcl:5:59+3 unknown-column",
    ],
    [step('query = "SELECT \\"txt\\" FROM messages"'), "a.hcl:5:19+3 unknown-column"],
    [
      step("query = <<-SQL\n  SELECT id\n  FROM messages\n  WHERE rom = 'a'\nSQL"),
      "a.hcl:8:9+3 unknown-column",
    ],
    [step('query = file("q.sql")'), "q.sql:2:8+3 unknown-column"],
    [to('query = "INSERT INTO messages (rom) VALUES (1)"'), "a.hcl:5:32+3 unknown-column"],
    [to('query = "UPDATE messages SET rom = 1 WHERE id = 1"'), "a.hcl:5:30+3 unknown-column"],
    [step('query = "SELECT text FORM messages WHERE text = 1"'), "a.hcl:5:27+8 refused-statement"],
    [step('query = "SELECT lenght(text) FROM messages"'), "a.hcl:5:17+6 refused-statement"],
    [step('query = "SELECT room FROM messages, counts"'), "a.hcl:5:17+4 refused-statement"],
    [step('query = "SELECT text FROM messages WHERE"'), "a.hcl:5:36+5 refused-statement"],
    [
      step('query = "SELECT id FROM messages WHERE room = :rom"\nparams = { room = "\'a\'" }'),
      "a.hcl:6:10+16 missing-parameter",
    ],
    [
      to('query = "DELETE FROM messages WHERE room = :rom"\ntransform { room = "\'a\'" }'),
      "a.hcl:5:44+4 missing-parameter",
    ],
    // An event may have it.
    [to('query = "DELETE FROM messages WHERE room = :rom"')],
    [step(
      'query = "SELECT count(*) AS amount, rowid, (SELECT sum(amount) FROM counts) FROM messages ORDER BY amount"',
    )],
    // The tables of Weir itself.
    [step('query = "SELECT count(*) FROM _weir_keys"')],
  ];
  const files = { "q.sql": "SELECT id,\n       txt\nFROM messages" };
  await compare(cases, { files });
});

test("nothing is said where the tables are not known", async () => {
  const wrong = flow(to('target = "nothing"'));
  assert.deepEqual(await placesOf(wrong, { migrations: {} }), []);
  assert.deepEqual(await placesOf(wrong, { migrations: `${DESK}ATTACH 'other.db' AS other;` }), []);
  const makes = flow(to('query = "CREATE TABLE IF NOT EXISTS nothing (id)"'), "g");
  assert.deepEqual(await placesOf(wrong + makes), []);
  // What a query lacks does not depend on the tables.
  const lacks = flow(to('query = "DELETE FROM x WHERE id = :id"\ntransform { di = "1" }'));
  assert.deepEqual(await placesOf(lacks, { migrations: {} }), ["a.hcl:5:35+3 missing-parameter"]);
});

test("a migration that can never be applied is shown at its place, and nothing follows from it", async () => {
  const cases: readonly (readonly [migrations: Migrations, place: string])[] = [
    [`${DESK}CREATE TABEL a (b);\n`, "sql/001.sql:9:8+5 invalid-migration"],
    [
      `${DESK}\r\nCREATE INDEX i ON messages (room, autor);\r\n`,
      "sql/001.sql:10:35+5 invalid-migration",
    ],
    [
      { "1.sql": DESK, "2.sql": "-- one\nALTER TABLE mesages ADD a;" },
      "sql/2.sql:2:13+7 invalid-migration",
    ],
    [
      `${DESK}INSERT INTO counts (room, amonut) VALUES ('a', 1);`,
      "sql/001.sql:9:27+6 invalid-migration",
    ],
    [`${DESK}CREATE TABLE counts (a);`, "sql/001.sql:9:14+6 invalid-migration"],
    ["CREATE TABLE a (b, b);", "sql/001.sql:1:20+1 invalid-migration"],
    ["CREATE TABLE a (b STRING) STRICT;", "sql/001.sql:1:19+6 invalid-migration"],
    [`${DESK}INSERT INTO counts VALUES ('a', NULL, 1);`, "sql/001.sql:9:1+6 invalid-migration"],
    [`${DESK}COMMIT;`, "sql/001.sql:9:1+7 invalid-migration"],
    [
      "CREATE TABLE p (id PRIMARY KEY);\nCREATE TABLE c (p REFERENCES p (id));\nINSERT INTO c VALUES (1);\n" +
      "INSERT INTO p VALUES (2);",
      "sql/001.sql:3:1+6 invalid-migration",
    ],
    [
      "CREATE TABLE persons (id PRIMARY KEY);\nCREATE TABLE c (p REFERENCES person (id));",
      "sql/001.sql:2:30+6 invalid-migration",
    ],
    [
      `${DESK}CREATE VIEW news AS SELECT txt FROM messages;`,
      "sql/001.sql:9:28+3 invalid-migration",
    ],
    [
      `${DESK}CREATE TRIGGER t AFTER INSERT ON messages BEGIN\n  UPDATE counts SET amonut = 1;\nEND;`,
      "sql/001.sql:10:21+6 invalid-migration",
    ],
    [
      "CREATE TABLE p (a);\nCREATE TABLE c (a REFERENCES p (a));\nCREATE TABLE d (a);",
      "sql/001.sql:2:1+6 invalid-migration",
    ],
    [`${DESK}SELECT 'open`, "sql/001.sql:9:8+5 invalid-migration"],
  ];
  const wrong = flow(to('target = "nothing"')) + flow(step('query = "SELECT x FROM y"'), "g");
  const found: typeof cases[number][] = [];
  for (const [migrations] of cases) {
    found.push([migrations, (await placesOf(wrong, { migrations })).join()]);
  }
  assert.deepEqual(found, cases);
});

test("a folder of migrations that does not exist is a problem of the connector", async () => {
  const text = `connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = ":memory:"
  migrations = "./nowhere/at-all"
}
`;
  const source = [{ path: "a.hcl", text, folder: tmpdir() }];
  await assert.rejects(loadConfig(source, { inspect: true }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.problems.map(placed), ["a.hcl:5:16+18 invalid-migration"]);
    return true;
  });
  // A start says so itself.
  await loadConfig(source);
});

test("two connectors with the same migrations have one problem", async () => {
  const other = `connector "other" {
  type       = "database"
  driver     = "sqlite"
  database   = "b.db"
  migrations = "sql"
}
`;
  const places = await placesOf(other, { migrations: "CREATE TABEL a (b);" });
  assert.deepEqual(places, ["sql/001.sql:1:8+5 invalid-migration"]);
});

test("a flow with a wrong statement has no warnings, and other problems are reported with it", async () => {
  const text = `flow "f" {
  when = "@every 1h"
  transform {
    room = "'a'"
  }
  ${step('query = "SELECT txt FROM messages"')}
}
flow "g" {
  when = "@every 1h"
  tos {
  }
}
`;
  assert.deepEqual(await placesOf(text), [
    "a.hcl:8:17+3 unknown-column",
    "a.hcl:14:3+3 unknown-block",
  ]);
});

const POSTGRES = `CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE Messages (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  number     serial,
  room       text NOT NULL,
  roomName   text,
  amount     integer,
  tags       jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE m (n integer, users text, unknowns text);
CREATE INDEX by_tag ON messages USING gin (tags);
COMMENT ON TABLE messages IS 'all of them';
`;

test("postgres: what is close to a name of the migrations is found", async () => {
  const cases: readonly Case[] = [
    [to('target = "messages"\ntransform {\nroom = "\'a\'"\nroomname = "\'b\'"\n}')],
    [to('target = "public.messages"\ntransform { room = "\'a\'" }')],
    [to('target = "mesages"'), "a.hcl:5:10+9 unknown-table"],
    [
      to('target = "messages"\ntransform {\nroom = "\'a\'"\namuont = "1"\n}'),
      "a.hcl:8:1+6 unknown-column",
    ],
    [to('target = "messages"\ntransform { amount = "1" }'), "a.hcl:5:10+10 missing-column"],
    [
      to('target = "messages"\ntransform {\nroom = "null"\namount = "\'many\'"\n}'),
      "a.hcl:7:8+6 refused-value",
      "a.hcl:8:10+8 refused-value",
    ],
    [
      to('target = "messages"\noperation = "UPSERT"\nkey = "room"'),
      "a.hcl:7:7+6 refused-statement",
    ],
    [step('query = "SELECT m.rom FROM messages m"'), "a.hcl:5:19+3 unknown-column"],
    [
      step("query = \"SELECT id::text, created_at FROM messages WHERE rom = 'a'\""),
      "a.hcl:5:58+3 unknown-column",
    ],
    [
      step("query = \"SELECT id::character varying(9)[] FROM messages WHERE rom ILIKE 'a%'\""),
      "a.hcl:5:64+3 unknown-column",
    ],
    [
      step(
        "query = \"SELECT jsonb_agg(tags), to_char(created_at, 'YYYY') FROM messages GROUP BY rom\"",
      ),
      "a.hcl:5:85+3 unknown-column",
    ],
    [
      step(
        "query = \"SELECT DISTINCT ON (room) id FROM messages WHERE amuont > 1 AND created_at > now() - interval '1 day' AND tags @> '[1]'\"",
      ),
      "a.hcl:5:59+6 unknown-column",
    ],
    [
      step(
        "query = \"SELECT date_trunc('day', created_at AT TIME ZONE 'UTC') FROM messages WHERE amuont = 1\"",
      ),
      "a.hcl:5:86+6 unknown-column",
    ],
    [
      step("query = \"SELECT created_at FROM messages WHERE rom = 'a' FOR UPDATE\""),
      "a.hcl:5:48+3 unknown-column",
    ],
    [step('query = "SELECT room FROM mesages"'), "a.hcl:5:27+7 unknown-table"],
  ];
  await compare(cases, { migrations: POSTGRES, driver: "postgres" });
});

test("postgres: nothing is said of what SQLite alone refuses", async () => {
  const queries = [
    "SELECT current_user, session_user FROM messages",
    "SELECT date '2026-01-31', data FROM messages AS dat",
    "SELECT count(r) FROM messages r",
    "SELECT position('a' IN room), extract(epoch FROM created_at), overlay(room PLACING 'x' FROM 1) FROM messages",
    "SELECT normalize(room, nfc), rom.* FROM messages, LATERAL (SELECT 1) AS rom",
    "SELECT (tags).rom, tags ->> 'rom', tags #>> '{rom}' FROM messages",
    "SELECT sum(amount) FILTER (WHERE amount > 0), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM messages",
    "SELECT amount FROM messages WHERE room = ANY(ARRAY['rom']) FOR NO KEY UPDATE SKIP LOCKED",
    "SELECT count(messages), row_to_json(m) FROM messages, messages m",
    "SELECT id FROM ONLY messages WHERE (amount > 1) IS UNKNOWN",
    "INSERT INTO messages (room) VALUES ('a') RETURNING xmax = 0 AS inserted",
    "SELECT to_jsonb(rom) FROM messages AS rom",
    "SELECT xmin, ctid FROM messages",
    "SELECT DISTINCT ON (room) * FROM messages ORDER BY room, created_at",
    "SELECT room FROM messages WHERE tags @> '[1]' AND created_at > now() - interval '1 day'",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sales.message",
    "SELECT * FROM message(1)",
    "SELECT * FROM generate_series(1, 3) AS number",
    "INSERT INTO messages (room) VALUES (:a) ON CONFLICT (room) DO NOTHING",
    "WITH rom AS (SELECT * FROM messages) SELECT rom.id, rom FROM rom",
    "SELEC nonsense",
  ];
  const cases: readonly Case[] = [
    ...queries.map((
      query,
    ): Case => [step(`query = "${query}"\nparams = { ${query.includes(":a") ? 'a = "1"' : ""} }`)]),
    // Another program may have made them.
    [to('target = "accounts"')],
    [to('target = "sales.messages"')],
    [to(
      'target = "messages"\ntransform {\nroom = "\'a\'"\namount = "\'1e3\'"\ncreated_at = "\'yesterday\'"\n}',
    )],
  ];
  await compare(cases, { migrations: POSTGRES, driver: "postgres" });
});

test("postgres: a migration that SQLite refuses tells nothing", async () => {
  const wrong = flow(to('target = "mesages"')) +
    flow(to('query = "DELETE FROM messages WHERE id = :id"\ntransform { di = "1" }'), "g");
  const migrations = `${POSTGRES}CREATE TYPE mood AS ENUM ('good');`;
  const given = { migrations, driver: "postgres" } as const;
  assert.deepEqual(await placesOf(wrong, given), ["a.hcl:12:42+3 missing-parameter"]);
  const commits = { migrations: `${migrations}\nCOMMIT;`, driver: "postgres" } as const;
  assert.deepEqual(await placesOf("", commits), ["sql/001.sql:15:1+7 invalid-migration"]);
});

const MYSQL = `CREATE TABLE messages (
  id     INT AUTO_INCREMENT PRIMARY KEY,
  room   VARCHAR(100) NOT NULL,
  amount INT,
  at     TIMESTAMP NOT NULL
) ENGINE=InnoDB;
`;

test("mysql: what is close to a name of the migrations is found, and nothing else", async () => {
  const cases: readonly Case[] = [
    [to('target = "messages"\ntransform { ROOM = "\'a\'" }')],
    [
      to('target = "messages"\ntransform {\nroom = "\'a\'"\namuont = "1"\n}'),
      "a.hcl:8:1+6 unknown-column",
    ],
    [to('target = "messages"\ntransform { amount = "1" }'), "a.hcl:5:10+10 missing-column"],
    [
      to('target = "messages"\ntransform {\nroom = "\'a\'"\namount = "\'many\'"\n}'),
      "a.hcl:8:10+8 refused-value",
    ],
    [step('query = "SELECT `rom` FROM messages"')],
    [step('query = "SELECT rom FROM messages"'), "a.hcl:5:17+3 unknown-column"],
    [step('query = "SELECT CONVERT(id, CHAR), UTC_DATE, CURRENT_USER FROM messages"')],
    [step(
      'query = "SELECT DATE_ADD(at, INTERVAL 1 DAY), TIMESTAMPDIFF(SECOND, at, NOW()) FROM messages"',
    )],
    [
      step(
        "query = \"SELECT DATE_FORMAT(at, '%Y') FROM messages WHERE at > NOW() - INTERVAL 1 DAY AND rom = 1\"",
      ),
      "a.hcl:5:91+3 unknown-column",
    ],
    [step('query = "SELECT 1 FROM DUAL"')],
  ];
  await compare(cases, { migrations: MYSQL, driver: "mysql" });
});

test("postgres: a table whose changes start a flow is close to one of the migrations", async () => {
  const source = (operation: string) =>
    `flow "f" {
  from {
    connector = "db"
    operation = "${operation}"
  }
  response { a = "input.id" }
}
`;
  const found = [];
  for (
    const operation of ["INSERT messages", "* mesages", "UPDATE sales.mesages", "NOTIFY mesages"]
  ) {
    found.push(await placesOf(source(operation), { migrations: POSTGRES, driver: "postgres" }));
  }
  assert.deepEqual(found, [[], ["a.hcl:4:17+11 unknown-table"], [], []]);
});

test("docs/check.md shows what check says of a database", async () => {
  const page = await readFile(new URL("../../docs/check.md", import.meta.url), "utf8");
  const section = page.slice(
    page.indexOf("\n## Databases\n"),
    page.indexOf("\n## With `--connect`\n"),
  );
  const [hcl, sql, output] = [...section.matchAll(/^```\w+\n([^]*?)^```$/gm)].map(([, text]) =>
    text
  );
  const folder = await mkdtemp(join(tmpdir(), "weir-check-"));
  try {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/001-notes.sql"), sql);
    const source = [{ path: "notes.hcl", text: hcl, folder }];
    await assert.rejects(loadConfig(source, { inspect: true }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(`${error.problems.map(formatProblem).join("\n\n")}\n`, output);
      return true;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a connector of somebody else inspects what it is asked, and its files", async () => {
  const asked: unknown[] = [];
  const shelf = defineConnector({
    fields: { list: path({ about: "A file." }) },
    destination: { fields: { words: attribute(text(), { about: "Words." }) } },
    inspect({ list }, { name, requests, report, reportIn }) {
      asked.push(
        name,
        ...requests.map(({ operation, fields, named }) => ({ operation, fields, named })),
      );
      requests[0].report({ attribute: "words", part: { start: 4, end: 7 }, message: "has a word" });
      requests[0].report({ field: "b", message: "has a field", severity: "warning" });
      report({ attribute: "list", message: "has a list" });
      reportIn({ path: String(list), text: "one\ntwo" }, {
        part: { start: 4, end: 7 },
        message: "two",
      });
    },
    create: () => ({ write: () => undefined }),
  });
  const config = `connector "s" {
  type = "shelf"
  list = "./lists/a.txt"
}
flow "f" {
  when = "@every 1h"
  transform {
    a = "input.x"
    b = "'one' + 'two'"
  }
  to {
    connector = "s"
    words     = "the red fox"
  }
}
`;
  const source = [{ path: "etc/a.hcl", text: config, folder: "/etc" }];
  await assert.rejects(loadConfig(source, { connectors: { shelf }, inspect: true }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.problems.map(place), [
      "etc/a.hcl:3:10+15 connector-rule",
      "etc/a.hcl:9:5+1 connector-rule",
      "etc/a.hcl:13:22+3 connector-rule",
      "etc/lists/a.txt:2:1+3 connector-rule",
    ]);
    return true;
  });
  const named = [{ name: "a" }, { name: "b", values: [{ value: "onetwo" }] }];
  assert.deepEqual(asked, ["s", { operation: undefined, fields: ["a", "b"], named }]);
});

test("of several problems at one place the first is reported", async () => {
  const twin = defineConnector({
    fields: {},
    address: () => "here",
    inspect: (_options, { report }) => report({ message: "is a twin" }),
    create: () => ({}),
  });
  const text = ["a", "b", "c"].map((name) => `connector "${name}" {\n  type = "twin"\n}\n`).join(
    "",
  );
  await assert.rejects(loadConfig(text, { connectors: { twin }, inspect: true }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.problems.map(place), [
      "config.hcl:1:1+13 connector-rule",
      "config.hcl:4:1+13 duplicate-address",
      "config.hcl:7:1+13 duplicate-address",
    ]);
    return true;
  });
});
