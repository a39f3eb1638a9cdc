/** A database that cannot be opened for a reason that does not pass by itself ends the start. */
import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Stage, stageTest } from "../support/process.ts";

/** What is wrong, in the folder of the test: returns the database and what its error says. */
type Fault = (folder: string) => Promise<readonly [database: string, message: RegExp]>;

const faults: Readonly<Record<string, Fault>> = {
  "the path is a folder": async (folder) => {
    await mkdir(join(folder, "a.db"));
    return ["a.db", /cannot open ".*a\.db": it is a folder; "database" must name a file/];
  },
  "the path is a device": () =>
    Promise.resolve([
      "/dev/null",
      /cannot open "\/dev\/null": it is a pipe or a device; "database" must name a file/,
    ]),
  "the file is no database": async (folder) => {
    await writeFile(join(folder, "letter.txt"), "This is no database. ".repeat(100));
    return [
      "letter.txt",
      /cannot open ".*letter\.txt": file is not a database; name another file, or move this one away/,
    ];
  },
  "the file cannot be read": async (folder) => {
    new DatabaseSync(join(folder, "a.db")).close();
    await writeFile(join(folder, "a.db"), "");
    await chmod(join(folder, "a.db"), 0);
    return [
      "a.db",
      /cannot open ".*a\.db": .*; let the user that runs Weir read and write ".*a\.db"/,
    ];
  },
  "the folder cannot be written to": async (folder) => {
    await mkdir(join(folder, "closed"), { mode: 0o555 });
    return [
      "closed/a.db",
      /cannot open ".*a\.db": .*; let the user that runs Weir read and write ".*closed"/,
    ];
  },
  "the folder cannot be entered": async (folder) => {
    await mkdir(join(folder, "closed"), { mode: 0o600 });
    return [
      "closed/a.db",
      /cannot open ".*a\.db": EACCES: .*; let the user that runs Weir read and write ".*closed"/,
    ];
  },
  "the path is a link to itself": async (folder) => {
    await symlink("a.db", join(folder, "a.db"));
    return ["a.db", /cannot open ".*a\.db": ELOOP: .*; check the path/];
  },
  "the folder cannot be made": async (folder) => {
    await mkdir(join(folder, "closed"), { mode: 0o555 });
    return [
      "closed/data/a.db",
      /cannot (?:make the folder|open) ".*closed\/data.*; (?:make it, or )?let the user/,
    ];
  },
  "the path leads through a file": async (folder) => {
    await writeFile(join(folder, "letter.txt"), "");
    return ["letter.txt/a.db", /cannot (?:make the folder|open) ".*letter\.txt/];
  },
  "the file is read-only and a migration waits": async (folder) => {
    const database = new DatabaseSync(join(folder, "a.db"));
    database.exec("CREATE TABLE old (a)");
    database.close();
    await chmod(join(folder, "a.db"), 0o444);
    return [
      "a.db",
      /cannot open ".*a\.db": .*; let the user that runs Weir read and write ".*a\.db"/,
    ];
  },
};

for (const [what, fault] of Object.entries(faults)) {
  stageTest(`open: ${what}: no start, and why`, async (stage) => {
    const [database, message] = await fault(stage.folder);
    const path = await configure(stage, database);
    const options = { unprivileged: true };
    for (
      const args of [["run", path], ["run", path, "--workers", "2"], ["check", "--connect", path]]
    ) {
      const exit = await stage.weir(args, options);
      assert.deepEqual([exit.code, exit.stdout], [3, ""], `${args}: ${exit.stderr}`);
      assert.match(exit.stderr, message);
      assert.match(exit.stderr, /^error\[connector-failed\]: connector "db": .*\n$/m);
    }
    const script = await stage.script(
      "tests/fixtures/scripts/embedded.ts",
      [stage.runtime, path],
      options,
    );
    const { stdout } = await script.ended();
    assert.match(stdout, message);
    assert.match(stdout, /^connector-failed true: connector "db": /);
  });
}

stageTest("open: a read-only file without migrations is served, and logged", async (stage) => {
  const database = new DatabaseSync(join(stage.folder, "a.db"));
  database.exec("CREATE TABLE notes (text)");
  database.close();
  await chmod(join(stage.folder, "a.db"), 0o444);
  const path = await configure(stage, "a.db", "");
  const weir = await stage.run([path], { unprivileged: true });
  assert.match(weir.stderr, /the file .*a\.db can be read but not written to/);
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});

/** Writes a configuration with this database. */
async function configure(
  { folder }: Stage,
  database: string,
  migrations = 'migrations = "./migrations"',
): Promise<string> {
  await mkdir(join(folder, "migrations"));
  await writeFile(join(folder, "migrations/1.sql"), "CREATE TABLE notes (text TEXT);");
  const path = join(folder, "a.hcl");
  await writeFile(
    path,
    `connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = "${database}"
  ${migrations}
}
connector "ws" {
  type = "websocket"
  port = 0
}
`,
  );
  return path;
}
