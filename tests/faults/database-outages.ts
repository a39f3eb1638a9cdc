/** The entries of "Downstream" about a database whose server is away, for either kind. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openStage } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { post } from "../support/web-client.ts";
import { type Kind, type TestServer, USER } from "./database-kinds.ts";
import {
  ask,
  databaseFaults,
  type DatabaseScene,
  notes,
  read,
  storedIn,
  timed,
  Writers,
} from "./databases.ts";
import { parsers } from "./hosts.ts";
import { pause, until } from "./downstream.ts";
import { RemoteServer } from "./server/remote.ts";
import { runtime } from "./stage.ts";

/** How long a frozen server stays frozen, in milliseconds. */
const FROZEN = 20_000;

/** Registers them. */
export async function databaseOutages(kind: Kind): Promise<void> {
  const fault = await databaseFaults(kind);

  await fault(
    "down at start → retried with backoff, /health/ready says which, flows that need it answer flow_failed, and it starts by itself later, migrations too",
    async (scene) => {
      const { bench, server } = scene;
      await server.stop();
      await bench.serve(await notes(scene, { blocks: overHttp }));
      const client = await bench.open();
      assert.deepEqual(await bench.ready(), { status: 503, troubles: ["db"] });
      assert.equal(await ask(client, "store", { id: 1, text: "early" }), "flow_failed");
      assert.equal(await ask(client, "count"), "flow_failed");
      const response = await post(bench.url("/notes"), { id: 2, text: "early" });
      const { error } = await response.json();
      assert.deepEqual([response.status, error.code], [500, "flow_failed"]);
      await until("two more attempts", async () => (await attempts(scene)).length >= 3);
      assert.deepEqual((await attempts(scene)).slice(0, 3), [250, 500, 1000]);
      await server.start();
      await bench.recovered();
      assert.equal(await ask(client, "store", { id: 3, text: "late" }), undefined);
      assert.equal((await post(bench.url("/notes"), { id: 4, text: "later" })).status, 201);
      assert.deepEqual(await storedIn(scene), [3, 4]);
    },
  );

  await fault(
    "restarted by the operator while clients write → at most those in flight fail, it goes on by itself, every acked row is there",
    (scene) => interrupted(scene, () => scene.server.restart()),
  );

  await fault(
    "killed (SIGKILL) while clients write, and started again → at most those in flight fail, it goes on by itself, every acked row is there",
    (scene) =>
      interrupted(scene, async () => {
        await scene.server.kill();
        await pause(1_500);
        await scene.server.start();
      }),
  );

  await fault(
    "frozen for 20 s → others are served, /health/ready is 503 within 8 s, flows fail at their timeout and not later, afterwards it goes on",
    frozen,
  );

  await refusals(kind);
}

