/** What flows do to clients that are on several workers. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../support/process.ts";
import type { Message, SocketClient } from "../support/socket-client.ts";
import { openCrowd } from "../support/team.ts";
import { processFault } from "./stage.ts";

const HIDDEN = `
  connector = "ws"
  operation = "broadcast"
  filter    = "client.user_id != input.hidden"
`;

/** A flow on one operation. */
function on(operation: string, blocks: string): string {
  return `
    flow "${operation}" {
      from {
        connector = "ws"
        operation = "${operation}"
      }
      ${blocks}
    }
  `;
}

const CONFIG = `
  connector "ws" {
    type      = "websocket"
    port      = 0
    max_rooms = 1
  }
  connector "broker" {
    type   = "mq"
    driver = "memory"
  }
  ${on("to", `to {\n ${HIDDEN}\n }`)}
  ${on("step", `step "tell" {\n ${HIDDEN}\n }`)}
  ${on("accept", `accept {\n step "tell" {\n ${HIDDEN}\n }\n when = "true"\n }`)}
  ${
  on(
    "fallback",
    `to {
      connector = "broker"
      target    = "input.nothing"
    }
    error_handling {
      fallback {
        ${HIDDEN}
      }
    }`,
  )
}
  ${
  on(
    "join",
    `to {
      connector = "ws"
      operation = "join_room"
      target    = "input.room"
      user      = "input.user"
    }
    response {
      done = "output"
    }`,
  )
}
  ${
  on(
    "tell",
    `to {
      connector = "ws"
      operation = "send_to_room"
      target    = "input.room"
    }
    response {
      done = "output"
    }`,
  )
}
`;

async function start(stage: Stage) {
  await writeFile(join(stage.folder, "weir.hcl"), CONFIG);
  const weir = await stage.run([stage.folder, "--workers", "2"], { leader: true });
  const { clients, owners } = await openCrowd({ weir }, 16);
  // As `openCrowd` connects them.
  const of = (user: string) =>
    clients.filter((_, index) => user === (index % 2 === 0 ? "anna" : "bob"));
  return { clients, owners, annas: of("anna"), bobs: of("bob") };
}

const say = async (client: SocketClient, type: string, data: unknown): Promise<Message> =>
  await client.ask({ type, id: "say", data });

processFault(
  "a filter in a `to`, a `step`, an `accept` or a `fallback` leaves out clients of other workers → they get nothing, all others do",
  async (stage) => {
    const { clients, annas, bobs } = await start(stage);
    for (const type of ["to", "step", "accept", "fallback"]) {
      annas[0].say({ type, data: { hidden: "bob", how: type } });
      for (const client of annas) {
        const { data } = await client.hear();
        assert.equal((data as { readonly how: string }).how, type);
      }
      // What comes next is the first that they hear.
      annas[0].say({ type: "to", data: { hidden: "anna", how: "after" } });
      for (const client of bobs) {
        assert.deepEqual(await client.hear(), {
          type: "message",
          data: { hidden: "anna", how: "after" },
        });
      }
    }
    for (const client of clients) await client.hearsNothing();
    for (const client of clients) client.destroy();
  },
);

processFault(
  "a flow lets a user join a room, and some of the user's connections are in `max_rooms` rooms → on each worker all of them join or none, and the flow fails",
  async (stage) => {
    const { clients, owners, annas, bobs } = await start(stage);
    const ownerOf = (client: SocketClient) => owners[clients.indexOf(client)];
    const [full] = annas;
    assert.equal((await full.ask({ type: "join_room", room: "own", id: 1 })).type, "ack");
    const elsewhere = annas.filter((client) => ownerOf(client) !== ownerOf(full));
    for (const sender of bobs) {
      const { code } = await say(sender, "join", { room: "all", user: "anna" });
      assert.equal(code, "flow_failed");
    }
    assert.deepEqual((await say(bobs[0], "tell", { room: "all" })).data, {
      done: { recipients: elsewhere.length },
    });
    for (const client of elsewhere) assert.equal((await client.hear()).room, "all");
    assert.equal((await full.ask({ type: "leave_room", room: "own", id: 1 })).type, "ack");
    assert.deepEqual((await say(bobs[0], "join", { room: "all", user: "anna" })).data, {
      done: { recipients: annas.length, refused: 0 },
    });
    for (const client of clients) await client.hearsNothing();
    for (const client of clients) client.destroy();
  },
);
