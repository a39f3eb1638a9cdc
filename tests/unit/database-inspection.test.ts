/** What `weir check --connect` finds in the statements of a configuration. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { probeConnectors } from "../../src/commands/probing.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { placed } from "../support/problems.ts";
import { connector } from "./database-support.ts";

const MIGRATION = "CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, text TEXT);\n";

/** Runs with a folder that has one migration in `migrations`. */
async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-inspection-"));
  try {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/001.sql"), MIGRATION);
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const database = (file = ":memory:") =>
  `connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = "${file}"
  migrations = "migrations"
}
`;

/** The problems and what each connector found, for a file `a.hcl` in a folder. */
async function probe(folder: string, text: string) {
  const model = await loadConfig([{ path: "a.hcl", text, folder }]);
  const { problems, results } = await probeConnectors(model);
  return {
    problems: problems.map(placed),
    found: results.map(({ found, error }) => found ?? error),
  };
}

/** A flow whose only block is in line 5. */
const flow = (block: string) =>
  `flow "f" {
  when = "@every 1h"
  ${block}
}
${database()}`;

const LINE = 3;

test("tables and columns that do not exist are found at the places of their blocks", async () => {
  const cases: readonly (readonly [block: string, ...problems: string[]])[] = [
    ['to {\nconnector = "db"\ntarget = "messages"\ntransform { text = "\'a\'" }\n}'],
    [
      'to {\nconnector = "db"\ntarget = "mesages"\n}',
      `a.hcl:${LINE + 2}:10+9 unknown-table`,
    ],
    [
      'to {\nconnector = "db"\ntarget = "messages"\ntransform { txt = "\'a\'" }\n}',
      `a.hcl:${LINE + 3}:13+3 unknown-column`,
    ],
    [
      'to {\nconnector = "db"\ntarget = "messages"\noperation = "UPDATE"\nkey = "idd"\n}',
      `a.hcl:${LINE + 4}:7+5 unknown-column`,
    ],
    [
      'to {\nconnector = "db"\ntarget = "messages"\noperation = "UPSERT"\nkey = "id"\n' +
      "transform { text = \"'a'\" }\n}",
      `a.hcl:${LINE + 4}:7+4 refused-statement`,
    ],
    [
      'to {\nconnector = "db"\nquery = "DELETE FROM messages WHERE romm = :room"\n}',
      `a.hcl:${LINE + 2}:37+4 unknown-column`,
    ],
    [
      'to {\nconnector = "db"\nquery = "SELEC 1"\n}',
      `a.hcl:${LINE + 2}:10+5 refused-statement`,
    ],
    [
      'step "s" {\nconnector = "db"\nquery = "SELECT * FROM message"\n}\nresponse { a = "step.s" }',
      `a.hcl:${LINE + 2}:24+7 unknown-table`,
    ],
    [
      'step "s" {\nconnector = "db"\ntarget = "messages"\nparams = { romm = "\'a\'" }\n}\n' +
      'response { a = "step.s" }',
      `a.hcl:${LINE + 3}:12+4 unknown-column`,
    ],
    [
      'error_handling {\nfallback {\nconnector = "db"\ntarget = "dead"\n}\n}',
      `a.hcl:${LINE + 3}:10+6 unknown-table`,
    ],
  ];
  await withFolder(async (folder) => {
    for (const [block, ...expected] of cases) {
      assert.deepEqual((await probe(folder, flow(block))).problems, expected, block);
    }
    assert.deepEqual(await readdir(folder), ["migrations"]);
  });
});

test("the fields of a closed type are columns", async () => {
  await withFolder(async (folder) => {
    const config = (more: string) =>
      `type "message" {
  room = string()
  txt  = string()
  ${more}
}
flow "f" {
  when = "@every 1h"
  validate {
    input = "message"
  }
  to {
    connector = "db"
    target    = "messages"
  }
}
${database()}`;
    assert.deepEqual((await probe(folder, config(""))).problems, [
      "a.hcl:3:3+3 unknown-column",
    ]);
    // An event may have any other field.
    assert.deepEqual((await probe(folder, config("additional = true"))).problems, [
      "a.hcl:3:3+3 unknown-column",
    ]);
  });
});

test("the look-ups of a room are prepared, too", async () => {
  await withFolder(async (folder) => {
    const { problems, found } = await probe(
      folder,
      `connector "ws" {
  type = "websocket"
  port = 0
  room "a:{id}" {
    step "s" {
      connector = "db"
      query     = "SELECT 1 FROM messages WHERE id = :id AND author = :user_id"
      params = { id = "match.id", user_id = "client.user_id" }
    }
    join = "step.s != null"
  }
}
${database()}`,
    );
    assert.deepEqual(problems, ["a.hcl:7:62+6 unknown-column"]);
    assert.deepEqual(found, ["a database in memory; 1 migration waits"]);
  });
});

test("a table whose name an event decides is left to the event", async () => {
  await withFolder(async (folder) => {
    const to = 'to {\nconnector = "db"\ntarget = "input.table"\n}';
    assert.deepEqual((await probe(folder, flow(to))).problems, []);
  });
});

test("what needs a table of a pending migration waits for it, what is wrong is told", async () => {
  await withFolder(async (folder) => {
    const started = connector({
      database: join(folder, "a.db"),
      migrations: join(folder, "migrations"),
    });
    await started.start();
    await started.close();
    await writeFile(join(folder, "migrations/002.sql"), "CREATE TABLE authors (id);\n");
    await writeFile(join(folder, "migrations/003.sql"), "ALTER TABLE messages ADD author;\n");
    const before = await readdir(folder);
    const to = (lines: string) => `to {\nconnector = "db"\n${lines}\n}\n`;
    const { problems, found } = await probe(
      folder,
      `flow "f" {
  when = "@every 1h"
  ${
        [
          to('target = "authors"'),
          to('target = "messages"\ntransform { author = "1" }'),
          to('query = "SELECT author FROM messages"'),
          to('target = "messages"\ntransform { text = "\'a\'" }'),
          to('query = "SELEC 1"'),
        ].join("")
      }
}
${database("a.db")}`,
    );
    assert.deepEqual(problems, ["a.hcl:23:10+5 refused-statement"]);
    const file = join(folder, "a.db");
    assert.deepEqual(found, [
      `"${file}" is there; 3 statements wait for 2 migrations; 1 statement prepared`,
    ]);
    assert.deepEqual(await readdir(folder), before);
  });
});

test("a new database refuses the migrations that a start would", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "migrations/002.sql"), "CREATE TABEL a (b);\n");
    const { found } = await probe(folder, database("new.db"));
    assert.match(found[0] ?? "", /migration "002\.sql" was refused: near "TABEL"/);
    assert.deepEqual(await readdir(folder), ["migrations"]);
  });
});
