/** In a test SQL has the time of the test's clock. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { SimulatedTime } from "../../src/connectors/database/drivers/sqlite/simulated-time.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { withFolder } from "./database-support.ts";
import { reportOf } from "./testing-support.ts";

const HOUR = 3_600_000;
const START = "2026-01-01T00:00:00.000Z";

/** A database whose time is one hour, one second and 250 ms after the start. */
function open(): { readonly database: DatabaseSync; readonly end: () => void } {
  const database = new DatabaseSync(":memory:");
  const clock = new ManualClock();
  clock.moveTo(Date.parse(START) + HOUR + 1250);
  const time = new SimulatedTime(database, clock);
  const end = (): void => {
    database.close();
    time.close();
  };
  return { database, end };
}

function evaluate(database: DatabaseSync, expression: string): unknown {
  const row = database.prepare(`SELECT ${expression} AS value, typeof(${expression}) AS type`)
    .get();
  return [row?.value, row?.type];
}

test("every way to ask SQLite for the time has that of the clock", () => {
  const { database, end } = open();
  const expected: Readonly<Record<string, unknown>> = {
    "CURRENT_TIMESTAMP": ["2026-01-01 01:00:01", "text"],
    "current_date": ["2026-01-01", "text"],
    "CURRENT_TIME": ["01:00:01", "text"],
    "datetime()": ["2026-01-01 01:00:01", "text"],
    "datetime('now')": ["2026-01-01 01:00:01", "text"],
    "DATETIME('NOW', '-1 day', 'start of month')": ["2025-12-01 00:00:00", "text"],
    "datetime('now', 'utc')": ["2026-01-01 01:00:01", "text"],
    "datetime('subsec')": ["2026-01-01 01:00:01.250", "text"],
    "date('now', '+1 month')": ["2026-02-01", "text"],
    "datetime('SUBSECOND')": ["2026-01-01 01:00:01.250", "text"],
    "time('now', 'subsec')": ["01:00:01.250", "text"],
    "strftime('%Y %H')": ["2026 01", "text"],
    "strftime('%s', 'now', '+1 second')": ["1767229202", "text"],
    "unixepoch()": [1767229201, "integer"],
    "unixepoch('now', 'subsec')": [1767229201.25, "real"],
    "julianday('now', 'start of day', '+12 hours')": [2461042, "real"],
    "timediff('now', '2026-01-01')": ["+0000-00-00 01:00:01.250", "text"],
  };
  for (const [expression, value] of Object.entries(expected)) {
    assert.deepEqual(evaluate(database, expression), value, expression);
  }
  end();
});

test("all else that the functions do is as SQLite does it", () => {
  const { database, end } = open();
  const builtIn = new DatabaseSync(":memory:");
  for (
    const expression of [
      "datetime('2020-02-30', '+1 month')",
      "datetime(1767225600, 'unixepoch')",
      "datetime(2461041.5)",
      "datetime('now', 'unixepoch')",
      "datetime(9223372036854775807, 'auto')",
      "datetime(NULL)",
      "datetime('nonsense')",
      "datetime(x'6e6f77')",
      "julianday('2020-01-01')",
      "unixepoch('2020-01-01 00:00:00')",
      "strftime()",
      "strftime(NULL, 'now')",
      "strftime('%j|%W', '2020-05-05')",
      "strftime('now', '2020-05-05')",
      "timediff('2023-02-15', '2023-03-15')",
    ]
  ) {
    assert.deepEqual(evaluate(database, expression), evaluate(builtIn, expression), expression);
  }
  for (const each of [builtIn, database]) {
    assert.throws(() => each.prepare("SELECT timediff('now')"), /wrong number of arguments/);
  }
  builtIn.close();
  end();
});

test("DEFAULT, triggers, views and indexes of a date have the clock's time", () => {
  const { database, end } = open();
  database.exec(`
    CREATE TABLE visits (
      id INTEGER PRIMARY KEY,
      at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
      seconds INTEGER DEFAULT (unixepoch()),
      seen TEXT,
      day TEXT AS (date(at)) STORED
    );
    CREATE INDEX days ON visits (date(at));
    CREATE TRIGGER seen AFTER INSERT ON visits BEGIN
      UPDATE visits SET seen = datetime('now', '+1 minute') WHERE id = NEW.id;
    END;
    CREATE VIEW recent AS SELECT id FROM visits WHERE at > datetime('now', '-1 hour');
    INSERT INTO visits (id) VALUES (7);
    INSERT INTO visits (id, at) VALUES (8, '2025-12-31 23:59:59');
  `);
  assert.deepEqual({ ...database.prepare("SELECT * FROM visits").get() }, {
    id: 7,
    at: "2026-01-01 01:00:01",
    seconds: 1767229201,
    seen: "2026-01-01 01:01:01",
    day: "2026-01-01",
  });
  assert.deepEqual(database.prepare("SELECT * FROM recent").all().map(({ id }) => id), [7]);
  end();
});

test("a test of a configuration: SQL has the clock's time, in migrations, in DEFAULT and in queries", async () => {
  const schema = "CREATE TABLE visits (name TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);\n" +
    "INSERT INTO visits (name) VALUES ('first');\n" +
    "CREATE VIEW latest AS SELECT name FROM visits WHERE at > datetime('now', '-1 hour');";
  const flows = (migrations: string) =>
    `connector "visits" {
  type       = "database"
  driver     = "sqlite"
  database   = ":memory:"
  migrations = "${migrations}"
}
flow "visit" {
  from {
    connector = "api"
    operation = "POST /visits"
  }
  to {
    connector = "visits"
    target    = "visits"
  }
}
flow "latest" {
  from {
    connector = "api"
    operation = "GET /visits"
  }
  to {
    connector = "visits"
    query     = "SELECT name, (SELECT count(*) FROM visits) AS every FROM latest"
  }
}
`;
  const steps = `advance { by = "1h" }
given "api" {
  operation = "POST /visits"
  data      = { name = "ada" }
}
expect "api" { data = { name = "ada", at = "2026-01-01 01:00:00" } }
given "api" { operation = "GET /visits" }
expect "api" { data = [{ name = "ada", every = 2 }] }
`;
  await withFolder(async (folder) => {
    await writeFile(join(folder, "1.sql"), schema);
    assert.equal(await reportOf(`${flows(folder)}test "time" {\n${steps}\n}\n`), "ok      time");
  });
});
