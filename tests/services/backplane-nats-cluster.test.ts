/** What a subscription is worth in a cluster of NATS whose servers are far from each other. */
import assert from "node:assert/strict";
import { withServer } from "../attributes/connector-support.ts";
import { NatsServer } from "../support/nats.ts";
import { keptPort } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { pause, until } from "../support/socket-probe.ts";
import { withInstances } from "./backplane-support.ts";

/** Two servers, and what is between them. */
interface SlowCluster {
  readonly urls: readonly string[];
  readonly proxy: Proxy;
}

async function withSlowCluster(act: (cluster: SlowCluster) => Promise<void>): Promise<void> {
  const port = await keptPort();
  const route = (name: string, listen: number, routes: string) =>
    NatsServer.open({
      settings: [
        `server_name: ${name}`,
        `cluster { name: slow, listen: "127.0.0.1:${listen}", no_advertise: true, ` +
        `routes: [${routes}] }`,
      ],
    });
  const proxy = await Proxy.open(port);
  const servers: NatsServer[] = [];
  try {
    // With JetStream a server of a cluster needs a route. The one to itself it leaves out.
    servers.push(await route("s1", port, `"nats://127.0.0.1:${port}"`));
    servers.push(await route("s2", await keptPort(), `"nats://127.0.0.1:${proxy.port}"`));
    await act({ urls: servers.map(({ url }) => url), proxy });
  } finally {
    for (const server of servers) await server.end();
    proxy.close();
  }
}

await serviceTest(
  "nats-server",
  "NATS: behind a slow route a flush says nothing, and the answer to a probe does",
  () =>
    withSlowCluster(async ({ urls, proxy }) => {
      await withInstances(async (instances) => {
        const [near, far] = [
          await instances.join({ driver: "nats", url: [urls[0]] }),
          await instances.join({ driver: "nats", url: [urls[1]] }),
        ];
        assert.equal(near.backplane.capabilities.live, "probe");
        await near.backplane.subscribe(["probes"]);
        // The servers know each other once this passes.
        while (near.texts("probes").length === 0) {
          await far.publish("probes", "first");
          await pause(50);
        }
        proxy.delay = 200;
        await far.backplane.subscribe(["early"]);
        await near.publish("early", "lost");
        for (let i = 0; i < 5; i++) {
          await far.backplane.subscribe([`room ${i}`]);
          await far.publish("probes", `probe ${i}`);
          await near.hears("probes", `probe ${i}`);
          await near.publish(`room ${i}`, "heard");
          await far.hears(`room ${i}`, "heard");
        }
        assert.deepEqual(far.texts("early"), []);
      });
    }),
);

await serviceTest(
  "nats-server",
  "NATS: behind a slow route nothing is missed that is sent after a join or to a user that is there",
  () =>
    withSlowCluster(async ({ urls, proxy }) => {
      const name = `weir-test-${crypto.randomUUID()}`;
      const config = `
        service {
          name = "${name}"
        }
        connector "bus" {
          type   = "mq"
          driver = "nats"
          url    = [env("URL")]
        }
        connector "ws" {
          type      = "websocket"
          port      = 0
          backplane = "bus"
        }
      `;
      await withServer(config, (near) =>
        withServer(config, async (far) => {
          await until("the other instance", () => near.runtime.counts().ws.instances === 2);
          proxy.delay = 200;
          await Promise.all(Array.from({ length: 20 }, async (_, number) => {
            const client = await far.connect(`/ws?user_id=user-${number}`);
            const room = `room-${number}`;
            const joined = await client.ask({ type: "join_room", room, id: 1 });
            assert.deepEqual(joined, { type: "ack", id: 1 });
            await near.runtime.sendToRoom(room, "to the room");
            assert.deepEqual(await client.hear(), { type: "message", data: "to the room", room });
            await near.runtime.sendToUser(`user-${number}`, "to the user");
            assert.deepEqual(await client.hear(), { type: "message", data: "to the user" });
          }));
          proxy.delay = 0;
        }, { URL: urls[1] }), { URL: urls[0] });
    }),
);
