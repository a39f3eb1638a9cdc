/** A database that cannot be opened for a reason that does not pass by itself ends the start. */
import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stageTest } from "../support/process.ts";

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
    const path = await configure(stage.folder, [database]);
    const exit = await stage.weir(["run", path], { unprivileged: true });
    assert.deepEqual([exit.code, exit.stdout], [3, ""], exit.stderr);
    assert.match(exit.stderr, message);
    assert.match(exit.stderr, /^error\[connector-failed\]: connector "db0": .*\n$/m);
  });
}

// Each start costs as much as all that it finds, so these find all of it at once.
stageTest("open: every reason with workers, by check --connect and embedded", async (stage) => {
  const { folder } = stage;
  const found = await Promise.all(
    Object.values(faults).map(async (fault, i) => {
      await mkdir(join(folder, String(i)));
      const [database, message] = await fault(join(folder, String(i)));
      return { database: isAbsolute(database) ? database : `${i}/${database}`, message };
    }),
  );
  const path = await configure(folder, found.map(({ database }) => database));
  const options = { unprivileged: true };
  for (const args of [["run", path, "--workers", "2"], ["check", "--connect", path]]) {
    const exit = await stage.weir(args, options);
    assert.deepEqual([exit.code, exit.stdout], [3, ""], `${args}: ${exit.stderr}`);
    assert.match(exit.stderr, /^error\[connector-failed\]: connector "db\d": .*\n$/m);
    for (const { message } of found) assert.match(exit.stderr, message);
  }
  const paths = await Promise.all(
    found.map(({ database }, i) => configure(folder, [database], { file: `${i}.hcl` })),
  );
  const script = await stage.script(
    "tests/fixtures/scripts/embedded.ts",
    [stage.runtime, ...paths],
    options,
  );
  const lines = (await script.ended()).stdout.trimEnd().split("\n");
  assert.equal(lines.length, found.length, lines.join("\n"));
  for (const [i, { message }] of found.entries()) {
    assert.match(lines[i], message);
    assert.match(lines[i], /^connector-failed true: connector "db0": /);
  }
});

stageTest("open: a read-only file without migrations is served, and logged", async (stage) => {
  const database = new DatabaseSync(join(stage.folder, "a.db"));
  database.exec("CREATE TABLE notes (text)");
  database.close();
  await chmod(join(stage.folder, "a.db"), 0o444);
  const path = await configure(stage.folder, ["a.db"], { migrations: "" });
  const weir = await stage.run([path], { unprivileged: true });
  assert.match(weir.stderr, /the file .*a\.db can be read but not written to/);
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});

/** Writes a configuration with a connector for each of these databases. */
async function configure(
  folder: string,
  databases: readonly string[],
  { file = "a.hcl", migrations = 'migrations = "./migrations"' } = {},
): Promise<string> {
  await mkdir(join(folder, "migrations"), { recursive: true });
  await writeFile(join(folder, "migrations/1.sql"), "CREATE TABLE notes (text TEXT);");
  const path = join(folder, file);
  const connectors = databases.map((database, i) =>
    `connector "db${i}" {
  type     = "database"
  driver   = "sqlite"
  database = "${database}"
  ${migrations}
}
`
  );
  const socket = `connector "ws" {
  type = "websocket"
  port = 0
}
`;
  await writeFile(path, connectors.join("") + socket);
  return path;
}