const overHttp = `
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

/** The delays between attempts to open the database, as the log tells them. */
async function attempts({ bench }: DatabaseScene): Promise<readonly number[]> {
  return (await bench.server.log()).flatMap(({ text }) => {
    const found = /^failed to open the database; trying again in (\d+) ms: /.exec(text);
    return found === null ? [] : [Number(found[1])];
  });
}

async function interrupted(scene: DatabaseScene, interrupt: () => Promise<void>): Promise<void> {
  const { bench } = scene;
  await bench.serve(await notes(scene));
  const writers = await Writers.start(bench);
  await until("notes are written", () => writers.acked.length >= 50);
  await interrupt();
  const before = writers.acked.length;
  await until("notes are written again", () => writers.acked.length >= before + 50);
  await writers.stop();
  await bench.recovered();
  await writers.check(scene);
  // Those that begin meanwhile wait for a connection: after a short outage none has failed.
  const codes = [...writers.refused.values()];
  assert.deepEqual(codes.filter((code) => code !== "flow_failed"), []);
}

async function frozen(scene: DatabaseScene): Promise<void> {
  const { bench, server } = scene;
  await bench.serve(await notes(scene));
  const client = await bench.open();
  assert.equal(await ask(client, "store", { id: 1, text: "before" }), undefined);
  const began = performance.now();
  await server.freeze();
  const asked = async (type: string, limit: number, id = 0): Promise<void> => {
    const { code, ms } = await timed(await bench.open(), type, { id, text: type });
    // One that is asked for once the server is known to be away fails at once.
    assert.ok(code === "timeout" || code === "flow_failed", `${type}: ${code}`);
    assert.ok(ms < limit + 1_000, `"${type}" with a timeout of ${limit} ms took ${ms} ms`);
  };
  const noticed = until("503", async () => (await bench.ready()).status === 503, 8_000);
  const flows = [asked("store", 5_000, 2), asked("both", 5_000, 3), asked("set", 2_000, 1)];
  await Promise.all([noticed, ...flows, asked("sleep", 1_000)]);
  assert.deepEqual(await bench.ready(), { status: 503, troubles: ["db"] });
  const joining = await timed(client, "join_room", { room: "others" });
  assert.ok(joining.ms < 1_000, `an answer that needs no database took ${joining.ms} ms`);
  await pause(FROZEN - 6_000 - (performance.now() - began));
  await Promise.all([asked("store", 5_000, 4), asked("sleep", 1_000)]);
  await pause(FROZEN - (performance.now() - began));
  server.thaw();
  await bench.recovered(10_000);
  assert.equal(await ask(client, "store", { id: 5, text: "after" }), undefined);
  assert.equal(await ask(client, "set", { id: 1, text: "changed" }), undefined);
  assert.equal(await ask(client, "count"), undefined);
  // What was sent to the frozen server may be there as well.
  const stored = await storedIn(scene);
  assert.ok(stored.includes(1) && stored.includes(5), `${stored}`);
}

/** Starts that can never succeed. */
async function refusals(kind: Kind): Promise<void> {
  const withServers = (
    entry: string,
    body: (server: TestServer) => Promise<void>,
  ) =>
    serviceTest(kind.service, `${runtime} serve: ${kind.title} ${entry}`, async () => {
      const server = await kind.open({ tls: true });
      try {
        await body(server);
      } finally {
        await server.end();
      }
    });
  await withServers(
    "wrong password, unknown user, unknown database at start → exit 3, named, without the password",
    async (server) => {
      const stage = await openStage(runtime);
      try {
        const wrong = server.url("there", USER, "wrong-secret");
        await writeFile(join(stage.folder, "weir.hcl"), configuration(kind, wrong));
        const exit = await stage.weir(["run", "weir.hcl"]);
        assert.deepEqual([exit.code, exit.stdout], [3, ""], exit.stderr);
        assert.match(exit.stderr, /^error\[connector-failed\]: connector "db": .*["']weir["']/m);
        assert.doesNotMatch(exit.stdout + exit.stderr, /wrong-secret/);
      } finally {
        await stage.end();
      }
      assert.match(await refusal(kind, server.url("there", "nobody")), /["']nobody["']/);
      assert.match(await refusal(kind, server.url("nowhere", USER)), /["']nowhere["']/);
    },
  );
  await withServers(
    "whose certificate cannot be verified, or that has none: unknown authority, wrong name, no TLS → the start ends, named",
    async (server) => {
      const ca = `ca = ${JSON.stringify(server.certificate?.cert)}`;
      const url = server.url(kind.there, USER);
      const plain = await kind.open({});
      try {
        assert.match(await refusal(kind, url, "tls = true"), /certificate/);
        const name = `tls {\n ${ca}\n server_name = "db.example.com"\n}`;
        assert.match(await refusal(kind, url, name), /db\.example\.com/);
        const tls = `tls {\n ${ca}\n}`;
        assert.match(await refusal(kind, plain.url(kind.there, USER), tls), /TLS/);
        const good = await RemoteServer.start(parsers[0], configuration(kind, url, tls));
        await good.close();
      } finally {
        await plain.end();
      }
    },
  );
}

/** Why a start has failed for good. */
async function refusal(kind: Kind, url: string, attributes = ""): Promise<string> {
  const { error } = await RemoteServer.fail(parsers[0], configuration(kind, url, attributes));
  assert.equal(error.name, "ConnectorError", error.message);
  assert.match(error.message, /^connector "db": /);
  return error.message;
}

function configuration({ driver }: Kind, url: string, attributes = ""): string {
  return `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    connector "db" {
      type   = "database"
      driver = "${driver}"
      url    = ${JSON.stringify(url)}
      ${attributes}
    }
    ${read("count", "SELECT 1 AS n")}
  `;
}
