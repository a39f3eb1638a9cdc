/** `weir run --watch`: what cannot start does not replace what runs. */
import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate } from "../support/certificate.ts";
import { ready, type Stage, stageTest } from "../support/process.ts";
import { openClient } from "../support/talk.ts";
import {
  answerOf,
  complains,
  database,
  flow,
  folderOf,
  listen,
  server,
  startedAgain,
  startWatching,
  textOf,
  watching,
  write,
} from "../support/watching.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

/** A change that cannot start: what it says, and how it is corrected. */
interface Failure {
  readonly apply: (stage: Stage) => Promise<void>;
  readonly problem: RegExp;
  readonly correct: (stage: Stage) => Promise<void>;
}

/** On a host of its own, since connectors on one port have one certificate. */
const secure = server("secure").replace(
  "\n}",
  `
  host = "127.0.0.1"
  tls {
    cert = "./one.pem"
    key  = "./one.key"
  }
}`,
);

const failures: Readonly<Record<string, Failure>> = {
  "a refused migration": {
    apply: (stage) => write(stage, { "c.hcl": database(), "1.sql": "CREATE TABEL notes (id);" }),
    problem: /^error\[migration-failed\]: connector "db": migration "1\.sql" was refused: .*$/m,
    correct: (stage) => write(stage, { "1.sql": "CREATE TABLE notes (id);" }),
  },
  "a database that is a folder": {
    apply: (stage) => write(stage, { "c.hcl": database().replace(":memory:", "."), "1.sql": "" }),
    problem: /^error\[connector-failed\]: connector "db": cannot open ".*": it is a folder;/m,
    correct: (stage) => write(stage, { "c.hcl": database() }),
  },
  "a missing folder of files": {
    apply: (stage) =>
      write(stage, { "c.hcl": server("page").replace("\n}", '\n  static = "./page"\n}') }),
    problem: /^error\[missing-folder\]: connector "page" \(websocket\): the folder of static .*$/m,
    correct: async (stage) => void await mkdir(join(folderOf(stage), "page")),
  },
  "a missing certificate": {
    apply: (stage) => write(stage, { "c.hcl": secure }),
    problem:
      /^error\[invalid-certificate\]: connector "secure": tls cert: .*there is no such file$/m,
    correct: async (stage) => void await makeCertificate(folderOf(stage), "one"),
  },
  "a key of another certificate": {
    async apply(stage) {
      const folder = folderOf(stage);
      const other = await makeCertificate(folder, "other");
      await makeCertificate(folder, "one");
      await writeFile(join(folder, "one.key"), await readFile(other.key));
      await write(stage, { "c.hcl": secure });
    },
    problem: /^error\[invalid-certificate\]: connector "secure": tls key: .* does not match/m,
    correct: async (stage) => void await makeCertificate(folderOf(stage), "one"),
  },
  "an address that this machine does not have": {
    apply: (stage) =>
      write(stage, { "c.hcl": server("other").replace("\n}", '\n  host = "192.0.2.1"\n}') }),
    problem: /^error\[cannot-listen\]: connector "other": cannot listen on 192\.0\.2\.1:0: /m,
    correct: (stage) => write(stage, { "c.hcl": server("other") }),
  },
};

stageTest("watch: a change that cannot start disturbs nobody", async (stage) => {
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": flow("one") });
  let restarts = 0;
  for (const [what, { apply, problem, correct }] of Object.entries(failures)) {
    const client = await openClient(weir);
    weir.stderr = "";
    await apply(stage);
    await complains(weir, problem);
    await complains(
      weir,
      /^the previous configuration keeps running; waiting for the next change$/m,
    );
    assert.equal(await textOf(client), "one", what);
    await correct(stage);
    assert.deepEqual(await client.ending(), goodbye, what);
    await startedAgain(weir, ++restarts);
    assert.equal(await answerOf(weir), "one", what);
    // The next failure begins with the first configuration.
    await write(stage, { "c.hcl": "" });
    await startedAgain(weir, ++restarts);
    await rm(join(folderOf(stage), "1.sql"), { force: true });
  }
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});

