import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ConfigTestResults, runConfigTests } from "../../src/testing/mod.ts";
import { withFolder } from "./database-support.ts";

const TABLES = `
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  paid boolean NOT NULL DEFAULT false,
  lines jsonb NOT NULL DEFAULT '[]',
  CHECK (lines <> '"bad"')
);
CREATE TABLE parts (name text PRIMARY KEY, n int);
ALTER TABLE parts REPLICA IDENTITY FULL;
INSERT INTO parts VALUES ('screw', 1), ('nail', 2);
`;

/** Callers write, and what changes is told to the clients of a room, and to a broker. */
const FLOWS = `
connector "api" {
  type = "rest"
  port = 0
}
connector "ws" {
  type = "websocket"
  port = 0
}
connector "log" {
  type   = "mq"
  driver = "memory"
}
connector "db" {
  type       = "database"
  driver     = "postgres"
  url        = "postgres://nobody@127.0.0.1:1/nothing"
  migrations = "migrations"
  changes {
    max_retries = 1
    retry_delay = "5s"
    dead_letter = "letters"
  }
}
flow "order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  to {
    connector = "db"
    target    = "orders"
  }
}
flow "pay all" {
  from {
    connector = "api"
    operation = "POST /pay"
  }
  to {
    connector = "db"
    query     = "UPDATE orders SET paid = true"
  }
  to {
    connector = "db"
    query     = "DELETE FROM parts WHERE n > 1"
  }
}
flow "both" {
  from {
    connector = "api"
    operation = "POST /both"
  }
  transform { lines = "input.lines" }
  to {
    connector = "db"
    target    = "orders"
    atomic    = true
    transform { lines = "['first']" }
  }
  to {
    connector = "db"
    target    = "orders"
    atomic    = true
  }
}
flow "tell" {
  from {
    connector = "db"
    operation = "* orders"
  }
  transform {
    what  = "input.operation"
    id    = "input.id"
    paid  = "input.paid"
    lines = "input.lines"
    old   = "input.old"
    at    = "input.committed_at"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
flow "part" {
  from {
    connector = "db"
    operation = "DELETE public.parts"
  }
  to {
    connector = "log"
    target    = "part"
  }
}
`;

/** Runs tests of the flows on a database with this migration. */
async function run(tests: string, migration = TABLES): Promise<ConfigTestResults> {
  let results: ConfigTestResults | undefined;
  await withFolder(async (folder) => {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations", "001.sql"), migration);
    results = await runConfigTests([{ path: "shop.hcl", text: FLOWS + tests, folder }]);
  });
  assert.ok(results);
  return results;
}

test("played: what flows write to a table starts the flows of its changes, once it is committed", async () => {
  const { passed, report } = await run(`
    test "changes" {
      client "alice" {}
      given "api" {
        operation = "POST /orders"
        data      = { lines = [1] }
      }
      expect "api" { status = 201 }
      expect "alice" {
        data = {
          what = "INSERT", id = 1, paid = false, lines = [1], old = null,
          at   = "2026-01-01T00:00:00.000000Z"
        }
      }
      given "api" {
        operation = "POST /orders"
        data      = { lines = [] }
      }
      expect "api" { status = 201 }
      expect "alice" { data = { what = "INSERT", id = 2 } }
      given "api" { operation = "POST /pay" }
      expect "api" { status = 200 }
      expect "alice" { data = { what = "UPDATE", id = 1, paid = true, old = null } }
      expect "alice" { data = { what = "UPDATE", id = 2, paid = true } }
      expect "alice" { nothing = true }
      expect "log" { data = { name = "nail", n = 2 } }
      expect "log" { nothing = true }
    }
  `);
  assert.ok(passed, report);
});

test("played: what was undone starts nothing", async () => {
  const { passed, report } = await run(`
    test "undone" {
      client "alice" {}
      given "api" {
        operation = "POST /both"
        data      = { lines = "bad" }
      }
      expect "api" { status = 500 }
      expect "alice" { nothing = true }
      given "api" {
        operation = "POST /both"
        data      = { lines = "good" }
      }
      expect "api" { status = 201 }
      expect "alice" { data = { lines = ["first"] } }
      expect "alice" { data = { lines = "good" } }
      expect "alice" { nothing = true }
    }
  `);
  assert.ok(passed, report);
});

test("played: a change is delivered again, then it is a dead letter, as in production", async () => {
  const { passed, report } = await run(
    `
    test "again" {
      client "alice" {}
      mock "ws" {
        error = "away"
        times = 1
      }
      given "api" {
        operation = "POST /orders"
        data      = { lines = [] }
      }
      expect "api" { status = 201 }
      expect "db" { error = "flow_failed" }
      expect "alice" { nothing = true }
      advance { by = "5s" }
      expect "alice" { data = { id = 1 } }
    }
    test "dead" {
      mock "ws" { error = "away" }
      given "api" {
        operation = "POST /orders"
        data      = { lines = [] }
      }
      expect "api" { status = 201 }
      advance { by = "10s" }
      expect "db" {
        error = "flow_failed"
        count = 2
      }
      given "api" { operation = "GET /letters" }
      expect "api" {
        data = { letters = [{ table = "orders", operation = "INSERT", row = { id = 1 } }] }
      }
    }
    flow "letters" {
      from {
        connector = "api"
        operation = "GET /letters"
      }
      step "found" {
        connector = "db"
        query     = "SELECT * FROM letters"
        rows      = "all"
      }
      response { letters = "step.found" }
    }
  `,
  );
  assert.ok(passed, report);
});

test("played: a given change starts its flows as it says, also where nothing plays the table", async () => {
  const tests = `
    test "given" {
      client "alice" {}
      given "db" {
        operation = "UPDATE orders"
        data      = { id = 7, paid = true }
        old       = { id = 7, paid = false }
      }
      expect "alice" {
        data = {
          what = "UPDATE", id = 7, old = { id = 7, paid = false },
          at   = "2026-01-01T00:00:00.000Z"
        }
      }
    }
  `;
  for (const migration of [TABLES, "CREATE TYPE mood AS ENUM ();"]) {
    const { passed, report } = await run(tests, migration);
    assert.ok(passed, report);
  }
});

test("played: a flow of a table that does not exist fails the test", async () => {
  const { results: [{ failures }] } = await run(
    'test "t" {\n  expect "log" { nothing = true }\n}\n',
    TABLES.replace("TABLE orders", "TABLE oders"),
  );
  assert.deepEqual(failures.map(({ message }) => message), [
    'connector "db": there is no table "orders" whose changes could start a flow',
  ]);
});
