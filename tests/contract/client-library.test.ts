/** The client library against the runtime's own server, through a proxy that a test disturbs. */
import assert from "node:assert/strict";
import type { Client, Room, WeirError } from "../../src/client/mod.ts";
import { SECRET } from "../support/auth.ts";
import { disturb, network } from "../support/disturbances.ts";
import { libraryTest, tokenFor } from "../support/library.ts";
import { until } from "../support/socket-probe.ts";

const TO_ROOM = `
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
    transform {
      n = "input.n"
    }
  }
`;

const flows = `
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    ${TO_ROOM}
  }
  flow "add" {
    from {
      connector = "ws"
      operation = "add"
    }
    dedupe {
      key = "input.message_id"
      ttl = "10m"
    }
    ${TO_ROOM}
    response {
      n = "input.n"
    }
  }
  flow "refuse" {
    from {
      connector = "ws"
      operation = "refuse"
    }
    reject {
      when    = "true"
      code    = "sold_out"
      message = "nothing is left"
    }
    to {
      connector = "ws"
      operation = "broadcast"
    }
  }
`;

const ROOMS = `
  room "*" {
    history {
      size = 10000
    }
    presence {
      leave_grace = "10s"
    }
  }
`;

interface Numbered {
  readonly n: number;
}

libraryTest("client library: ten lines", { attributes: ROOMS, flows }, async (library) => {
  const weir = library.connect({ direct: true });
  assert.deepEqual(await weir.request("add", { room: "a", n: 1 }), { n: 1 });
  const room = await weir.join("a", { presence: true });
  await until("the list of members", () => room.members.length === 1);
  weir.send("say", { room: "a", n: 2 });
  for await (const message of room) {
    assert.deepEqual(message, { n: 2 });
    break;
  }
  const code = await weir.request("refuse").then(() => "", (error: WeirError) => error.code);
  assert.equal(code, "sold_out");
  const unknown = await weir.request("nothing").then(() => "", (error: WeirError) => error.code);
  assert.equal(unknown, "unknown_type");
  await room.leave();
  assert.equal(library.runtime.counts().ws.rooms, 0);
  weir.close();
  assert.equal(weir.status, "closed");
  await until("the end of the connection", () => library.runtime.counts().ws.connections === 0);
});

libraryTest(
  "client library: a room goes on through all that networks do, in order, none missing, none twice",
  { attributes: ROOMS, flows },
  async (library) => {
    const reader = library.connect({ speed: 10, query: "user_id=ann" });
    const room = await reader.join("a", { presence: true });
    const seen: unknown[] = [];
    let resyncs = 0;
    room.on("resync", () => resyncs++);
    const loop = (async () => {
      for await (const message of room) seen.push((message as Numbered).n);
    })();
    const writer = library.connect({ direct: true, query: "user_id=bob" });
    const other = await writer.join("a", { presence: true });
    const people = () =>
      [room, other].map(({ members }) => members.map((one) => one.user_id).sort());
    const both = [["ann", "bob"], ["ann", "bob"]];
    await until("both members", () => `${people()}` === `${both}`);
    let said = 0;
    const say = (n: number) => {
      said++;
      return writer.request("say", { room: "a", n }, { timeout: 60_000 });
    };
    const world = {
      proxy: library.proxy,
      status: () => reader.status,
      waits: () => seen.length < said,
    };
    await disturb(network, world, { numbers: 700, rounds: 2 }, (numbers) => numbers.map(say));
    await until("all messages", () => seen.length >= 700, undefined, 60_000);
    assert.deepEqual(seen, Array.from({ length: 700 }, (_, n) => n));
    assert.equal(resyncs, 0);
    await until("both members again", () => `${people()}` === `${both}`, undefined, 60_000);
    assert.equal(room.count, 2);
    await room.leave();
    await loop;
  },
);

