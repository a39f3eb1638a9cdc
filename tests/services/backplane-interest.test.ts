/** What is sent to a room reaches the instances that have a member in it, and no other. */
import assert from "node:assert/strict";
import { withServer } from "../attributes/connector-support.ts";
import { type Service, serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";

const brokers: readonly Service[] = ["redis", "nats", "rabbitmq"];

for (const driver of brokers) {
  await serviceTest(
    driver,
    `${driver}: rooms without a member here cost this instance nothing`,
    async () => {
      const config = `
      service {
        name = "weir-test-${crypto.randomUUID()}"
      }
      connector "bus" {
        type   = "mq"
        driver = "${driver}"
        host   = "127.0.0.1"
      }
      connector "ws" {
        type      = "websocket"
        port      = 0
        backplane = "bus"
      }
    `;
      await withServer(config, (one) =>
        withServer(config, async (two) => {
          const [here, there] = [await one.connect(), await two.connect()];
          await here.ask({ type: "join_room", room: "here", id: 1 });
          await there.ask({ type: "join_room", room: "there", id: 1 });
          const received = () => two.runtime.counts().ws.backplane_received;
          const before = received();
          for (let number = 0; number < 50; number++) {
            await one.runtime.sendToRoom("here", number);
          }
          assert.equal((await here.hearMany(50)).length, 50);
          assert.equal(received(), before);
          assert.equal(await one.runtime.sendToRoom("there", "now"), 1);
          assert.equal((await there.hear()).data, "now");
          await until("the counter", () => received() === before + 1);
          // It leaves, and a second later nothing comes any more.
          await there.ask({ type: "leave_room", room: "there", id: 2 });
          await until("the end of the subscription", async () => {
            const known = received();
            await one.runtime.sendToRoom("there", "nobody");
            return received() === known;
          }, 200);
        }));
    },
  );
}
