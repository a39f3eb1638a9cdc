/** Numbers that clients of the library send: what a server writes of them, and what must be there. */
import assert from "node:assert/strict";
import process from "node:process";
import type { Client } from "../../src/client/mod.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";

/** How many there are, and how often each disturbance happens. */
export const AMOUNT = long ? { numbers: 10_000, rounds: 4 } : { numbers: 1_000, rounds: 2 };
/** How much faster the time of the clients runs: a dead connection is found after 30 s of it. */
export const SPEED = long ? 1 : 10;

/** The files of a server whose operation `add` writes a number, once for each `message_id`. */
export const numberedFiles = (
  port: number,
  attributes = "",
): Readonly<Record<string, string>> => ({
  "migrations/001.sql": "CREATE TABLE numbers (n INTEGER NOT NULL);",
  "weir.hcl": `connector "ws" {
       type = "websocket"
       host = "127.0.0.1"
       port = ${port}
       ${attributes}
     }
     connector "db" {
       type       = "database"
       driver     = "sqlite"
       database   = "./numbers.db"
       migrations = "./migrations"
     }
     flow "add" {
       from {
         connector = "ws"
         operation = "add"
       }
       dedupe {
         key   = "input.message_id"
         ttl   = "1h"
         store = "db"
       }
       to {
         connector = "db"
         target    = "numbers"
         atomic    = true
         transform {
           n = "input.n"
         }
       }
       response {
         n = "input.n"
       }
     }
     flow "sum" {
       from {
         connector = "ws"
         operation = "sum"
       }
       step "rows" {
         connector = "db"
         query     = <<-SQL
           SELECT count(*) AS amount, count(DISTINCT n) AS different, min(n) AS first, max(n) AS last
           FROM numbers
         SQL
       }
       response {
         rows = "step.rows"
       }
     }`,
});

/** Each number is in the table, once. */
export async function checkNumbers(client: Client): Promise<void> {
  const { rows } = await client.request("sum", {}, { retry: true }) as { readonly rows: unknown };
  const { numbers } = AMOUNT;
  const expected = { amount: numbers, different: numbers, first: 0, last: numbers - 1 };
  assert.deepEqual(rows, expected);
}
