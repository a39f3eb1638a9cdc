/** One trace over several instances of a service, and over the workers of one. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Collector } from "../support/collector.ts";
import { backplaneKinds, busOf, InstancesOfService, Member } from "../support/instances.ts";
import { runtimes, stageTest } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";

const redis = backplaneKinds.find(({ driver }) => driver === "redis")!;

const flows = (attributes: string): string => `
  connector "ws" {
    type = "websocket"
    host = "127.0.0.1"
    port = 0
    ${attributes}
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "lobby"
    }
  }
`;

/** A trace of its own for each test. */
const traceOf = (digit: number): { readonly id: string; readonly traceparent: string } => {
  const id = String(digit).repeat(32);
  return { id, traceparent: `00-${id}-b7ad6b7169203331-01` };
};

await serviceTest(
  "redis-server",
  "what a flow sends over Redis is delivered within its trace, from and to each runtime",
  async () => {
    const broker = await redis.open();
    const collector = await Collector.open();
    const service = 'service {\n name = "traced"\n}\n';
    const config = service + busOf(redis) + flows('backplane = "bus"');
    try {
      await InstancesOfService.with(broker, config, async (service) => {
        const instances = await Promise.all(
          runtimes.map((runtime) => service.start(runtime, { env: collector.env(runtime) })),
        );
        const members = await Promise.all(
          instances.map((instance) => service.connect(instance, { rooms: ["lobby"] })),
        );
        for (const [index, member] of members.entries()) {
          const { id, traceparent } = traceOf(index + 1);
          await member.say({ type: "say", traceparent, data: index });
          await until("the message", () => members.every(({ data }) => data.includes(index)));
          assert.deepEqual(await collector.tree(id, 4), [
            "deliver ws < send_to_room ws",
            "deliver ws < send_to_room ws",
            "say ws",
            "send_to_room ws < say ws",
          ], runtimes[index]);
        }
      });
    } finally {
      collector.close();
      await broker.end();
    }
  },
);

stageTest("what a worker sends to the others is delivered within its trace", async (stage) => {
  const collector = await Collector.open();
  try {
    await writeFile(join(stage.folder, "service.hcl"), flows(""));
    const env = collector.env(stage.runtime);
    const weir = await stage.run(["service.hcl", "--workers", "2"], { env });
    const member = await Member.connect({ weir, host: "127.0.0.1" }, new URLSearchParams());
    await member.join("lobby");
    const { id, traceparent } = traceOf(1);
    // Which worker has a client is chance, so clients come until one of them has the other worker.
    const others: Member[] = [];
    for (let n = 0; collector.trace(id).every(({ name }) => name !== "deliver ws"); n++) {
      assert.ok(n < 40, "all clients have one worker");
      const other = await Member.connect({ weir, host: "127.0.0.1" }, new URLSearchParams());
      others.push(other);
      await other.say({ type: "say", traceparent, data: n });
      await until("the message", () => member.data.includes(n));
      await collector.tree(id, 2 * others.length);
    }
    const delivered = collector.trace(id).filter(({ name }) => name === "deliver ws");
    const sent = collector.trace(id).filter(({ name }) => name === "send_to_room ws");
    for (const { parent } of delivered) assert.ok(sent.some((span) => span.id === parent));
    for (const one of [member, ...others]) one.leave();
    stage.assertSound();
  } finally {
    collector.close();
  }
});
