/**
 * A room of the client library whose history is in Redis, through all that networks and servers do: a
 * server that is drained or killed loses nothing of it either.
 */
import assert from "node:assert/strict";
import { newInstanceId } from "../../src/cluster/mod.ts";
import type { Room } from "../../src/client/mod.ts";
import { runtime } from "../faults/stage.ts";
import { ClientStage } from "../support/client-stage.ts";
import { disturb, everything } from "../support/disturbances.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import { brokers } from "./backplane-brokers.ts";

const MESSAGES = 900;
/** So that what hangs is named before the limit of the process ends all. */
const PATIENCE = 60_000;

const files = (service: string) => (port: number) => ({
  "weir.hcl": `service {
      name = "${service}"
    }
    connector "bus" {
      type   = "mq"
      driver = "redis"
      host   = "127.0.0.1"
    }
    connector "ws" {
      type      = "websocket"
      host      = "127.0.0.1"
      port      = ${port}
      backplane = "bus"
      room "*" {
        history {
          size = 10000
        }
        presence {
          leave_grace = "1s"
        }
      }
    }
    flow "say" {
      from {
        connector = "ws"
        operation = "say"
      }
      to {
        connector  = "ws"
        operation  = "send_to_room"
        target     = "'a'"
        message_id = "input.message_id"
        transform {
          n = "input.n"
        }
      }
    }`,
});

/** Who is in a room, and with how many connections. */
function people(room: Room): string {
  return room.members.map(({ user_id, connections }) => `${user_id} ${connections}`).sort().join();
}

await serviceTest(
  "redis",
  `${runtime} serve: ${MESSAGES} messages of a room over Redis, through a network that fails and a server drained and killed → each shown once and in order, no resync, the members true`,
  async () => {
    const service = `weir-test-${newInstanceId()}`;
    try {
      await ClientStage.run(runtime, files(service), async (stage) => {
        const reader = stage.connect({ speed: 10, query: "user_id=ann" });
        const room = await reader.join("a", { presence: true, timeout: PATIENCE });
        const events: unknown[] = [];
        room.on("resync", () => events.push("resync"));
        room.on("error", ({ code }) => events.push(code));
        const loop = (async () => {
          for await (const message of room) events.push((message as { readonly n: number }).n);
        })();
        const writer = stage.connect({ direct: true, query: "user_id=bob" });
        const other = await writer.join("a", { presence: true, timeout: PATIENCE });
        let said = 0;
        const say = (n: number) => {
          said++;
          return writer.request("say", { n }, { retry: true, timeout: PATIENCE });
        };
        const world = stage.world(reader, () => events.length < said);
        const work = { numbers: MESSAGES, rounds: 2 };
        await disturb(everything, world, work, (numbers) => numbers.map(say));
        await until("all messages", () => events.length >= MESSAGES, undefined, PATIENCE);
        assert.deepEqual(events, Array.from({ length: MESSAGES }, (_, n) => n));
        for (const one of [room, other]) {
          await until(
            "the members",
            () => people(one) === "ann 1,bob 1",
            undefined,
            PATIENCE,
          ).catch((error) => assert.fail(`${error}: ${people(one)}`));
          assert.equal(one.count, 2);
        }
        await room.leave();
        await loop;
        assert.equal(events.length, MESSAGES);
      });
    } finally {
      await brokers.redis.clean(service);
    }
  },
);
