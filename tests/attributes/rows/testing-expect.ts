/** What the attributes of `expect` change in what `weir test` says of a test. */
import type { Row } from "../row.ts";
import {
  ALICE,
  CLIENTS,
  expect,
  given,
  MESSAGES,
  missed,
  ORDER,
  ORDERS,
  PRICE,
  verdict,
  WHO,
} from "../testing-support.ts";

const SAY = given("alice", 'data = { text = "hello" }');
const HELLO = { type: "message", data: { text: "hello" } };
const INSERT = { operation: "insert", target: "orders", data: { id: 7 } };
const ANSWER = {
  status: 200,
  data: { id: 7, price: 5, kept: 5, tag: null },
  headers: { "content-type": "application/json" },
};
const MEMBER = 'client "alice" {\nrooms = ["orders"]\n}';

/** A room with history that alice joins for the second time. */
const HISTORY = `
connector "kept" {
  type = "websocket"
  port = 3009
  path = "/kept"
  room "a" {
    history {
    }
  }
}
flow "kept" {
  from {
    connector = "kept"
    operation = "join_room"
  }
}
`;
const KEEPER = 'client "keeper" {\nconnector = "kept"\n}';
const JOIN = 'operation = "join_room"\nroom = "a"\nid = 1\nhistory = true';
const RESUMED = [KEEPER, given("keeper", JOIN), expect("keeper", "id = 1"), given("keeper", JOIN)];
const RECOVERED = missed("keeper", { type: "ack", id: 1, offset: 0, recovered: true });

