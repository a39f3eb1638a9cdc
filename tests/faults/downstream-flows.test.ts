/** The entries of "Downstream" about what dies, hangs or fails while flows are at work. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { post } from "../support/web-client.ts";
import { codeOf, downstream, downstreamOfBroker, pause, until } from "./downstream.ts";
import { messagingDelays } from "./messaging/outages.ts";
import { classic } from "./messaging/rabbitmq.ts";
import { pingTimes } from "./pings.ts";

/** A flow from the broker that is at work until the probe lets it go. */
const consuming = `
  flow "consume" {
    from { connector = "broker" }
    to { connector = "probe" }
  }
`;

const publishing = `
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
`;

await downstreamOfBroker(
  "broker killed in mid-flow → client gets an error, broker message is not acked",
  async (bench, broker) => {
    const prefetch = "consumer {\n prefetch = 1\n }";
    const mq = bench.mq("broker", broker.port, bench.queue + prefetch);
    await bench.serve(mq + consuming + publishing);
    await bench.probe.hold();
    await broker.publish({ routingKey: bench.id }, "at work");
    await bench.probe.received(1);
    const client = await bench.open();
    await broker.freeze();
    const asked = client.request({ type: "publish", data: "unconfirmed" });
    await pause(200);
    await broker.kill();
    assert.equal(codeOf(await asked), "flow_failed");
    assert.deepEqual(await bench.ready(), { status: 503, troubles: ["broker"] });
    // Its ack has nowhere to go.
    await bench.probe.releaseAll();
    await until(
      "the lost ack",
      async () => (await bench.logged(/may be redelivered/, "warning")).length > 0,
    );
    await broker.start();
    await bench.recovered();
    await until(
      "the second delivery",
      async () =>
        (await bench.probe.payloads()).filter((payload) => payload === "at work").length === 2,
    );
    assert.equal(codeOf(await client.request({ type: "publish", data: "after" })), undefined);
    await until("the next one", async () => (await bench.probe.payloads()).includes("after"));
    await until("an empty queue", async () => await broker.count(bench.id) === 0);
  },
);

await downstreamOfBroker(
  "database gone in mid-flow → client gets an error, broker message is not acked",
  async (bench, broker) => {
    const dlq = `
      consumer {
        dlq {
          max_retries = 1000
          retry_delay = "100ms"
        }
      }
    `;
    const config = await bench.database("CREATE TABLE notes (text TEXT);");
    await bench.serve(config + bench.mq("broker", broker.port, bench.queue + dlq) + storing);
    const other = new DatabaseSync(bench.file);
    const client = await bench.open();
    // SQLite has no server that dies: what holds its lock and never lets go is as gone.
    other.exec("BEGIN IMMEDIATE");
    try {
      const asked = client.request({ type: "store", data: { text: "asked" } });
      await broker.publish({ exchange: bench.id, routingKey: "note" }, { text: "sent" });
      assert.equal(codeOf(await asked), "flow_failed");
      await until("a retry", async () => (await bench.counts("broker")).retried > 0);
      assert.equal((await bench.counts("broker")).acked, 0);
    } finally {
      other.exec("ROLLBACK");
    }
    await until("the ack", async () => (await bench.counts("broker")).acked === 1, 20_000);
    assert.deepEqual(texts(other), ["sent"]);
    other.close();
    assert.deepEqual(await waiting(bench.id, broker), { queue: 0, retry: 0, dlq: 0 });
  },
);

/** What a client, a REST caller and the broker bring goes into the table. */
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
  flow "keep" {
    from { connector = "broker" }
    to {
      connector = "db"
      target    = "notes"
    }
  }
`;

downstream("slow database → flow times out, pings stay exact", async (bench) => {
  const flow = (name: string, connector: string, operation: string) => `
    flow "${name}" {
      timeout = "1s"
      from {
        connector = "${connector}"
        operation = "${operation}"
      }
      to {
        connector = "db"
        target    = "notes"
      }
    }
  `;
  await bench.serve(
    await bench.database("CREATE TABLE notes (text TEXT);") + flow("store", "ws", "store") +
      flow("store over HTTP", "api", "POST /notes"),
  );
  const other = new DatabaseSync(bench.file);
  other.exec("BEGIN IMMEDIATE");
  const client = await bench.open();
  const began = performance.now();
  const storing = client.request({ type: "store", data: { text: "slow" } });
  const posting = post(bench.url("/notes"), { text: "slow" });
  const pings = await pingTimes(bench.port, 5);
  assert.equal(codeOf(await storing), "timeout");
  const response = await posting;
  assert.deepEqual([response.status, (await response.json()).error.code], [504, "timeout"]);
  assert.ok(performance.now() - began > 999);
  other.exec("ROLLBACK");
  other.close();
  for (let i = 1; i < pings.length; i++) {
    const gap = pings[i] - pings[i - 1];
    // Far from a second only where the event loop stood still.
    assert.ok(gap > 500 && gap < 1900, `pings at ${pings.map(Math.round)}`);
  }
  assert.equal(codeOf(await client.request({ type: "store", data: { text: "after" } })), undefined);
});

await downstreamOfBroker("slow flow → prefetch stops intake", async (bench, broker) => {
  const prefetch = "consumer {\n prefetch = 3\n }";
  await bench.serve(bench.mq("broker", broker.port, bench.queue + prefetch) + consuming);
  await bench.probe.hold();
  const numbers = Array.from({ length: 20 }, (_, n) => n);
  for (const n of numbers) await broker.publish({ routingKey: bench.id }, n);
  await bench.probe.received(3);
  // What would be taken beyond that would be by now.
  await pause(500);
  assert.deepEqual(await bench.probe.payloads(), [0, 1, 2]);
  assert.equal(await broker.count(bench.id), 17);
  assert.equal((await bench.ready()).status, 200);
  await bench.probe.releaseAll();
  await until("the acks", async () => (await bench.counts("broker")).acked === 20);
  assert.deepEqual(await bench.probe.payloads(), numbers);
  assert.equal(await broker.count(bench.id), 0);
});

await downstreamOfBroker(
  "flow that times out → broker message is not acked but delivered again, then a dead letter",
  async (bench, broker) => {
    const dlq = `
      consumer {
        dlq {
          max_retries = 1
          retry_delay = "100ms"
        }
      }
    `;
    const slow = consuming.replace("from", 'timeout = "500ms"\n from');
    await bench.serve(bench.mq("broker", broker.port, bench.queue + dlq) + slow);
    await bench.probe.hold();
    await broker.publish({ exchange: bench.id, routingKey: "slow" }, "never");
    await until("the dead letter", async () => (await bench.counts("broker")).dead_lettered === 1);
    const { consumed, acked } = await bench.counts("broker");
    assert.deepEqual({ consumed, acked }, { consumed: 2, acked: 0 });
    assert.deepEqual(await waiting(bench.id, broker), { queue: 0, retry: 0, dlq: 1 });
    const letter = await broker.take(`${bench.id}.dlq`);
    assert.match(letter?.headers?.["x-weir-reason"], /timed out/);
  },
);

async function waiting(
  id: string,
  broker: { count(queue: string): Promise<number> },
): Promise<Readonly<Record<string, number>>> {
  return {
    queue: await broker.count(id),
    retry: await broker.count(`${id}.retry`),
    dlq: await broker.count(`${id}.dlq`),
  };
}

function texts(database: DatabaseSync): unknown[] {
  return database.prepare("SELECT text FROM notes").all().map(({ text }) => text);
}

await messagingDelays([classic]);
