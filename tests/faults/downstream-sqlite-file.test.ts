/** The entries of "Downstream" about an SQLite file that is deleted or replaced while it is open. */
import assert from "node:assert/strict";
import { copyFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Stage, Weir } from "../support/process.ts";
import { rowsOf } from "../support/talk.ts";
import { codeOf, pause, until } from "./downstream.ts";
import { type NotesOptions, open, startNotes, store } from "./notes.ts";
import { processFault } from "./stage.ts";

const service: NotesOptions = {
  text: "TEXT UNIQUE",
  blocks: `
  flow "look" {
    from {
      connector = "ws"
      operation = "look"
    }
    step "notes" {
      connector = "db"
      query     = "SELECT text FROM notes WHERE id = 1"
    }
    response {
      text = "step.notes.text"
    }
  }
`,
};

function start(stage: Stage, args?: readonly string[]): Promise<Weir> {
  return startNotes(stage, service, args);
}

/** The connectors that are in trouble, as `/health/ready` tells. */
async function health({ port }: Weir): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
  const { connectors = [] } = await response.json();
  assert.equal(response.status, connectors.length === 0 ? 200 : 503);
  return connectors;
}

/** Waits until exactly these connectors are in trouble: the server looks once a second. */
async function untilTroubles(weir: Weir, names: readonly string[]): Promise<void> {
  const start = performance.now();
  await until("health", async () => (await health(weir)).join() === names.join(), 10_000);
  const ms = performance.now() - start;
  assert.ok(ms < 3_000, `it took ${ms} ms`);
}

/** Everything that was acked is in the file. */
function assertKept(file: string, acked: readonly string[]): void {
  const kept = new Set(rowsOf(file, "notes").map(({ text }) => text));
  assert.deepEqual(acked.filter((text) => !kept.has(text)), []);
}

processFault(
  "SQLite file moved away at work → noticed within a second and nothing is acked; it works again when the file is back",
  async (stage) => {
    const weir = await start(stage);
    const [client, other] = await Promise.all([open(weir), open(weir)]);
    const [file, away] = ["notes.db", "away.db"].map((name) => join(stage.folder, name));
    const acked = ["first"];
    assert.equal(await store(client, "first"), undefined);
    await rename(file, away);
    // Already the first write is refused: the server looks at each commit, too.
    for (let n = 0; n < 10; n++) assert.equal(await store(client, `void ${n}`), "flow_failed");
    await untilTroubles(weir, ["db"]);
    assert.equal(codeOf(await client.request({ type: "look" })), "flow_failed");
    const { data } = await other.request({ type: "echo", data: { text: "a" } });
    assert.deepEqual(data, { text: "a" });
    assert.match(weir.stderr, /the file ".*notes\.db" was deleted while it was open; put it back/);
    // A link to itself does not end the server, either.
    await symlink("notes.db", file);
    await pause(1_500);
    assert.deepEqual(await health(weir), ["db"]);
    await rm(file);
    await rename(away, file);
    await untilTroubles(weir, []);
    for (let n = 0; n < 10; n++) {
      const text = `again ${n}`;
      assert.equal(await store(client, text), undefined);
      acked.push(text);
    }
    assertKept(file, acked);
    assert.deepEqual((await client.request({ type: "look" })).data, { text: "first" });
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);
    assertKept(file, acked);
  },
);

processFault(
  "SQLite file replaced at work → no write to either file is acked; a restart uses the new one",
  async (stage) => {
    const file = join(stage.folder, "notes.db");
    const backup = join(stage.folder, "backup.db");
    const first = await start(stage);
    assert.equal(await store(await open(first), "in the backup"), undefined);
    first.signal("SIGTERM");
    assert.equal((await first.ended()).code, 0);
    await copyFile(file, backup);
    const weir = await start(stage);
    const client = await open(weir);
    await rename(backup, file);
    await untilTroubles(weir, ["db"]);
    assert.equal(await store(client, "void"), "flow_failed");
    assert.equal(codeOf(await client.request({ type: "look" })), "flow_failed");
    assert.match(weir.stderr, /the file ".*notes\.db" was replaced while it was open/);
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);
    // As the message in the log says.
    for (const end of ["-wal", "-shm"]) await rm(`${file}${end}`, { force: true });
    const next = await start(stage);
    const later = await open(next);
    assert.equal(await store(later, "later"), undefined);
    assert.deepEqual((await later.request({ type: "look" })).data, { text: "in the backup" });
    assert.deepEqual(rowsOf(file, "notes").map(({ text }) => text), ["in the backup", "later"]);
  },
);

processFault(
  "SQLite file deleted under load, with several workers → nothing more is acked",
  async (stage) => {
    const workers = process.platform === "linux" ? ["--workers", "2"] : [];
    const weir = await start(stage, workers);
    const file = join(stage.folder, "notes.db");
    const clients = await Promise.all(Array.from({ length: 8 }, () => open(weir)));
    let deleted = false;
    let acked = 0;
    const refused: unknown[] = [];
    const writing = clients.map(async (client, i) => {
      for (let n = 0; refused.length < 40; n++) {
        const late = deleted;
        const code = await store(client, `${i}/${n}`);
        if (code === undefined) {
          acked++;
          assert.ok(!late, "a write was acked that began after the file was deleted");
        } else refused.push(code);
        await pause(10);
      }
    });
    await pause(300);
    await rm(file);
    deleted = true;
    await Promise.all(writing);
    assert.ok(acked > 8, `${acked} were acked`);
    assert.deepEqual(new Set(refused), new Set(["flow_failed"]));
    await untilTroubles(weir, ["db"]);
    for (const client of clients) client.close();
  },
);

processFault(
  "log of an SQLite file (-wal) deleted at work → nothing more is acked; a restart has all that was acked before",
  async (stage) => {
    const weir = await start(stage);
    const client = await open(weir);
    const file = join(stage.folder, "notes.db");
    const acked = Array.from({ length: 20 }, (_, n) => `note ${n}`);
    for (const text of acked) assert.equal(await store(client, text), undefined);
    await rm(`${file}-wal`);
    for (let n = 0; n < 5; n++) assert.equal(await store(client, `void ${n}`), "flow_failed");
    await untilTroubles(weir, ["db"]);
    assert.match(weir.stderr, /the file ".*notes\.db-wal" was deleted while it was open/);
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);
    assertKept(file, acked);
    const next = await start(stage);
    assert.equal(await store(await open(next), "later"), undefined);
    assertKept(file, [...acked, "later"]);
  },
);
