/** What `client`, `given`, `mock` and `advance` change in what `weir test` says of a test. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Row } from "../row.ts";
import { withFolder } from "../support.ts";
import {
  ALICE,
  CLIENTS,
  expect,
  given,
  MESSAGES,
  missed,
  mock,
  ORDER,
  ORDERS,
  PRICE,
  verdict,
  WHO,
} from "../testing-support.ts";

/** The same with clients that need a token. */
const VERIFIED = CLIENTS.replace(
  "port = 0\n",
  `port = 0
  auth {
    jwt {
      secret = "a secret of more than thirty-two bytes"
      user   = "claims.email"
    }
  }
`,
);

/** The same with streams, whose ends are told to everybody. */
const STREAMS = `${CLIENTS.replace("port = 0\n", 'port = 0\n  sse  = "/events"\n')}
flow "gone" {
  from {
    connector = "ws"
    operation = "disconnect"
  }
  transform {
    code = "input.code"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;

/** Clients that ask for the id of their message. */
const MESSAGE_IDS = `${CLIENTS}
flow "tell" {
  from {
    connector = "ws"
    operation = "tell"
  }
  response { told = "input.message_id" }
}
`;

/** A client that asks for its address. */
const ADDRESS = `
flow "where" {
  from {
    connector = "ws"
    operation = "where"
  }
  response { address = "client.remote_addr" }
}
`;

/** Callers that need a token, but for their address. */
const CALLERS = `
connector "calls" {
  type = "rest"
  port = 0
  auth {
    jwt {
      secret = "a secret of more than thirty-two bytes"
    }
  }
}
flow "who calls" {
  from {
    connector = "calls"
    operation = "GET /who"
  }
  response {
    user = "client.user_id"
    role = "client.claims.role"
  }
}
flow "where" {
  from {
    connector = "calls"
    operation = "GET /where"
    public    = true
  }
  response { address = "client.remote_addr" }
}
`;

/** The answer to a caller without a token. */
const UNKNOWN = {
  status: 401,
  data: { error: { code: "unauthorized", message: "a token is required" } },
  headers: { "content-type": "application/json", "www-authenticate": "Bearer" },
  error: "unauthorized",
};

/** Changes of a database, whose migrations are in a folder, that go to a room. */
const changes = (folder: string) => `
connector "db" {
  type   = "database"
  driver = "postgres"
  url    = "postgres://nobody@127.0.0.1:1/nothing"
  migrations = ${JSON.stringify(folder)}
}
flow "changed" {
  from {
    connector = "db"
    operation = "UPDATE orders"
  }
  transform { old = "input.old" }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'orders'"
  }
}
`;

/** The rows of `client` and `given`. */
export const givenRows: readonly Row[] = [
  {
    attribute: "test/client/connector",
    text: 'connector = "ws"',
    observe(text) {
      const other = 'connector "other" {\ntype = "websocket"\nport = 0\npath = "/other"\n}\n';
      return verdict(other + CLIENTS, [
        `client "alice" {\n${text}\n}`,
        WHO,
        expect("alice", "id = 1"),
      ]);
    },
    without: ["missing-attribute"],
    with: "good",
  },
  clientRow("user_id", 'user_id = "alice"', { user: "alice" }),
  clientRow("params", 'params = { lang = "en" }', { lang: "en" }),
  clientRow("headers", 'headers = { X-Tag = "red" }', { tag: "red" }),
  {
    attribute: "test/client/claims",
    text: 'claims = { email = "ann@example.com" }',
    observe: (text) =>
      verdict(VERIFIED, [`client "alice" {\n${text}\n}`, WHO, expect("alice", "id = 1")]),
    without: [
      'client "alice" could not connect: 401 a token is required',
    ],
    with: "good",
  },
  {
    attribute: "test/client/rooms",
    text: 'rooms = ["orders"]',
    observe: (text) =>
      verdict(CLIENTS + MESSAGES, [
        `client "alice" {\n${text}\n}`,
        given("events", 'operation = "order.new"\ndata = { id = 7 }'),
        expect("alice", "data = { id = 7 }"),
      ]),
    without: missed("alice"),
    with: "good",
  },
  {
    attribute: "test/client/remote_addr",
    text: 'remote_addr = "192.0.2.7"',
    observe: (text) =>
      verdict(CLIENTS + ADDRESS, [
        `client "alice" {\n${text}\n}`,
        given("alice", 'operation = "where"\nid = 1'),
        expect("alice", 'data = { address = "192.0.2.7" }'),
      ]),
    without: missed("alice", { type: "ack", id: 1, data: { address: "2001:db8::1" } }),
    with: "good",
  },
  {
    attribute: "test/client/sse",
    text: "sse = true",
    // A stream has no close frame with which its client could say that it leaves.
    observe: (text) =>
      verdict(STREAMS, [
        `client "alice" {\n${text}\n}`,
        'client "bob" {\n}',
        given("alice", 'operation = "disconnect"'),
        expect("bob", "data = { code = 1006 }"),
      ]),
    without: missed("bob", { type: "message", data: { code: 1000 } }),
    with: "good",
  },
  {
    attribute: "test/client/reads",
    text: "reads = false",
    observe: (text) =>
      verdict(CLIENTS, [
        `client "alice" {\n${text}\n}`,
        WHO,
        expect("alice", "nothing = true"),
      ]),
    without: [{
      message: 'expect "alice": received something',
      came: [{ type: "ack", id: 1, data: who() }],
    }],
    with: "good",
  },
  {
    attribute: "test/given/reads",
    text: "reads = true",
    // Without it, a message is sent, whose answer nobody reads.
    observe: (text) =>
      verdict(CLIENTS, [
        'client "alice" {\nreads = false\n}',
        WHO,
        given("alice", text),
        expect("alice", "id = 1"),
      ]),
    without: missed("alice"),
    with: "good",
  },
  {
    attribute: "test/given/user_id",
    text: 'user_id = "ann"',
    observe: (text) =>
      verdict(CALLERS, [
        given("calls", `operation = "GET /who"\n${text}`),
        expect("calls", 'data = { user = "ann" }'),
      ]),
    without: missed("calls", UNKNOWN),
    with: "good",
  },
  {
    attribute: "test/given/claims",
    text: 'claims = { sub = "ann", role = "admin" }',
    observe: (text) =>
      verdict(CALLERS, [
        given("calls", `operation = "GET /who"\n${text}`),
        expect("calls", 'data = { user = "ann", role = "admin" }'),
      ]),
    without: missed("calls", UNKNOWN),
    with: "good",
  },
  {
    attribute: "test/given/remote_addr",
    text: 'remote_addr = "192.0.2.7"',
    observe: (text) =>
      verdict(CALLERS, [
        given("calls", `operation = "GET /where"\n${text}`),
        expect("calls", 'data = { address = "192.0.2.7" }'),
      ]),
    without: missed("calls", {
      status: 200,
      data: { address: "2001:db8::ffff" },
      headers: { "content-type": "application/json" },
    }),
    with: "good",
  },
  {
    attribute: "test/given/operation",
    text: 'operation = "who"',
    // By default it is a message, which goes to everybody.
    observe: (text) =>
      verdict(CLIENTS, [
        ALICE,
        given("alice", `id = 1\n${text}`),
        expect("alice", 'data = { user = "alice" }'),
      ]),
    without: missed("alice", { type: "message", data: null }, { type: "ack", id: 1 }),
    with: "good",
  },
  {
    attribute: "test/given/data",
    text: 'data = { text = "hello" }',
    observe: (text) =>
      verdict(CLIENTS, [ALICE, given("alice", text), expect("alice", 'data = { text = "hello" }')]),
    without: missed("alice", { type: "message", data: null }),
    with: "good",
  },
  {
    attribute: "test/given/room",
    text: 'room = "orders"',
    observe: (text) =>
      verdict(CLIENTS, [
        ALICE,
        given("alice", `operation = "who"\nid = 1\n${text}`),
        expect("alice", 'data = { room = "orders" }'),
      ]),
    without: missed("alice", { type: "ack", id: 1, data: who({ user: "alice" }) }),
    with: "good",
  },
  {
    attribute: "test/given/id",
    text: "id = 1",
    observe: (text) =>
      verdict(CLIENTS, [
        ALICE,
        given("alice", `operation = "who"\n${text}`),
        expect("alice", 'type = "ack"\nid = 1'),
      ]),
    without: missed("alice", { type: "message", data: who({ user: "alice" }) }),
    with: "good",
  },
  {
    attribute: "test/given/message_id",
    text: 'message_id = "m1"',
    observe: (text) =>
      verdict(MESSAGE_IDS, [
        ALICE,
        given("alice", `operation = "tell"\nid = 1\n${text}`),
        expect("alice", 'data = { told = "m1" }'),
      ]),
    without: missed("alice", { type: "ack", id: 1, data: { told: null } }),
    with: "good",
  },
  {
    attribute: "test/given/text",
    text: 'text = "{"',
    observe: (text) =>
      verdict(CLIENTS, [ALICE, given("alice", text), expect("alice", 'error = "invalid_json"')]),
    without: missed("alice", { type: "message", data: null }),
    with: "good",
  },
  {
    attribute: "test/given/headers",
    text: 'headers = { tag = "red" }',
    observe: (text) =>
      verdict(CLIENTS + MESSAGES, [
        'client "alice" {\nrooms = ["orders"]\n}',
        given("events", `operation = "order.new"\ndata = { id = 7 }\n${text}`),
        expect("alice", 'data = { tag = "red" }'),
      ]),
    without: missed("alice", { type: "message", room: "orders", data: { id: 7, tag: null } }),
    with: "good",
  },
  {
    attribute: "test/given/old",
    text: "old = { paid = false }",
    observe: (text) =>
      withFolder(async (folder) => {
        await writeFile(join(folder, "1.sql"), "CREATE TABLE orders (paid boolean);");
        return await verdict(CLIENTS + changes(folder), [
          'client "alice" {\nrooms = ["orders"]\n}',
          given("db", `operation = "UPDATE orders"\ndata = { paid = true }\n${text}`),
          expect("alice", "data = { old = { paid = false } }"),
        ]);
      }),
    without: missed("alice", { type: "message", room: "orders", data: { old: null } }),
    with: "good",
  },
  {
    attribute: "test/advance/by",
    text: 'by = "6s"',
    observe: (text) => {
      const tick =
        'flow "tick" {\nwhen = "@every 5s"\nto {\nconnector = "ws"\noperation = "broadcast"\n}\n}\n';
      return verdict(CLIENTS + tick, [
        ALICE,
        `advance {\n${text}\n}`,
        expect("alice", "count = 1"),
      ]);
    },
    without: ["missing-attribute"],
    with: "good",
  },
];

/** Orders that are refused, with what the refusal says. */
const REFUSED = ORDERS.replace(
  "error_handling {",
  `error_handling {
    error_response {
      when   = "error.status == 409 || error.body == 'taken'"
      status = 409
      body {
        why = "'known'"
      }
    }
    error_response {
      status = 500
      body {
        why = "'unknown'"
      }
    }`,
);

/** The rows of `mock`. */
export const mockRows: readonly Row[] = [
  {
    attribute: "test/mock/returns",
    text: "returns = { cents = 5 }",
    observe: (text) =>
      verdict(ORDERS, [
        mock("shop", text),
        ORDER,
        expect("api", "data = { price = { cents = 5 } }"),
      ]),
    without: missed("api", answer({ price: null, kept: null })),
    with: "good",
  },
  ...['step = "price"', 'operation = "find"', 'target = "prices"'].map((text): Row => ({
    attribute: `test/mock/${text.slice(0, text.indexOf(" "))}`,
    text,
    // The later one takes the place of the former, or only of what it is exact about.
    observe: (written) =>
      verdict(ORDERS, [
        PRICE,
        mock("shop", `returns = 9\n${written}`),
        ORDER,
        expect("api", "data = { price = 9, kept = 5 }"),
      ]),
    without: missed("api", answer({ price: 9, kept: 9 })),
    with: "good",
  })),
  {
    attribute: "test/mock/error",
    text: 'error = "away"',
    observe: (text) =>
      verdict(ORDERS, [mock("shop", text), ORDER, expect("api", 'error = "flow_failed"')]),
    without: missed("api", answer({ price: null, kept: null })),
    with: "good",
  },
  {
    attribute: "test/mock/permanent",
    text: "permanent = true",
    observe: (text) =>
      verdict(ORDERS, [
        mock("shop", 'operation = "find"\nreturns = 5'),
        mock("shop", `operation = "insert"\nerror = "no such table"\n${text}`),
        ORDER,
        expect("shop", 'operation = "insert"\ncount = 1'),
        'advance {\nby = "2s"\n}',
        expect("shop", "nothing = true"),
        expect("api", "status = 500"),
      ]),
    // It is tried again after a second.
    without: [{
      message: 'expect "shop": received something',
      came: [{ operation: "insert", target: "orders", data: { id: 7 } }],
    }],
    with: "good",
  },
  ...[["status = 409", ""], ['body = "taken"', "status = 400"]].map(([text, more]): Row => ({
    attribute: `test/mock/${text.slice(0, text.indexOf(" "))}`,
    text,
    observe: (written) =>
      verdict(REFUSED, [
        mock("shop", `error = "refused"\n${more}\n${written}`),
        ORDER,
        expect("api", 'data = { why = "known" }'),
      ]),
    without: [
      'flow "order" failed: flow_failed: connector "shop": refused',
      ...missed("api", {
        status: 500,
        data: { why: "unknown" },
        headers: { "content-type": "application/json" },
      }),
    ],
    with: "good",
  })),
  {
    attribute: "test/mock/delay",
    text: 'delay = "3s"',
    observe: (text) =>
      verdict(ORDERS, [
        mock("shop", `returns = 5\n${text}`),
        ORDER,
        expect("api", "nothing = true"),
        'advance {\nby = "6s"\n}',
        expect("api", "status = 200"),
      ]),
    without: [{
      message: 'expect "api": received something',
      came: [answer({ price: 5, kept: 5 })],
    }],
    with: "good",
  },
  {
    attribute: "test/mock/times",
    text: "times = 1",
    observe: (text) =>
      verdict(ORDERS, [
        PRICE,
        mock("shop", `operation = "insert"\nerror = "away"\n${text}`),
        ORDER,
        'advance {\nby = "2s"\n}',
        expect("shop", 'operation = "insert"\ncount = 2'),
        expect("api", "data = { price = 5, kept = 5 }"),
      ]),
    without: [
      'flow "order" failed: flow_failed: connector "shop": away',
      ...missed("api", {
        status: 500,
        data: {
          error: { code: "flow_failed", message: 'flow "order" failed (ref REF)', ref: "REF" },
        },
        headers: { "content-type": "application/json" },
        error: "flow_failed",
      }),
    ],
    with: "good",
  },
];

/** A client that asks who it is; what its block says comes back. */
function clientRow(name: string, text: string, known: Readonly<Record<string, string>>): Row {
  const [[field, value]] = Object.entries(known);
  return {
    attribute: `test/client/${name}`,
    text,
    observe: (written) =>
      verdict(CLIENTS, [
        `client "alice" {\n${written}\n}`,
        WHO,
        expect("alice", `data = { ${field} = "${value}" }`),
      ]),
    without: missed("alice", { type: "ack", id: 1, data: who() }),
    with: "good",
  };
}

/** The answer to a client that asks who it is. */
function who(known: Readonly<Record<string, unknown>> = {}): unknown {
  return { user: null, lang: null, tag: null, said: null, room: null, ...known };
}

/** The answer to an order. */
function answer(known: Readonly<Record<string, unknown>>): unknown {
  const headers = { "content-type": "application/json" };
  return { status: 200, data: { id: 7, tag: null, ...known }, headers };
}

/** Notes in a file, which a caller counts. */
const NOTES = (file: string) => `
connector "api" {
  type = "rest"
  port = 0
}
connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = "${file}"
}
flow "count" {
  from {
    connector = "api"
    operation = "GET /notes"
  }
  step "found" {
    connector = "db"
    query     = "SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'notes'"
  }
  response { tables = "step.found.tables" }
}
`;

/** The rows of the test itself. */
export const testItselfRows: readonly Row[] = [
  {
    attribute: "test/real",
    text: "real = true",
    observe: (text) =>
      withFile((file) =>
        verdict(NOTES(file), [
          text,
          given("api", 'operation = "GET /notes"'),
          expect("api", "data = { tables = 1 }"),
        ])
      ),
    without: missed("api", {
      status: 200,
      data: { tables: 0 },
      headers: { "content-type": "application/json" },
    }),
    with: "good",
  },
];

/** Calls `use` with the file of a database that has the table `notes`. */
function withFile<T>(use: (file: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const file = join(folder, "notes.db");
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE notes (id INTEGER)");
    database.close();
    return await use(file);
  });
}
