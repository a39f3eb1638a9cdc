/** `weir run --watch` of an instance with a backplane: the other instances see it leave and come back. */
import assert from "node:assert/strict";
import { adminPortOf } from "../support/admin.ts";
import { PASSWORD, withServer } from "../support/own-server.ts";
import { openStage, runtimes, type Stage, type Weir } from "../support/process.ts";
import { rawRequest } from "../support/raw-http.ts";
import { RedisServer } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import { openClient, withoutWaits } from "../support/talk.ts";
import { complains, startedAgain, startWatching, write } from "../support/watching.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

/** An instance; what its clients say begins with a mark. */
function instance(port: number, mark: string, password = PASSWORD): string {
  return `
service {
  name       = "weir"
  admin_port = 0
}
connector "bus" {
  type     = "mq"
  driver   = "redis"
  host     = "127.0.0.1"
  port     = ${port}
  username = "default"
  password = "${password}"
}
connector "ws" {
  type      = "websocket"
  port      = 0
  backplane = "bus"
}
flow "say" {
  from {
    connector = "ws"
    operation = "say"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'all'"
    transform { text = "'${mark} ' + input.text" }
  }
}
`;
}

for (const runtime of runtimes) {
  await serviceTest(
    "redis-server",
    `watch: an instance with a backplane starts again, on ${runtime}`,
    () =>
      withServer(RedisServer.open({ password: PASSWORD }), async ({ port }) => {
        const stages = [await openStage(runtime), await openStage(runtime)];
        try {
          await restarts(stages[0], stages[1], port);
        } finally {
          for (const stage of stages) await stage.end();
        }
      }),
  );
}

async function restarts(here: Stage, there: Stage, port: number): Promise<void> {
  const other = await startWatching(there, { "a.hcl": instance(port, "other") });
  const weir = await startWatching(here, { "a.hcl": instance(port, "one") });
  const ada = await openClient(other, { rooms: ["all"] });
  const talks = async (mark: string): Promise<void> => {
    await until("both know each other", async () => await instancesOf(other) === 2);
    const bob = await openClient(weir, { rooms: ["all"] });
    for (const [client, text] of [[bob, `${mark} hello`], [ada, "other hello"]] as const) {
      client.say({ type: "say", data: { text: "hello" } });
      const heard = { type: "message", room: "all", data: { text } };
      for (const member of [ada, bob]) assert.deepEqual(await member.hear(), heard);
    }
    bob.destroy();
  };
  await talks("one");

  const bob = await openClient(weir, { rooms: ["all"] });
  await write(here, { "a.hcl": instance(port, "two") });
  assert.deepEqual(await bob.ending(), goodbye);
  await startedAgain(weir, 1);
  await talks("two");

  // What the broker refuses disturbs nobody.
  await write(here, { "a.hcl": instance(port, "three", "wrong") });
  await complains(weir, /^error\[connector-failed\]: connector "bus": .*WRONGPASS/m);
  await complains(weir, /^the previous configuration keeps running; waiting/m);
  await talks("two");
  await write(here, { "a.hcl": instance(port, "four") });
  await startedAgain(weir, 2);
  await talks("four");

  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
  await until("the other one is alone", async () => await instancesOf(other) === 1);
  ada.destroy();
  other.signal("SIGTERM");
  const { code, stderr } = await other.ended();
  // It has missed nothing, and nobody had to be taken for dead.
  assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
}

/** How many instances one knows. */
async function instancesOf(weir: Weir): Promise<number> {
  const { body: text } = await rawRequest(await adminPortOf(weir), { path: "/metrics" });
  return Number(/^weir_websocket_backplane_instances\{connector="ws"\} (\d+)$/m.exec(text)?.[1]);
}
