/** The attributes of a `room` block and its steps, and `user` of what flows do to connections. */
import { flows, websocket } from "../../support/socket-contract.ts";
import { until } from "../../support/socket-probe.ts";
import { type Server, withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";

/** What became of each attempt of ann to join the room "a", and what the probe was asked. */
interface Joins {
  readonly answers: readonly unknown[];
  readonly asked: readonly unknown[];
}

/** Joins a room twice, whose block says this; the probe holds these results. */
async function joins(
  block: string,
  results: Readonly<Record<string, unknown>> = {},
  before: (server: Server) => void = () => {},
): Promise<Joins> {
  const config = websocket(`room "a" {\n${block}\n}`) + flows;
  return await withServer(config, async (server) => {
    const { connect, probe } = server;
    for (const [target, result] of Object.entries(results)) probe.results.set(target, result);
    before(server);
    const client = await connect("/ws?user_id=ann");
    const answers = [];
    for (let id = 1; id <= 2; id++) {
      const { type, code } = await client.ask({ type: "join_room", room: "a", id });
      answers.push(code ?? type);
    }
    return { answers, asked: probe.deliveries.map(({ target, payload }) => [target, payload]) };
  });
}

/** A step "s" with this in its block, whose result decides. */
function step(lines: string, connector = 'connector = "probe"'): string {
  return `step "s" {\n${connector}\n${lines}\n}\njoin = "step.s == 'yes'"`;
}

const TARGET = 'target = "room"';
const PAYLOAD = { room: "a", user_id: "ann" };
const [YES, NO, FAILED] = ["ack", "room_forbidden", "flow_failed"];

/** What ann gets when she has missed four messages, whose room's block says this. */
async function missed(block: string, destination = ""): Promise<unknown> {
  const config = websocket(`room "a" {\n${block}\n}`) + `
    flow "join" {
      from {
        connector = "ws"
        operation = "join_room"
      }
    }
    flow "say" {
      from {
        connector = "ws"
        operation = "say"
      }
      to {
        connector = "ws"
        operation = "send_to_room"
        target    = "a"
        ${destination}
      }
      response {
        done = "true"
      }
    }
  `;
  return await withServer(config, async ({ connect }) => {
    const [ann, bob] = [await connect(), await connect()];
    const join = { type: "join_room", room: "a", id: 1 };
    const { epoch, offset } = await ann.ask({ ...join, history: true });
    if (epoch === undefined) return "no history";
    ann.destroy();
    for (const n of [1, 2, 3, 3]) await bob.ask({ type: "say", data: n, id: n });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const back = await connect();
    const { recovered } = await back.ask({ ...join, history: { epoch, offset } });
    return recovered === true ? (await back.hearMany(3)).map(({ data }) => data) : "gone";
  });
}

/** Each of them, with a scenario that it changes. */
export const roomRows: readonly Row[] = [
  {
    attribute: "connector websocket/room/history/size",
    text: "size = 3",
    observe: (text) => missed(`history {\n${text}\n}`),
    without: [1, 2, 3],
    with: "gone",
  },
  {
    attribute: "connector websocket/room/history/ttl",
    text: 'ttl = "1s"',
    observe: (text) => missed(`history {\n${text}\n}`),
    without: [1, 2, 3],
    with: "gone",
  },
  {
    attribute: "to websocket/message_id",
    text: 'message_id = "string(input.data)"',
    observe: (text) => missed("history {\nsize = 3\n}", text),
    without: "gone",
    with: [1, 2, 3],
  },
  {
    attribute: "to websocket/history",
    text: "history = true",
    observe: async (text) => {
      const config = websocket('room "a" {\nhistory {\n}\n}') + `
        flow "joins" {
          from {
            connector = "ws"
            operation = "message"
          }
          to {
            connector = "ws"
            operation = "join_room"
            target    = "a"
            ${text}
          }
          to {
            connector = "ws"
            operation = "send_to_room"
            target    = "a"
          }
        }
      `;
      return await withServer(config, async ({ connect }) => {
        const client = await connect();
        client.say({ type: "message", data: 1 });
        return Object.keys(await client.hear());
      });
    },
    without: ["type", "data", "room"],
    with: ["type", "data", "room", "offset", "epoch"],
  },
  {
    attribute: "connector websocket/room/join",
    text: `join = "client.user_id == 'bob'"`,
    observe: (text) => joins(text),
    without: { answers: [YES, YES], asked: [] },
    with: { answers: [NO, NO], asked: [] },
  },
  {
    attribute: "connector websocket/room/step/connector",
    text: 'connector = "probe"',
    observe: (text) => joins(step(TARGET, text), { a: "yes" }),
    without: ["missing-attribute"],
    with: { answers: [YES, YES], asked: [["a", PAYLOAD], ["a", PAYLOAD]] },
  },
  {
    // The member is told so before it is let in.
    attribute: "connector websocket/room/step/operation",
    text: 'operation = "send_to_user"',
    observe: async (text) => {
      const config = websocket(`
        room "a" {
          step "s" {
            connector = "ws"
            target    = "client.user_id"
            ${text}
          }
          join = "step.s.recipients == 1"
        }
      `);
      return await withServer(config, async ({ connect }) => {
        const client = await connect("/ws?user_id=ann");
        return await client.ask({ type: "join_room", room: "a", id: 1 });
      });
    },
    without: ["missing-operation"],
    with: { type: "message", data: PAYLOAD },
  },
  {
    attribute: "connector websocket/room/step/target",
    text: "target = \"'member of ' + room\"",
    observe: (text) => joins(step(text), { "member of a": "yes" }),
    without: { answers: [NO, NO], asked: [[undefined, PAYLOAD], [undefined, PAYLOAD]] },
    with: { answers: [YES, YES], asked: [["member of a", PAYLOAD], ["member of a", PAYLOAD]] },
  },
  {
    attribute: "connector websocket/room/step/when",
    text: `when = "client.user_id == 'bob'"`,
    observe: (text) => joins(step(`${TARGET}\n${text}`), { a: "yes" }),
    without: { answers: [YES, YES], asked: [["a", PAYLOAD], ["a", PAYLOAD]] },
    with: { answers: [NO, NO], asked: [] },
  },
  {
    attribute: "connector websocket/room/step/params",
    text: 'params = { who = "client.user_id" }',
    observe: async (text) => (await joins(step(`${TARGET}\n${text}`))).asked[0],
    without: ["a", PAYLOAD],
    with: ["a", { who: "ann" }],
  },
  {
    // Without it the answer is awaited, which comes after half a second.
    attribute: "connector websocket/room/step/timeout",
    text: 'timeout = "100ms"',
    observe: (text) =>
      joins(step(`${TARGET}\n${text}`), {}, ({ probe }) => {
        probe.results.set("a", "yes");
        probe.holds = true;
        void until("a question", () => probe.deliveries.length >= 1).then(() =>
          setTimeout(() => probe.releaseAll(), 500)
        );
      }).then(({ answers }) => answers[0]),
    without: YES,
    with: FAILED,
  },
  {
    attribute: "connector websocket/room/step/on_error",
    text: 'on_error = "skip"',
    observe: async (text) => (await joins(step(`target = "fail"\n${text}`))).answers,
    without: [FAILED, FAILED],
    with: [NO, NO],
  },
  {
    attribute: "connector websocket/room/step/default",
    text: 'default = "yes"',
    observe: async (text) => (await joins(step(`${TARGET}\n${text}`))).answers,
    without: [NO, NO],
    with: [YES, YES],
  },
  {
    attribute: "connector websocket/room/step/cache",
    text: 'cache = "1h"',
    observe: (text) => joins(step(`${TARGET}\n${text}`), { a: "yes" }),
    without: { answers: [YES, YES], asked: [["a", PAYLOAD], ["a", PAYLOAD]] },
    with: { answers: [YES, YES], asked: [["a", PAYLOAD]] },
  },
  {
    // Who is in the room that ann's frame made somebody join.
    attribute: "to websocket/user",
    text: 'user = "input.who"',
    observe: async (text) => {
      const config = `${websocket()}${flows}
        flow "invite" {
          from {
            connector = "ws"
            operation = "invite"
          }
          to {
            connector = "ws"
            operation = "join_room"
            target    = "a"
            ${text}
          }
        }
      `;
      return await withServer(config, async ({ connect, runtime }) => {
        const [ann, bob] = [await connect("/ws?user_id=ann"), await connect("/ws?user_id=bob")];
        await ann.ask({ type: "invite", data: { who: "bob" }, id: 1 });
        await runtime.sendToRoom("a", "hello");
        return await Promise.race([
          ann.hear().then(({ data }) => `ann: ${data}`),
          bob.hear().then(({ data }) => `bob: ${data}`),
        ]);
      });
    },
    without: "ann: hello",
    with: "bob: hello",
  },
];
