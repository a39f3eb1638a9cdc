import assert from "node:assert/strict";
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { connector } from "./database-support.ts";

/** Runs with a folder that has one migration in `migrations`. */
async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-probe-"));
  try {
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "migrations/001.sql"), "CREATE TABLE notes (text TEXT);\n");
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function inFolder(folder: string, database = join(folder, "a #1?%.db")) {
  return connector({ database, migrations: join(folder, "migrations") });
}

test("a database that is not there yet is not made", async () => {
  await withFolder(async (folder) => {
    const database = join(folder, "deep/down/a.db");
    const found = await inFolder(folder, database).probe();
    assert.equal(found, `there is no file "${database}" yet; 1 migration waits`);
    assert.deepEqual(await readdir(folder), ["migrations"]);
    assert.equal(
      await connector({ database }).probe(),
      `there is no file "${database}" yet`,
    );
  });
});

test("a database in memory needs nothing", async () => {
  assert.equal(await connector({ database: ":memory:" }).probe(), "a database in memory");
});

test("the migrations that wait are counted, and nothing is written", async () => {
  await withFolder(async (folder) => {
    const started = inFolder(folder);
    await started.start();
    await started.close();
    const before = await readdir(folder);
    const file = join(folder, "a #1?%.db");
    assert.equal(await inFolder(folder).probe(), `"${file}" is there`);
    for (const name of ["002.sql", "003.sql"]) {
      await writeFile(join(folder, "migrations", name), "SELECT 1;\n");
    }
    assert.equal(await inFolder(folder).probe(), `"${file}" is there; 2 migrations wait`);
    assert.deepEqual(await readdir(folder), before);
  });
});

test("a running server's database is seen as it is now", async () => {
  await withFolder(async (folder) => {
    const running = inFolder(folder);
    await running.start();
    const before = await readdir(folder);
    assert.ok(before.some((name) => name.endsWith("-wal")));
    assert.doesNotMatch(await inFolder(folder).probe(), /wait/);
    assert.deepEqual(await readdir(folder), before);
    await running.close();
  });
});

test("what a killed server has left stays as it is", async () => {
  await withFolder(async (folder) => {
    const running = inFolder(folder, join(folder, "a.db"));
    await running.start();
    const killed = join(folder, "killed");
    await mkdir(killed);
    for (const end of ["", "-wal", "-shm"]) {
      await copyFile(join(folder, `a.db${end}`), join(killed, `a.db${end}`));
    }
    await running.close();
    const contents = () =>
      Promise.all(["a.db", "a.db-wal"].map((name) => readFile(join(killed, name), "base64")));
    const before = await contents();
    assert.doesNotMatch(await inFolder(folder, join(killed, "a.db")).probe(), /wait/);
    assert.deepEqual(await contents(), before);
  });
});

test("what a start would refuse is refused", async () => {
  await withFolder(async (folder) => {
    const started = inFolder(folder);
    await started.start();
    await started.close();
    await appendFile(join(folder, "migrations/001.sql"), "-- changed\n");
    await refuses(
      inFolder(folder).probe(),
      /migration "001\.sql" was changed after it was applied/,
    );

    const letter = join(folder, "letter.txt");
    await writeFile(letter, "This is no database. ".repeat(100));
    await refuses(
      inFolder(folder, letter).probe(),
      /cannot open ".*letter\.txt": .*not a database/,
    );
    await refuses(inFolder(folder, folder).probe(), /cannot open "/);
    await refuses(inFolder(folder, join(letter, "a.db")).probe(), /cannot open ".*": .*ENOTDIR/);
    const database = join(folder, "b.db");
    const nowhere = connector({ database, migrations: join(folder, "nowhere") });
    await refuses(nowhere.probe(), /cannot read the migrations in ".*nowhere"/);
  });
});

async function refuses(probe: Promise<string>, message: RegExp): Promise<void> {
  await assert.rejects(probe, (error) => {
    assert.ok(error instanceof ConnectorError);
    assert.match(error.message, message);
    return true;
  });
}
