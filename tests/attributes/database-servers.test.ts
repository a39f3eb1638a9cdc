/** Every attribute that the `database` connector has for a server does what it says to a real one. */
import { after } from "node:test";
import assert from "node:assert/strict";
import { type Service, service, serviceTest } from "../support/services.ts";
import { endServers } from "./database-servers.ts";
import { type Row, testRows } from "./row.ts";
import { changesRows } from "./rows/database-changes.ts";
import { mariadbRows, postgresRows } from "./rows/database-servers.ts";

after(endServers);

/** `own` is for servers of the test's own; `machine` is the server that is there by default. */
async function testWith(own: Service, machine: Service, rows: readonly Row[]): Promise<void> {
  if ((await service(own)).ok && (await service(machine)).ok) return testRows(rows);
  for (const needed of [own, machine]) {
    await serviceTest(needed, "what every attribute changes in a database server", () => {
      assert.ok(true, "this one is there");
    });
  }
}

await testWith("postgres-server", "postgres", [...postgresRows, ...changesRows]);
await testWith("mariadb-server", "mariadb", mariadbRows);
