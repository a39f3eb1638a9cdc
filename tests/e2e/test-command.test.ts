import assert from "node:assert/strict";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root, type Stage, stageTest } from "../support/process.ts";
import { runInSession } from "../support/weir-session.ts";

const TESTS = `test "a message is stored" {
  client "alice" { user_id = "alice" }
  given "alice" {
    data = { room = "hall", text = "hello" }
    id   = 1
  }
  expect "alice" {
    type = "ack"
    id   = 1
  }
  expect "db" {
    target = "messages"
    data   = { text = "hello" }
  }
}

test "an event reaches its room" {
  client "alice" { rooms = ["orders"] }
  client "bob" {}
  given "rabbit" {
    operation = "room.event"
    data      = { room = "orders", id = 7 }
  }
  expect "alice" {
    room = "orders"
    data = { id = 7 }
  }
  expect "bob" { nothing = true }
}

test "an order reaches everybody" {
  client "alice" {}
  given "rabbit" {
    operation = "order.updated"
    data      = { id = 7 }
  }
  expect "alice" { data = { id = 7 } }
}
`;

const WRONG = `test "a message without its column" {
  client "alice" {}
  given "alice" { data = { nothing = 1 } }
  expect "alice" { type = "ack" }
}
`;

/** The published page with these tests; gives its folder. */
async function page(stage: Stage, tests: string): Promise<string> {
  const folder = await stage.copy("page");
  await writeFile(join(folder, "tests.hcl"), tests);
  return folder;
}

stageTest("test runs the tests of the published page", async (stage) => {
  const folder = await page(stage, TESTS);
  const exit = await stage.weir(["test", folder, "--coverage"]);
  assert.deepEqual(exit, {
    code: 0,
    signal: null,
    stdout: `ok      a message is stored
ok      an event reaches its room
ok      an order reaches everybody
3 tests, all passed
coverage: 3 of 3 flows
`,
    stderr: "",
  });
  // The configured database is a file, and none has been made.
  await assert.rejects(stat(join(folder, "data")), { code: "ENOENT" });
});

stageTest("test shows a failure with what was logged, and exits with 1", async (stage) => {
  await page(stage, TESTS + WRONG);
  const exit = await stage.weir(["test", "page", "--filter", "message"]);
  const stdout = exit.stdout.replaceAll(/[0-9a-f]{8}/g, "…");
  assert.deepEqual({ ...exit, stdout }, {
    code: 1,
    signal: null,
    stdout: `ok      a message is stored
FAILED  a message without its column
        page/tests.hcl:41  flow "handle_chat" failed: flow_failed: connector "db": INSERT: there is no column "nothing" in table "messages"
        page/tests.hcl:42  expect "alice": nothing received matches
          expected  {"type":"ack"}
          received  {"type":"error","message":"flow \\"handle_chat\\" failed (ref …)","error":"flow_failed"}
                    type: expected "ack", received "error"
        log
          error weir.flow: flow handle_chat failed (ref …): connector "db": INSERT: there is no column "nothing" in table "messages"
2 tests, 1 failed
`,
    stderr: "",
  });
});

stageTest("test prints one JSON document where it is asked to", async (stage) => {
  await page(stage, TESTS + WRONG);
  const { code, stdout, stderr } = await runInSession(stage, [
    "test",
    "page",
    "--json",
    "--coverage",
  ]);
  const report = JSON.parse(stdout);
  assert.deepEqual([code, stderr], [1, ""]);
  assert.deepEqual([report.tests, report.failed, report.problems], [4, 1, []]);
  assert.deepEqual(report.coverage, {
    flows: { seen: 3, all: 3 },
    branches: { seen: 0, all: 0 },
    rooms: { seen: 0, all: 0 },
    missing: [],
  });
  const [good, , , bad] = report.results;
  assert.deepEqual(good, {
    name: "a message is stored",
    file: "page/tests.hcl",
    line: 1,
    column: 1,
    ok: true,
    failures: [],
    log: [],
  });
  assert.equal(bad.ok, false);
  const [failed, missed] = bad.failures;
  assert.deepEqual([failed.file, failed.line, failed.column], ["page/tests.hcl", 41, 3]);
  assert.deepEqual(missed.expected, { type: "ack" });
  assert.deepEqual(missed.received[0].differences, [
    { path: "type", message: 'expected "ack", received "error"' },
  ]);
  assert.match(bad.log[0], /^error weir\.flow: flow handle_chat failed/);
});

