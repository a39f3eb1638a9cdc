/** The entries of "Downstream" that are about a start: what is down, and what is refused. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStage } from "../support/process.ts";
import { post } from "../support/web-client.ts";
import { Broker, brokerTest } from "./broker.ts";
import { type Bench, codeOf, downstream, downstreamOfBroker, until } from "./downstream.ts";
import { processFault, runtime } from "./stage.ts";

const storing = `
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
`;

downstream(
  "database down at start → retried with backoff, /health/ready says which, flows that need it answer flow_failed, and it starts by itself later",
  async (bench) => {
    const other = new DatabaseSync(bench.file);
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE mine (a)");
    await bench.serve(await bench.database("CREATE TABLE notes (text TEXT);") + storing);
    const client = await bench.open();
    try {
      assert.deepEqual(await bench.ready(), { status: 503, troubles: ["db"] });
      const note = { text: "early" };
      const answer = await client.request({ type: "store", data: note });
      assert.equal(codeOf(answer), "flow_failed");
      const response = await post(bench.url("/notes"), note);
      const { error } = await response.json();
      assert.deepEqual([response.status, error.code], [500, "flow_failed"]);
      await until("three tries", async () => (await delays(bench)).length >= 3);
      assert.deepEqual((await delays(bench)).slice(0, 3), [250, 500, 1000]);
    } finally {
      other.exec("ROLLBACK");
      other.close();
    }
    await bench.recovered();
    assert.equal(
      codeOf(await client.request({ type: "store", data: { text: "late" } })),
      undefined,
    );
    assert.equal((await post(bench.url("/notes"), { text: "later" })).status, 201);
    const look = new DatabaseSync(bench.file);
    const rows = look.prepare("SELECT text FROM notes").all().map(({ text }) => text);
    look.close();
    assert.deepEqual(rows, ["late", "later"]);
  },
);

/** The pauses between tries, as the log tells them. */
async function delays(bench: Bench): Promise<readonly number[]> {
  return (await bench.server.log()).flatMap(({ text }) => {
    const found = /trying again in (\d+) ms: connector "db": .* is locked/.exec(text);
    return found === null ? [] : [Number(found[1])];
  });
}

await downstreamOfBroker(
  "broker down at start → retried with backoff, /health/ready says which, flows that need it answer flow_failed, and it starts by itself later",
  async (bench, broker) => {
    await broker.release();
    await broker.stop();
    bench.onEnd(() => broker.kill());
    // In its place somebody hangs up, so that the tries can be counted.
    const tries: number[] = [];
    const place = createServer((socket) => {
      tries.push(performance.now());
      socket.destroy();
    });
    await new Promise<void>((resolve) => place.listen(broker.port, "127.0.0.1", resolve));
    await bench.serve(
      bench.mq("broker", broker.port, bench.queue) + `
      flow "publish" {
        from {
          connector = "ws"
          operation = "publish"
        }
        to {
          connector = "broker"
          target    = "note"
        }
      }
      flow "consume" {
        from { connector = "broker" }
        to { connector = "probe" }
      }
    `,
    );
    assert.deepEqual(await bench.ready(), { status: 503, troubles: ["broker"] });
    const client = await bench.open();
    const early = await client.request({ type: "publish", data: "early" });
    assert.equal(codeOf(early), "flow_failed");
    await until("four tries", () => tries.length >= 4);
    // The pauses grow from half a second to five, at random, so that many do not come at once.
    for (let i = 1; i < tries.length; i++) {
      const gap = tries[i] - tries[i - 1];
      assert.ok(gap > 490, `tried again after ${gap} ms`);
    }
    await new Promise((resolve) => place.close(resolve));
    await broker.start();
    await bench.recovered();
    assert.equal(codeOf(await client.request({ type: "publish", data: "late" })), undefined);
    await bench.probe.received(1);
    assert.deepEqual(await bench.probe.payloads(), ["late"]);
    const told = await bench.logged(/^the broker .* is away/);
    assert.equal(told.length, 1, JSON.stringify(told));
  },
);

processFault("a refused migration ends the start with exit 3, named", async (stage) => {
  const folder = await stage.copy("refused");
  const exit = await stage.weir(["run", folder]);
  assert.deepEqual([exit.code, exit.stdout], [3, ""]);
  assert.match(
    exit.stderr,
    /^error\[migration-failed\]: connector "db": migration "002_author\.sql" was refused: /m,
  );
});

await brokerTest(
  `${runtime} serve: wrong credentials at start end it with exit 3, named`,
  async () => {
    const broker = await Broker.make();
    const stage = await openStage(runtime);
    try {
      await broker.start();
      await mkdir(join(stage.folder, "config"));
      await writeFile(
        join(stage.folder, "config/weir.hcl"),
        `connector "broker" {
           type     = "mq"
           driver   = "rabbitmq"
           host     = "127.0.0.1"
           port     = ${broker.port}
           username = "guest"
           password = "wrong-secret"
         }
         connector "ws" {
           type = "websocket"
           port = 0
         }`,
      );
      const exit = await stage.weir(["run", "config"]);
      assert.equal(exit.code, 3, exit.stderr);
      assert.match(
        exit.stderr,
        /^error\[connector-failed\]: connector "broker": cannot start: ACCESS_REFUSED/m,
      );
      assert.doesNotMatch(exit.stdout + exit.stderr, /wrong-secret/);
    } finally {
      await stage.end();
      await broker.end();
    }
  },
);