/** The rows of `expect`. What has come is another thing than the attribute asks for. */
export const expectRows: readonly Row[] = [
  {
    attribute: "test/expect/type",
    text: 'type = "ack"',
    observe: (text) =>
      verdict(CLIENTS, [ALICE, SAY, expect("alice", `data = { text = "hello" }\n${text}`)]),
    without: "good",
    with: missed("alice", HELLO),
  },
  {
    attribute: "test/expect/data",
    text: 'data = { text = "bye" }',
    observe: (text) => verdict(CLIENTS, [ALICE, SAY, expect("alice", `type = "message"\n${text}`)]),
    without: "good",
    with: missed("alice", HELLO),
  },
  {
    attribute: "test/expect/room",
    text: 'room = "invoices"',
    observe: (text) =>
      verdict(CLIENTS + MESSAGES, [
        MEMBER,
        given("events", 'operation = "order.new"\ndata = { id = 7 }'),
        expect("alice", `type = "message"\n${text}`),
      ]),
    without: "good",
    with: missed("alice", { type: "message", room: "orders", data: { id: 7, tag: null } }),
  },
  {
    attribute: "test/expect/id",
    text: "id = 2",
    observe: (text) => verdict(CLIENTS, [ALICE, WHO, expect("alice", `type = "ack"\n${text}`)]),
    without: "good",
    with: missed("alice", {
      type: "ack",
      id: 1,
      data: { user: "alice", lang: null, tag: null, said: null, room: null },
    }),
  },
  {
    attribute: "test/expect/offset",
    text: "offset = 7",
    observe: (text) => recoveredOr(HISTORY, [...RESUMED, expect("keeper", `id = 1\n${text}`)]),
    without: "good",
    with: RECOVERED,
  },
  {
    attribute: "test/expect/recovered",
    text: "recovered = false",
    observe: (text) => recoveredOr(HISTORY, [...RESUMED, expect("keeper", `id = 1\n${text}`)]),
    without: "good",
    with: RECOVERED,
  },
  {
    attribute: "test/given/history",
    text: "history = true",
    observe: (text) =>
      recoveredOr(HISTORY, [
        ...[KEEPER, given("keeper", JOIN), expect("keeper", "id = 1")],
        given("keeper", `operation = "join_room"\nroom = "a"\nid = 1\n${text}`),
        expect("keeper", "recovered = true"),
      ]),
    without: missed("keeper", { type: "ack", id: 1 }),
    with: "good",
  },
  {
    attribute: "test/expect/error",
    text: 'error = "rejected"',
    observe: (text) =>
      verdict(CLIENTS, [
        ALICE,
        given("alice", 'text = "{"'),
        expect("alice", `type = "error"\n${text}`),
      ]),
    without: "good",
    with: missed("alice", { type: "error", error: "invalid_json", message: "not valid JSON" }),
  },
  {
    attribute: "test/expect/details",
    text: 'details = [{ path = "name" }]',
    observe(text) {
      const strict = 'type "word" {\ntext = string\n}\n' +
        'flow "strict" {\nfrom {\nconnector = "ws"\noperation = "strict"\n}\n' +
        'validate {\ninput = "word"\n}\n}\n';
      return verdict(CLIENTS + strict, [
        ALICE,
        given("alice", 'operation = "strict"\nid = 1\ndata = { text = 5 }'),
        expect("alice", `error = "validation_failed"\n${text}`),
      ]);
    },
    without: "good",
    with: [
      'flow "strict" failed: validation_failed: flow "strict": the data is not a valid word ' +
      '[{"path":"text","message":"must be a string"}]',
      ...missed("alice", {
        type: "error",
        id: 1,
        error: "validation_failed",
        message: 'flow "strict": the data is not a valid word',
        details: [{ path: "text", message: "must be a string" }],
      }),
    ],
  },
  {
    attribute: "test/expect/status",
    text: "status = 201",
    observe: (text) =>
      verdict(ORDERS, [
        PRICE,
        ORDER,
        expect("api", `data = { id = 7 }\n${text}`),
      ]),
    without: "good",
    with: missed("api", ANSWER),
  },
  {
    attribute: "test/expect/headers",
    text: 'headers = { Content-Type = "text/html" }',
    observe: (text) => verdict(ORDERS, [PRICE, ORDER, expect("api", `status = 200\n${text}`)]),
    without: "good",
    with: missed("api", ANSWER),
  },
  {
    attribute: "test/expect/operation",
    text: 'operation = "remove"',
    observe: (text) =>
      verdict(ORDERS, [PRICE, ORDER, expect("shop", `data = { id = 7 }\n${text}`)]),
    without: "good",
    with: missed("shop", INSERT),
  },
  {
    attribute: "test/expect/target",
    text: 'target = "invoices"',
    observe: (text) =>
      verdict(ORDERS, [PRICE, ORDER, expect("shop", `data = { id = 7 }\n${text}`)]),
    without: "good",
    with: missed("shop", INSERT),
  },
  {
    attribute: "test/expect/step",
    text: 'step = "price"',
    observe: (text) =>
      verdict(ORDERS, [PRICE, ORDER, expect("shop", `target = "prices"\n${text}`)]),
    // Without it a destination is meant.
    without: missed("shop", INSERT),
    with: "good",
  },
  {
    attribute: "test/expect/count",
    text: "count = 2",
    observe: (text) => verdict(CLIENTS, [ALICE, SAY, expect("alice", `type = "message"\n${text}`)]),
    without: "good",
    with: [{ message: 'expect "alice": expected 2 to match, but 1 did', came: [HELLO] }],
  },
  {
    attribute: "test/expect/nothing",
    text: "nothing = true",
    observe: (text) => verdict(CLIENTS, [ALICE, SAY, expect("alice", text)]),
    without: ["empty-block"],
    with: [{ message: 'expect "alice": received something', came: [HELLO] }],
  },
];

/** The verdict, without the epoch, which is another one in each place. */
async function recoveredOr(config: string, blocks: readonly string[]): Promise<unknown> {
  const told = await verdict(config, blocks);
  return JSON.parse(JSON.stringify(told).replace(/\\"epoch\\":\\"[^"]*\\",|"epoch":"[^"]*",/g, ""));
}