stageTest("test fails where there is nothing to run", async (stage) => {
  await rm(join(await stage.copy("page"), "tests.hcl"));
  const none = await runInSession(stage, ["test", "page"]);
  assert.deepEqual(none, {
    code: 1,
    signal: null,
    stdout: "",
    stderr: 'error[no-tests]: no tests found; write one as test "what must happen" { … }\n',
  });
  await page(stage, TESTS);
  const other = await runInSession(stage, ["test", "page", "--filter", "mesage"]);
  assert.deepEqual(other, {
    code: 1,
    signal: null,
    stdout: "",
    stderr: 'error[no-tests]: none of 3 tests has "mesage" in its name\n',
  });
  const json = await runInSession(stage, ["test", "page", "--filter", "mesage", "--json"]);
  const { tests, problems: [problem] } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, tests, problem.message], [
    1,
    0,
    'none of 3 tests has "mesage" in its name',
  ]);
});

stageTest("test shows the mistakes of a configuration at their places", async (stage) => {
  const tests = TESTS.replace('given "alice"', 'given "alise"');
  await page(stage, tests);
  const { code, stdout, stderr } = await runInSession(stage, ["test", "page"]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /there is no client or connector "alise"\n {1,2}┌ page\/tests\.hcl:3:9\n/);
  const json = await runInSession(stage, ["test", "page", "--json"]);
  const { problems: [{ message, line, hint }] } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, json.stderr, line, hint], [1, "", 3, 'did you mean "alice"?']);
  assert.match(message, /no client or connector/);
});

stageTest("test reads the environment that it is given", async (stage) => {
  const tests = TESTS.replaceAll('room = "hall"', 'room = env("HALL")')
    .replace('text = "hello" }\n  }', 'room = "blue" }\n  }');
  await page(stage, tests);
  await writeFile(join(stage.folder, "hall.env"), "HALL=blue\n");
  const { code, stdout } = await stage.weir(["test", "page", "--env-file", "hall.env"]);
  assert.equal(code, 0, stdout);
});

stageTest("--dotenv reads .env if it exists, and --env-file replaces it", async (stage) => {
  await page(
    stage,
    TESTS.replace('text = "hello" }\n    id', 'text = env("TEXT", "hello") }\n    id'),
  );
  const test = async (args: readonly string[], env: Record<string, string> = {}) => {
    const { code, stderr } = await runInSession(stage, ["test", "page", ...args], { env });
    assert.equal(stderr, "");
    return code;
  };
  assert.equal(await test(["--dotenv"]), 0);
  await writeFile(join(stage.folder, ".env"), "TEXT=other\n");
  await writeFile(join(stage.folder, "my.env"), "TEXT=hello\n");
  assert.equal(await test([]), 0);
  assert.equal(await test(["--dotenv"]), 1);
  assert.equal(await test(["--dotenv"], { TEXT: "hello" }), 0);
  assert.equal(await test(["--dotenv", "--env-file", "my.env"]), 0);

  await rm(join(stage.folder, ".env"));
  await mkdir(join(stage.folder, ".env"));
  assert.deepEqual(await runInSession(stage, ["check", "page", "--dotenv"]), {
    code: 2,
    signal: null,
    stdout: "",
    stderr: "error[usage-error]: --dotenv (.env): it is a folder, not a regular file\n",
  });
});

stageTest("test runs the example of the page about tests", async (stage) => {
  const text = await readFile(join(root, "docs/testing.md"), "utf8");
  const [, flows, tests] = /```hcl\n([^]*?)```[^]*?```hcl\n([^]*?)```/.exec(text) ?? [];
  await writeFile(join(stage.folder, "shop.hcl"), flows + tests);
  const { code, stdout } = await runInSession(stage, ["test", "shop.hcl"]);
  const [, expected] = /```\n(ok[^]*?)\d+ tests/.exec(text) ?? [];
  assert.equal(code, 1);
  assert.ok(stdout.startsWith(expected), stdout);
});
