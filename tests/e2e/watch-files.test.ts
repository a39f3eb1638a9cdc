/** `weir run --watch`: the files beside the configuration, and changes that change nothing. */
import assert from "node:assert/strict";
import { copyFile, mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate, secureGet } from "../support/certificate.ts";
import { type Process, stageTest } from "../support/process.ts";
import { openClient } from "../support/talk.ts";
import {
  answerOf,
  complains,
  database,
  flow,
  folderOf,
  server,
  startedAgain,
  startWatching,
  textOf,
  write,
} from "../support/watching.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

/** Waits for the line that says so for the nth time. */
async function kept(weir: Process, times: number): Promise<void> {
  await weir.says(
    new RegExp(`(?:weir keeps running; the change does not affect it\n[^]*){${times}}`),
  );
}

stageTest("watch: a comment, spaces and test blocks disturb nobody", async (stage) => {
  const text = flow("one");
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": text });
  const client = await openClient(weir);
  await write(stage, { "b.hcl": `# A comment.\n\n${text}` });
  await kept(weir, 1);
  const check = `test "it" {
  client "ada" {}
  given "ada" { data = {} }
  expect "ada" { data = { text = "one" } }
}
`;
  await write(stage, { "c.hcl": check });
  await kept(weir, 2);
  await write(stage, { "c.hcl": check.replace('expect "ada"', 'expect "bob"') });
  await complains(weir, /^error\[[a-z-]+\]: test "it".*bob.*$/m);
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  // What is as before is no change.
  await write(stage, { "c.hcl": check });
  await kept(weir, 3);
  assert.equal(await textOf(client), "one");
  await write(stage, { "b.hcl": flow("two") });
  assert.deepEqual(await client.ending(), goodbye);
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), "two");
});

stageTest("watch: migrations are applied when they are added", async (stage) => {
  const listing = `
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  step "count" {
    connector = "db"
    query     = "SELECT count(*) AS text FROM notes"
  }
  response {
    text = "step.count.text"
  }
}
`;
  const weir = await startWatching(stage, {
    "a.hcl": server() + database().replace(":memory:", "data/a.db"),
    "b.hcl": listing,
    "1.sql": "CREATE TABLE notes (text);",
  });
  const client = await openClient(weir);
  assert.equal(await textOf(client), 0);
  // Reads and writes of the same file go on while the next migration is refused.
  await write(stage, { "2.sql": "INSERT INTO notes VALUES ('a'); INSERT INTO nots VALUES ('b');" });
  await complains(
    weir,
    /^error\[migration-failed\]: .*"2\.sql" was refused: no such table: nots$/m,
  );
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  assert.equal(await textOf(client), 0);
  await write(stage, {
    "2.sql": "INSERT INTO notes VALUES ('a'); INSERT INTO notes VALUES ('b');",
  });
  assert.deepEqual(await client.ending(), goodbye);
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), 2);
  // One that was changed afterwards is refused, and nothing is disturbed.
  const other = await openClient(weir);
  weir.stderr = "";
  await write(stage, { "2.sql": "INSERT INTO notes VALUES ('c');" });
  await complains(weir, /^error\[migration-failed\]: .*"2\.sql" was changed after it was applied/m);
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  assert.equal(await textOf(other), 2);
});

stageTest("watch: a renewed certificate is taken", async (stage) => {
  await mkdir(folderOf(stage));
  const folder = folderOf(stage);
  const first = await makeCertificate(folder, "one");
  const next = await makeCertificate(folder, "next");
  const secure = server().replace(
    "\n}",
    '\n  tls {\n    cert = "./one.pem"\n    key  = "./one.key"\n  }\n}',
  );
  const weir = await startWatching(stage, { "a.hcl": secure });
  const live = (certificate: typeof first) => secureGet(weir.port, "/health/live", certificate);
  assert.equal((await live(first)).status, 200);
  // A key without its certificate: what runs keeps the pair that it has read.
  await copyFile(next.key, first.key);
  await complains(weir, /^error\[invalid-certificate\]: .* does not match the certificate/m);
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  assert.equal((await live(first)).status, 200);
  // As certificate tools do: a new file in place of the old one.
  await copyFile(next.cert, join(folder, "renewed.pem"));
  await rename(join(folder, "renewed.pem"), first.cert);
  await startedAgain(weir, 1);
  assert.equal((await live(next)).status, 200);
  await assert.rejects(live(first));
});

