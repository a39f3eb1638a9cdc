/** The attributes of a `presence` block, and those by which `weir test` sees presence. */
import { pause } from "../../support/socket-probe.ts";
import { flows, websocket } from "../../support/socket-contract.ts";
import type { Message } from "../../support/socket-client.ts";
import { withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";
import { expect, given, missed, verdict } from "../testing-support.ts";

const TYPE = `
  type "mood" {
    status = string()
  }
`;

/** Joins a room whose block says this; returns what the client hears of itself. */
async function joined(text: string, presence: unknown = true): Promise<unknown> {
  return await withServer(configOf(text), async ({ connect }) => {
    const client = await connect("/ws?user_id=ann");
    client.say({ type: "join_room", room: "a", presence });
    const { type: _, room: __, message: ___, ...rest } = await client.hear();
    return rest;
  });
}

function configOf(text: string): string {
  const presence = text === "presence {\n}" ? text : `presence {\n${text}\n}`;
  return websocket(`room "a" {\n${presence}\n}`) + flows + TYPE;
}

const ANN = { user_id: "ann", connections: 1 };

/** Of the block. */
export const presenceRows: readonly Row[] = [
  {
    attribute: "connector websocket/room/presence/info",
    text: `info = "{'name': client.user_id}"`,
    observe: joined,
    without: { count: 1, members: [ANN] },
    with: { count: 1, members: [{ ...ANN, info: { name: "ann" } }] },
  },
  {
    attribute: "connector websocket/room/presence/max",
    text: "max = 1",
    observe: (text) =>
      withServer(configOf(text), async ({ connect }) => {
        const ann = await connect("/ws?user_id=ann");
        await ann.ask({ type: "join_room", room: "a", id: 1 });
        const bob = await connect("/ws?user_id=bob");
        bob.say({ type: "join_room", room: "a", presence: true });
        return "members" in await bob.hear();
      }),
    without: true,
    with: false,
  },
  {
    attribute: "connector websocket/room/presence/data",
    text: 'data = "mood"',
    observe: (text) => joined(text, { status: "here" }),
    without: { code: "invalid_message" },
    with: { count: 1, members: [{ ...ANN, data: { status: "here" } }] },
  },
  {
    // Without it, the place of whoever is lost is kept for three seconds.
    attribute: "connector websocket/room/presence/leave_grace",
    text: 'leave_grace = "0s"',
    observe: (text) =>
      withServer(configOf(text), async ({ connect }) => {
        const ann = await connect("/ws?user_id=ann");
        await ann.ask({ type: "join_room", room: "a", id: 1, presence: true });
        await ann.hear();
        const bob = await connect("/ws?user_id=bob");
        await bob.ask({ type: "join_room", room: "a", id: 1 });
        await ann.hear();
        bob.destroy();
        const left = ann.hear().then(({ left }: Message) => left);
        return await Promise.race([left, pause(1_500).then(() => "nothing")]);
      }),
    without: "nothing",
    with: [{ user_id: "bob" }],
  },
];

const ROOM = `
connector "ws" {
  type = "websocket"
  port = 0
  room "a" {
    presence {
    }
  }
}
`;
const ANN_WATCHES = 'client "ann" {\nuser_id = "ann"\nrooms = ["a"]\npresence = true\n}';
const BOB = 'client "bob" {\nuser_id = "bob"\n}';
const BOB_JOINS = given("bob", 'operation = "join_room"\nroom = "a"');

/** Of `test` blocks. */
export const presenceTestRows: readonly Row[] = [
  {
    attribute: "test/client/presence",
    text: "presence = true",
    observe: (text) =>
      verdict(ROOM, [
        `client "ann" {\nuser_id = "ann"\nrooms = ["a"]\n${text}\n}`,
        BOB,
        BOB_JOINS,
        expect("ann", 'type = "presence"'),
      ]),
    without: missed("ann"),
    with: "good",
  },
  {
    attribute: "test/given/presence",
    text: "presence = true",
    observe: (text) =>
      verdict(ROOM, [
        BOB,
        given("bob", `operation = "join_room"\nroom = "a"\n${text}`),
        expect("bob", 'type = "presence"'),
      ]),
    without: missed("bob"),
    with: "good",
  },
  {
    attribute: "test/given/code",
    text: "code = 1006",
    observe: (text) =>
      verdict(ROOM, [
        'client "bob" {\nuser_id = "bob"\nrooms = ["a"]\n}',
        ANN_WATCHES,
        given("bob", `operation = "disconnect"\n${text}`),
        expect("ann", "nothing = true"),
      ]),
    without: [{
      message: 'expect "ann": received something',
      came: [{
        type: "presence",
        room: "a",
        presence: { count: 1, joined: [], left: [{ user_id: "bob" }], changed: [] },
      }],
    }],
    with: "good",
  },
  {
    attribute: "test/expect/presence",
    text: "presence = { count = 3 }",
    observe: (text) =>
      verdict(ROOM, [
        ANN_WATCHES,
        BOB,
        BOB_JOINS,
        expect("ann", `type = "presence"\n${text}`),
      ]),
    without: "good",
    with: missed("ann", {
      type: "presence",
      room: "a",
      presence: {
        count: 2,
        joined: [{ user_id: "bob", connections: 1 }],
        left: [],
        changed: [],
      },
    }),
  },
];
