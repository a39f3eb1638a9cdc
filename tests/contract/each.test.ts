/** `each` to WebSocket clients: what waits for a client reaches it when it connects. */
import assert from "node:assert/strict";
import { contract, flows, websocket } from "../support/socket-contract.ts";

const inbox = `${websocket()}${flows}
  flow "welcome" {
    from {
      connector = "ws"
      operation = "connect"
    }
    transform {
      waiting = "[{'n': 1}, {'n': 2}, {'n': 3}]"
    }
    to {
      each      = "payload.waiting"
      connector = "ws"
      operation = "send_to_client"
      target    = "client.id"
    }
    to {
      each      = "payload.waiting"
      connector = "probe"
      target    = "string(item.n)"
    }
    to {
      connector = "ws"
      operation = "send_to_client"
      target    = "client.id"
      transform {
        n = "4"
      }
    }
  }
`;

contract("each: a client that connects gets the list, in its order", inbox, async (t) => {
  const client = await t.connect();
  for (const n of [1, 2, 3, 4]) {
    assert.deepEqual(await client.hear(), { type: "message", data: { n } });
  }
  assert.deepEqual(t.probe.targets, ["1", "2", "3"]);
  const answer = { type: "ack", id: 1, data: { data: "after" } };
  assert.deepEqual(await client.ask({ type: "echo", id: 1, data: "after" }), answer);
});
