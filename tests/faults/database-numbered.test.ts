/**
 * Numbers that clients write while the database and Weir are killed, and send again until they are
 * acked: every one of them is in the table. `WEIR_TEST_LONG` makes them 10 000.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { keptPort } from "../support/ports.ts";
import { openStage, type Stage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { type Kind, mariadb, postgres, type TestDatabase } from "./database-kinds.ts";
import { pause, until } from "./downstream.ts";
import { Numbers } from "./numbers.ts";
import { runtime } from "./stage.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
/** So many for each operation. */
const NUMBERS = long ? 10_000 : 1_000;
const CLIENTS = 16;
/** Milliseconds that all of it may take. */
const PATIENCE = long ? 300_000 : 50_000;
/** How long a server that was killed stays away, in milliseconds. */
const AWAY = 300;

const OPERATIONS = ["keyed", "once"] as const;

for (const kind of [postgres, mariadb]) {
  await serviceTest(
    kind.service,
    `${runtime} serve: ${kind.title} killed twice (SIGKILL) and Weir once while clients write numbers, and send again what was not acked → every one is there, once by its key, once by dedupe`,
    () => numbered(kind),
  );
}

async function numbered(kind: Kind): Promise<void> {
  const server = await kind.open({ fsync: true, settings: kind.settings });
  const stage = await openStage(runtime);
  try {
    await kind.withDatabase(server, async (database) => {
      let numbers: Numbers | undefined;
      try {
        const port = await keptPort();
        await configure(kind, stage, database, port);
        const weir = await stage.run(["weir.hcl"]);
        numbers = new Numbers(`ws://127.0.0.1:${port}/ws`, OPERATIONS, NUMBERS, CLIENTS);
        const past = async (part: number): Promise<void> => {
          await until(`${part} of the numbers`, () => numbers?.isPast(part) ?? false, PATIENCE);
          assert.ok(!numbers?.isPast(1), "all was done before the kill");
        };
        const killServer = async (): Promise<void> => {
          await server.kill();
          await pause(AWAY);
          await server.start();
        };
        await past(0.25);
        await killServer();
        await past(0.5);
        await weir.kill();
        await stage.run(["weir.hcl"]);
        await past(0.75);
        await killServer();
        await Promise.race([numbers.done, pause(PATIENCE)]);
        assert.ok(numbers.isPast(1), `${numbers.acked} of ${2 * NUMBERS} were acked`);
        for (const table of OPERATIONS) await check(database, table);
        stage.assertSound();
        console.log(`${kind.title}: ${2 * NUMBERS} numbers, ${numbers.again} sent again`);
      } finally {
        numbers?.stop();
        await server.start();
      }
    });
  } finally {
    await stage.end();
    await server.end();
  }
}

/** Every number is there, once. */
async function check({ sql }: TestDatabase, table: string): Promise<void> {
  const [{ amount, different, first, last }] = await sql(
    `select count(*) as amount, count(distinct n) as different, min(n) as first, max(n) as last
       from ${table}`,
  );
  assert.deepEqual(
    [amount, different, first, last].map(Number),
    [NUMBERS, NUMBERS, 0, NUMBERS - 1],
    `${table}: rows, different ones, the first, the last`,
  );
}

async function configure(
  { driver }: Kind,
  { folder }: Stage,
  { url }: TestDatabase,
  port: number,
): Promise<void> {
  await mkdir(join(folder, "migrations"));
  await writeFile(
    join(folder, "migrations/001.sql"),
    "CREATE TABLE keyed (n INT PRIMARY KEY); CREATE TABLE once (n INT);",
  );
  await writeFile(
    join(folder, "weir.hcl"),
    `connector "ws" {
       type = "websocket"
       port = ${port}
     }
     connector "db" {
       type       = "database"
       driver     = "${driver}"
       url        = ${JSON.stringify(url)}
       migrations = "./migrations"
     }
     flow "keyed" {
       timeout = "5s"
       from {
         connector = "ws"
         operation = "keyed"
       }
       to {
         connector = "db"
         operation = "UPSERT"
         target    = "keyed"
         key       = "n"
       }
     }
     flow "once" {
       timeout = "5s"
       from {
         connector = "ws"
         operation = "once"
       }
       dedupe {
         key   = "input.n"
         ttl   = "1h"
         store = "db"
       }
       to {
         connector = "db"
         target    = "once"
         atomic    = true
       }
     }`,
  );
}
