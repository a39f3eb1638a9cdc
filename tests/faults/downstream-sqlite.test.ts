/** The entries of "Downstream" about an SQLite file that cannot be written. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { commandFile, ready, root, type Stage } from "../support/process.ts";
import { needTool } from "../support/toolchain.ts";
import { type Frame, post, WebClient } from "../support/web-client.ts";
import { type Bench, codeOf, downstream } from "./downstream.ts";
import { processFault, runtime } from "./stage.ts";

const flows = `
  flow "store" {
    from {
      connector = "ws"
      operation = "store"
    }
    to {
      connector = "db"
      target    = "notes"
    }
  }
  flow "store over HTTP" {
    from {
      connector = "api"
      operation = "POST /notes"
    }
    to {
      connector = "db"
      target    = "notes"
    }
  }
  flow "look" {
    from {
      connector = "ws"
      operation = "look"
    }
    step "notes" {
      connector = "db"
      query     = "SELECT count(*) AS count FROM notes"
    }
    response {
      count = "step.notes.count"
    }
  }
  flow "change" {
    from {
      connector = "ws"
      operation = "change"
    }
    to {
      connector = "db"
      query     = "PRAGMA query_only = 1"
    }
  }
`;

const TABLE = "CREATE TABLE notes (text TEXT);";

/** Stores one note as a client and one as a REST caller; gives the codes of both answers. */
async function storeTwice(bench: Bench, client: WebClient): Promise<readonly unknown[]> {
  const [answer, response] = await Promise.all([
    client.request({ type: "store", data: { text: "a" } }),
    post(bench.url("/notes"), { text: "b" }),
  ]);
  const { error } = await response.json();
  if (error === undefined) return [codeOf(answer), response.status];
  // The cause stays in the log.
  for (const message of [answer.message, error.message]) {
    assert.match(String(message), /^flow "store( over HTTP)?" failed \(ref \w+\)$/);
  }
  return [codeOf(answer), response.status, error.code];
}

async function count(client: WebClient): Promise<unknown> {
  const { data } = await client.request({ type: "look" });
  return (data as Frame).count;
}

downstream("SQLite busy → error, no crash", async (bench) => {
  await bench.serve(await bench.database(TABLE) + flows);
  const client = await bench.open();
  const other = new DatabaseSync(bench.file);
  other.exec("BEGIN IMMEDIATE");
  assert.deepEqual(await storeTwice(bench, client), ["flow_failed", 500, "flow_failed"]);
  assert.equal(await count(client), 0);
  other.exec("ROLLBACK");
  other.close();
  assert.deepEqual(await storeTwice(bench, client), [undefined, 201]);
  assert.equal(await count(client), 2);
  assert.ok((await bench.logged(/database is locked/)).length > 0);
});

downstream("SQLite read-only → error, no crash", async (bench) => {
  await bench.serve(await bench.database(TABLE) + flows);
  const client = await bench.open();
  assert.deepEqual(await storeTwice(bench, client), [undefined, 201]);
  await client.request({ type: "change" });
  assert.deepEqual(await storeTwice(bench, client), ["flow_failed", 500, "flow_failed"]);
  assert.equal(await count(client), 2);
  assert.equal((await bench.ready()).status, 200);
  assert.ok((await bench.logged(/attempt to write a readonly database/)).length > 0);
});

downstream("SQLite full → error, no crash, and it goes on when there is room", async (bench) => {
  await bench.serve(await bench.database(`${TABLE} PRAGMA max_page_count = 20;`) + flows);
  const client = await bench.open();
  const text = "x".repeat(4000);
  const codes: unknown[] = [];
  for (let n = 0; n < 30; n++) {
    codes.push(codeOf(await client.request({ type: "store", data: { text } })));
  }
  const stored = codes.indexOf("flow_failed");
  assert.ok(stored > 5 && stored < 20, `${stored} were stored`);
  assert.deepEqual(codes.slice(stored), codes.slice(stored).fill("flow_failed"));
  assert.equal(await count(client), stored);
  assert.ok((await bench.logged(/database or disk is full/)).length > 0);
  const other = new DatabaseSync(bench.file);
  other.exec("DELETE FROM notes");
  other.close();
  assert.equal(codeOf(await client.request({ type: "store", data: { text } })), undefined);
});

processFault("disk full (a limit of the system) → error, no crash", async (stage) => {
  const weir = await limited(stage, 400);
  const client = await WebClient.open(`ws://127.0.0.1:${weir.port}/ws`);
  const text = "x".repeat(4000);
  let acked = 0;
  const refused: unknown[] = [];
  // A client of a hundred errors would be sent away.
  for (let n = 0; n < 200 && refused.length < 20; n++) {
    const code = codeOf(await client.request({ type: "store", data: { text } }));
    if (code === undefined) acked++;
    else refused.push(code);
  }
  assert.ok(acked > 0 && acked < 200, `${acked} were stored`);
  assert.deepEqual(refused, Array.from({ length: 20 }, () => "flow_failed"));
  assert.equal(await count(client), acked);
  client.close();
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
  const database = new DatabaseSync(join(stage.folder, "notes.db"));
  const [{ integrity_check }] = database.prepare("PRAGMA integrity_check").all();
  assert.equal(integrity_check, "ok");
  assert.deepEqual({ ...database.prepare("SELECT count(*) AS n FROM notes").get() }, { n: acked });
  database.close();
});

/** A server whose files may have so many KB; a write beyond fails as on a full disk. */
async function limited(stage: Stage, size: number): ReturnType<typeof ready> {
  await mkdir(join(stage.folder, "migrations"));
  await writeFile(join(stage.folder, "migrations/001.sql"), TABLE);
  await writeFile(
    join(stage.folder, "weir.hcl"),
    `
      connector "ws" {
        type = "websocket"
        port = 0
      }
      connector "api" {
        type = "rest"
        port = 0
      }
      connector "db" {
        type       = "database"
        driver     = "sqlite"
        database   = "./notes.db"
        migrations = "./migrations"
      }
      ${flows}
    `,
  );
  // In units of 512 bytes; without the trap the signal would end the process.
  const script = `trap "" XFSZ; ulimit -f ${2 * size}; exec "$0" "$@"`;
  const before = { deno: ["run", "-A"], bun: ["--no-env-file"], node: [] }[runtime];
  const program = join(root, commandFile(runtime));
  const command = [await needTool(runtime), ...before, program, "run", "weir.hcl"];
  return await ready(stage.command("sh", ["-c", script, ...command]));
}