stageTest("watch: files of a folder are served as they are, without a restart", async (stage) => {
  await mkdir(folderOf(stage));
  const page = join(folderOf(stage), "page");
  await mkdir(page);
  await writeFile(join(page, "index.html"), "one");
  const weir = await startWatching(stage, {
    "a.hcl": server().replace("\n}", '\n  static = "./page"\n}'),
    "b.hcl": flow("one"),
  });
  const client = await openClient(weir);
  const get = (headers = {}) => fetch(`http://localhost:${weir.port}/`, { headers });
  const first = await get();
  assert.equal(await first.text(), "one");
  assert.equal(first.headers.get("cache-control"), "no-cache");
  const etag = String(first.headers.get("etag"));
  const same = await get({ "if-none-match": etag });
  assert.deepEqual([same.status, await same.text()], [304, ""]);
  await writeFile(join(page, "index.html"), "two");
  const second = await get({ "if-none-match": etag });
  assert.deepEqual([second.status, await second.text()], [200, "two"]);
  // As tools that give all files one time.
  await utimes(join(page, "index.html"), 0, 0);
  const former = String((await get()).headers.get("etag"));
  // Deno tells the time of a change in seconds.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await writeFile(join(page, "index.html"), "six");
  await utimes(join(page, "index.html"), 0, 0);
  const third = await get({ "if-none-match": former });
  assert.deepEqual([third.status, await third.text()], [200, "six"]);
  await rename(page, `${page}.away`);
  await complains(
    weir,
    /^error\[missing-folder\]: .*the folder of static does not exist: ".\/page"$/m,
  );
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  assert.equal((await get()).status, 404);
  await rename(`${page}.away`, page);
  await kept(weir, 1);
  assert.equal(await (await get()).text(), "six");
  // None of all this was a restart.
  assert.equal(await textOf(client), "one");
  assert.doesNotMatch(weir.stdout, /restarted/);
});

stageTest("watch: variables of a file are replaced and unset", async (stage) => {
  const file = join(stage.folder, "variables");
  await writeFile(file, "WEIR_TEST_TEXT=one\nWEIR_TEST_SET=file\n");
  const text = flow("").replace(
    `"''"`,
    `"env('WEIR_TEST_TEXT', 'none') + env('WEIR_TEST_SET', 'none')"`,
  );
  const weir = await startWatching(
    stage,
    { "a.hcl": server(), "b.hcl": text },
    ["--env-file", file],
    { env: { WEIR_TEST_SET: "-set" } },
  );
  assert.equal(await answerOf(weir), "one-set");
  await writeFile(file, "WEIR_TEST_TEXT=two\nWEIR_TEST_SET=file\n");
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), "two-set");
  await writeFile(file, "WEIR_TEST_TEXT=two\nWEIR_TEST_SET=other\n");
  await kept(weir, 1);
  await writeFile(file, "");
  await startedAgain(weir, 2);
  assert.equal(await answerOf(weir), "none-set");
  await writeFile(file, "WEIR_TEST_TEXT=three\n");
  await startedAgain(weir, 3);
  const client = await openClient(weir);
  for (
    const [spoil, problem] of [
      [() => rm(file), /^error\[usage-error\]: --env-file .*variables: there is no such file$/m],
      [
        () => writeFile(file, new Uint8Array([0xff, 0xfe, 0xfd])),
        /^error\[usage-error\]: --env-file .*variables: it is not UTF-8 text$/m,
      ],
    ] as const
  ) {
    weir.stderr = "";
    await spoil();
    await complains(weir, problem);
    await complains(weir, /^the previous configuration keeps running; waiting/m);
    assert.equal(await textOf(client), "three-set");
  }
  await writeFile(file, "WEIR_TEST_TEXT=three\n");
  await kept(weir, 2);
  assert.equal(await textOf(client), "three-set");
});