stageTest("watch: a port that is in use is found before the restart", async (stage) => {
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": flow("one") });
  const client = await openClient(weir);
  const [taken, port] = await listen();
  try {
    await write(stage, { "c.hcl": server("other", "other", port) });
    await complains(
      weir,
      /^error\[cannot-listen\]: connector "other": cannot listen on 0\.0\.0\.0:\d+: the port is in use;/m,
    );
    await complains(weir, /^the previous configuration keeps running; waiting/m);
    assert.equal(await textOf(client), "one");
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
  await write(stage, { "c.hcl": `${server("other", "other", port)}\n` });
  assert.deepEqual(await client.ending(), goodbye);
  await startedAgain(weir, 1);
  assert.match(weir.stdout, new RegExp(`:${port}/other\n$`));
  // A connector that moves to a port of the running service, and one that leaves it.
  await write(stage, { "c.hcl": server("third", "third", port) });
  await startedAgain(weir, 2);
  assert.match(weir.stdout, new RegExp(`:${port}/third\n$`));
  assert.equal(await answerOf(weir), "one");
});

stageTest("watch: connectors with any port can move to one and part again", async (stage) => {
  const onHost = (name: string, host: string) =>
    server(name).replace("\n}", `\n  host = "${host}"\n}`);
  const weir = await startWatching(stage, {
    "a.hcl": onHost("ws", "127.0.0.1") + onHost("other", "127.0.0.2"),
    "b.hcl": flow("one"),
  });
  const [, port] = /127\.0\.0\.1:(\d+)\/ws/.exec(weir.stdout) ?? [];
  await write(stage, { "a.hcl": onHost("ws", "127.0.0.1") + onHost("other", "127.0.0.1") });
  await startedAgain(weir, 1);
  assert.match(weir.stdout, new RegExp(`:${port}/ws  ws://127\\.0\\.0\\.1:${port}/other\n$`));
  await write(stage, { "a.hcl": onHost("ws", "127.0.0.1") + server("other") });
  await startedAgain(weir, 2);
  assert.match(weir.stdout, new RegExp(`:${port}/ws  ws://localhost:(?!${port}/)\\d+/other\n$`));
});

stageTest("watch: what fails in the last moment brings back what ran", async (stage) => {
  const [first, port] = await listen(0, "127.0.0.1");
  await new Promise((resolve) => first.close(resolve));
  const onHost = (host: string) =>
    server("ws", "ws", port).replace("\n}", `\n  host = "${host}"\n}`);
  const weir = await startWatching(stage, { "a.hcl": onHost("127.0.0.1"), "b.hcl": flow("one") });
  const client = await openClient(weir);
  // The service has this port on another address, so that it is not tried before.
  const [taken] = await listen(port, "127.0.0.2");
  try {
    await write(stage, { "a.hcl": onHost("127.0.0.2") });
    assert.deepEqual(await client.ending(), goodbye);
    await weir.says(/^weir restarted the previous configuration in \d+ ms: ws:.*$/m);
    await complains(weir, /^error\[cannot-listen\]: connector "ws": .*the port is in use/m);
    await complains(
      weir,
      /^the previous configuration was started again; waiting for the next change$/m,
    );
    assert.equal(await answerOf(weir), "one");
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
  await write(stage, { "b.hcl": "flow" });
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  await write(stage, { "a.hcl": onHost("127.0.0.1"), "b.hcl": flow("two") });
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), "two");
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});

stageTest("watch: a start that fails first is tried again after a change", async (stage) => {
  await mkdir(folderOf(stage));
  await write(stage, { "a.hcl": server() + database(), "b.hcl": flow("one"), "1.sql": "CREATE;" });
  const weir = await watching(stage);
  await complains(weir, /^error\[migration-failed\]/m);
  await complains(weir, /^nothing is running; waiting for the next change$/m);
  await write(stage, { "1.sql": "CREATE TABLE notes (id);" });
  assert.equal(await answerOf(await ready(weir)), "one");
  // A signal also ends what waits for a change.
  await write(stage, { "1.sql": "CREATE TABLE notes (id); CREATE;" });
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});
