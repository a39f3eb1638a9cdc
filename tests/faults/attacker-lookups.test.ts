/** The entries of "Attacker" about answers that were meant for another user. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { processFault } from "./stage.ts";

/** Users at the desk may join rooms. The look-up names the user in an option of the connector. */
const service = `
  connector "desk" {
    type = "websocket"
    port = 3001
    path = "/desk"
  }
  connector "ws" {
    type = "websocket"
    port = 3001
    path = "/ws"
    room "*" {
      step "seats" {
        connector = "desk"
        operation = "leave_room"
        target    = "nowhere"
        user      = "client.user_id"
        params    = {}
        cache     = "1h"
      }
      join = "step.seats.recipients > 0"
    }
  }
`;

processFault(
  "a cached look-up that names the user in an option of the connector → no user gets another one's answer",
  async (stage) => {
    await writeFile(join(stage.folder, "service.hcl"), service);
    const weir = await stage.run([stage.folder, "--port", "ws=0"]);
    const open = async (path: string): Promise<SocketClient> => {
      const client = await SocketClient.connect(weir.port);
      client.write(handshakeText(path));
      await client.upgraded();
      return client;
    };
    await open("/desk?user_id=ana");
    const ana = await open("/ws?user_id=ana");
    const bob = await open("/ws?user_id=bob");
    for (let id = 0; id < 3; id++) {
      const answer = await ana.ask({ type: "join_room", room: "r", id });
      assert.deepEqual(answer, { type: "ack", id }, weir.output);
      assert.equal((await bob.ask({ type: "join_room", room: "r", id })).code, "room_forbidden");
    }
  },
);
