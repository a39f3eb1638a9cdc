/** The entries of "Downstream" about the answers to clients while something is away. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { processFault } from "./stage.ts";

/** A port of this machine on which no process listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const service = (port: number) => `
  connector "ws" {
    type = "websocket"
    port = 3001
  }
  connector "broker" {
    type   = "mq"
    driver = "rabbitmq"
    host   = "127.0.0.1"
    port   = ${port}
  }
  flow "publish" {
    from {
      connector = "ws"
      operation = "publish"
    }
    to {
      connector = "broker"
      target    = "k"
    }
  }
  flow "compute" {
    from {
      connector = "ws"
      operation = "compute"
    }
    response {
      n = "input.n - 1"
    }
  }
`;

processFault(
  "failures in an outage → `flow_failed`, and not counted as errors of the client; 101 errors of the client → 1008",
  async (stage) => {
    await writeFile(join(stage.folder, "service.hcl"), service(await closedPort()));
    const weir = await stage.run([stage.folder, "--port", "ws=0"]);
    const client = await SocketClient.connect(weir.port);
    client.write(handshakeText("/ws"));
    await client.upgraded();
    for (let id = 0; id < 250; id++) {
      const { type, code } = await client.ask({ type: "publish", data: {}, id });
      assert.deepEqual([type, code], ["error", "flow_failed"]);
    }
    assert.deepEqual(await client.ask({ type: "compute", data: { n: 1 }, id: "a" }), {
      type: "ack",
      id: "a",
      data: { n: 0 },
    });
    for (let id = 0; id < 101; id++) client.say({ type: "compute", data: { n: "x" }, id });
    const { messages, ending: { code, reason } } = await client.finish();
    assert.deepEqual(messages.map((message) => message.code), Array(101).fill("flow_failed"));
    assert.deepEqual([code, reason], [1008, "too many errors"]);
  },
);
