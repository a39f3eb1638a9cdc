import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { EnvFileLoader } from "../../src/commands/env-file.ts";
import { type Candidate, isSame, loadCandidate } from "../../src/commands/watch/candidate.ts";
import { WatchedFiles } from "../../src/commands/watch/changes.ts";
import { PluginReloader } from "../../src/plugins/mod.ts";
import type { Watched } from "../../src/commands/watch/stamps.ts";

const server = `
constants {
  greeting = env("WEIR_TEST_GREETING", "hello")
}
connector "ws" {
  type = "websocket"
  port = 0
}
type "note" {
  text = string({ min_length = 1 })
}
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  validate {
    input = "note"
  }
  response {
    text = "constants.greeting + env('WEIR_TEST_NAME', 'you')"
  }
}
`;

const check = `
test "it answers" {
  client "ada" {}
  given "ada" { data = { text = "hi" } }
  expect "ada" { data = { text = "hello you" } }
}
`;

/** Loads a folder again and again. */
class Project {
  readonly folder: string;
  readonly noted: Watched[] = [];
  readonly #plugins = new PluginReloader();
  readonly #envFile: EnvFileLoader;
  readonly #files = new WatchedFiles((watched) => {
    this.noted.push(watched);
    return Promise.resolve("");
  });

  constructor(folder: string) {
    this.folder = folder;
    this.#envFile = new EnvFileLoader({ path: join(folder, ".env"), optional: true });
  }

  async load(files: Readonly<Record<string, string>> = {}): Promise<Candidate> {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.folder, name), text);
    }
    this.noted.length = 0;
    return await loadCandidate([this.folder], {
      files: this.#files,
      variables: this.#envFile,
      plugins: this.#plugins,
    });
  }
}

async function withProject(run: (project: Project) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-candidate-"));
  try {
    await run(new Project(folder));
  } finally {
    delete process.env["WEIR_TEST_GREETING"];
    delete process.env["WEIR_TEST_NAME"];
    await rm(folder, { recursive: true });
  }
}

test("comments, spaces, places and test blocks change nothing", async () => {
  await withProject(async (project) => {
    const first = await project.load({ "a.hcl": server });
    const changes: readonly Readonly<Record<string, string>>[] = [
      { "a.hcl": `# A comment.\n\n${server.replaceAll("\n  ", "\n\n    ")}` },
      { "a.hcl": server.replaceAll("\n", "\r\n") },
      { "a.hcl": `\uFEFF${server}` },
      { "a.hcl": server.replace("port = 0", "port = 1 - 1") },
      { "a.hcl": server, "b.hcl": "# Nothing.\n" },
      { "b.hcl": check },
      { "b.hcl": check.replace('"hi"', 'env("WEIR_TEST_NAME", "hi")') },
    ];
    for (const files of changes) {
      assert.ok(isSame(first, await project.load(files)), JSON.stringify(files));
    }
  });
});

test("everything else changes something", async () => {
  await withProject(async (project) => {
    const first = await project.load({ "a.hcl": server });
    const changes = [
      server.replace('"say"', '"said"'),
      server.replace("port = 0", "port = 1"),
      server.replace("min_length = 1", "min_length = 2"),
      server.replace("text = string({ min_length = 1 })", "text = string"),
      server.replace("string({ min_length = 1 })", "number({ min = 1 })"),
      server.replace("constants.greeting +", "constants.greeting + ' ' +"),
      server.replace('"hello"', '"hi"'),
      `${server}service {\n  name = "a"\n}\n`,
      server.replace('"message"', '"other"'),
    ];
    for (const text of changes) {
      assert.notEqual(text, server);
      assert.equal(isSame(first, await project.load({ "a.hcl": text })), false, text);
    }
  });
});

test("variables count where something other than a test reads them", async () => {
  await withProject(async (project) => {
    const first = await project.load({ "a.hcl": server, ".env": "OTHER=1" });
    assert.ok(isSame(first, await project.load({ ".env": "OTHER=2" })));
    const named = await project.load({ ".env": "WEIR_TEST_NAME=ada" });
    assert.equal(isSame(first, named), false);
    assert.equal(isSame(first, await project.load({ ".env": "WEIR_TEST_GREETING=hi" })), false);
    // What the file no longer has is not set any more.
    assert.ok(isSame(first, await project.load({ ".env": "" })));
    process.env["WEIR_TEST_NAME"] = "bob";
    const outside = await project.load();
    assert.equal(isSame(first, outside), false);
    // The environment wins.
    assert.ok(isSame(outside, await project.load({ ".env": "WEIR_TEST_NAME=ada" })));
  });
});

test("a file of variables that cannot be read leaves the variables as they are", async () => {
  await withProject(async (project) => {
    await project.load({ "a.hcl": server, ".env": "WEIR_TEST_NAME=ada" });
    await rm(join(project.folder, ".env"));
    await mkdir(join(project.folder, ".env"));
    await assert.rejects(project.load(), /--dotenv \(.*\.env\): it is a folder/);
    assert.equal(process.env["WEIR_TEST_NAME"], "ada");
  });
});

test("the files of connectors count by what is in them", async () => {
  await withProject(async (project) => {
    const { folder } = project;
    const database = `
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = ":memory:"
  migrations = "./migrations"
}
`;
    await mkdir(join(folder, "migrations"));
    const first = await project.load({ "a.hcl": server + database, "migrations/1.sql": "-- 1" });
    assert.ok(isSame(first, await project.load({ "migrations/1.sql": "-- 1" })));
    assert.ok(isSame(first, await project.load({ "migrations/notes.txt": "" })));
    assert.equal(isSame(first, await project.load({ "migrations/1.sql": "-- 2" })), false);
    await project.load({ "migrations/1.sql": "-- 1" });
    assert.equal(isSame(first, await project.load({ "migrations/2.sql": "" })), false);
    await rm(join(folder, "migrations/2.sql"));
    // Another folder with the same files.
    await mkdir(join(folder, "other"));
    const moved = database.replace("./migrations", "./other");
    const files = { "a.hcl": server + moved, "other/1.sql": "-- 1" };
    assert.equal(isSame(first, await project.load(files)), false);
  });
});

test("every file that a configuration names is watched, also where it has problems", async () => {
  await withProject(async (project) => {
    const { folder } = project;
    await writeFile(join(folder, "greeting.txt"), "hello");
    const text = `
constants {
  greeting = file("greeting.txt")
  missing  = file("missing.txt")
}
connector "ws" {
  type   = "websocket"
  port   = 0
  static = "./page"
  tls {
    cert = "./cert.pem"
    key  = "./key.pem"
  }
}
connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = ":memory:"
  migrations = "./migrations"
}
`;
    await assert.rejects(project.load({ "a.hcl": text }), /missing\.txt/);
    assert.deepEqual(project.noted, [
      { kind: "file", path: join(folder, ".env") },
      { kind: "configuration", paths: [folder] },
      { kind: "file", path: join(folder, "greeting.txt") },
      { kind: "file", path: join(folder, "missing.txt") },
      { path: join(folder, "page"), kind: "folder", attribute: "static" },
      { path: join(folder, "cert.pem"), kind: "file" },
      { path: join(folder, "key.pem"), kind: "file" },
      { path: join(folder, "migrations"), kind: "files", ending: ".sql", attribute: "migrations" },
    ]);
  });
});