libraryTest(
  "client library: a restarted server is resync, in every room, and nothing else",
  { attributes: ROOMS, flows },
  async (library) => {
    const client = library.connect();
    const rooms: Room[] = [await client.join("a"), await client.join("b", { history: false })];
    const told = rooms.map((room) => {
      const events: unknown[] = [];
      room.on("resync", () => events.push("resync"));
      room.on("message", (data) => events.push((data as Numbered).n));
      return events;
    });
    const statuses: string[] = [];
    client.on("status", (status) => statuses.push(status));
    await library.stopServer();
    await until("the end of the connection", () => client.status !== "open");
    const waiting = client.request("add", { room: "b", n: 7 }, { retry: true, timeout: 60_000 });
    await library.startServer();
    assert.deepEqual(await waiting, { n: 7 });
    await until("what the rooms tell", () => told[1].length >= 2 && told[0].length >= 1);
    assert.deepEqual(told, [["resync"], ["resync", 7]]);
    assert.equal(statuses[0], "waiting");
    assert.equal(statuses.at(-1), "open");
  },
);

libraryTest(
  "client library: what is sent while the server is away is served when it is back",
  { flows },
  async (library) => {
    await library.stopServer();
    const client = library.connect();
    const options = { timeout: 60_000 };
    const all = Array.from(
      { length: 20 },
      (_, n) => client.request("add", { room: "a", n }, options),
    );
    await until("an attempt that failed", () => client.status === "waiting");
    await library.startServer();
    assert.deepEqual(await Promise.all(all), Array.from({ length: 20 }, (_, n) => ({ n })));
  },
);

const AUTH = `
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
`;

libraryTest(
  "client library: the token is renewed on the connection that is open",
  { attributes: AUTH, flows },
  async (library) => {
    let asked = 0;
    const client: Client = library.connect({ token: () => tokenFor("ada", asked++ < 2 ? 4 : 600) });
    const statuses: string[] = [];
    client.on("status", (status) => statuses.push(status));
    await client.request("add", { room: "a", n: 1 });
    await until("two renewals", () => asked >= 3, undefined, 20_000);
    await client.request("add", { room: "a", n: 2 });
    // The first two tokens have expired.
    const end = Date.now() + 5_000;
    await until("their end", () => Date.now() > end, undefined, 20_000);
    assert.deepEqual(await client.request("add", { room: "a", n: 3 }), { n: 3 });
    assert.deepEqual(statuses, ["open"]);
    assert.equal(library.runtime.counts().ws.connections, 1);
  },
);

libraryTest(
  "client library: a token in the query",
  { attributes: AUTH.replace("jwt {", 'from = ["query:token"]\n    jwt {'), flows },
  async (library) => {
    const token = await tokenFor("ada", 600);
    const client = library.connect({ token, tokenIn: "query:token" });
    assert.deepEqual(await client.request("add", { room: "a", n: 1 }), { n: 1 });
  },
);

libraryTest(
  "client library: a refused token closes it, and is told by its code",
  { attributes: AUTH, flows },
  async (library) => {
    const client: Client = library.connect({ token: "nonsense" });
    await until("it is closed", () => client.status === "closed");
    await assert.rejects(client.request("add", { n: 1 }), { code: "unauthorized" });
  },
);

libraryTest(
  "client library: what a flow refuses with its code closes it, and nothing else does",
  {
    flows: `${flows}
  flow "door" {
    from {
      connector = "ws"
      operation = "connect"
    }
    reject {
      when    = "client.params.who == 'eve'"
      code    = "banned"
      message = "not you"
    }
    to {
      connector = "ws"
      operation = "broadcast"
      filter    = "false"
    }
  }`,
  },
  async (library) => {
    const eve: Client = library.connect({ query: "who=eve" });
    await until("she is refused", () => eve.status === "closed");
    await assert.rejects(eve.request("add", { n: 1 }), { code: "banned", message: "not you" });
    const ann: Client = library.connect({ query: "who=ann" });
    await until("ann is let in", () => ann.status === "open");
  },
);
