/** Presence over each broker of this machine. */
import { newInstanceId } from "../../src/cluster/mod.ts";
import { playPresence, PRESENCE_BLOCKS, PRESENCE_ROOM } from "../support/presence-play.ts";
import { serviceTest } from "../support/services.ts";
import { type ServingRuntime, startRuntime } from "../support/worker-runtimes.ts";
import { brokers } from "./backplane-brokers.ts";

for (const driver of ["redis", "nats", "rabbitmq"] as const) {
  await serviceTest(driver, `presence is that of all instances over ${driver}`, async () => {
    const service = `weir-test-${newInstanceId()}`;
    const config = `
      service {
        name = "${service}"
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
        ${PRESENCE_ROOM}
      }
      ${PRESENCE_BLOCKS}
    `;
    const runtimes: ServingRuntime[] = [];
    try {
      for (let n = 0; n < 3; n++) runtimes.push(await startRuntime(config));
      await playPresence(runtimes);
    } finally {
      await Promise.all(runtimes.map(({ runtime }) => runtime.close()));
      await brokers[driver].clean(service);
    }
  });
}
