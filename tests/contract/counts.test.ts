/** What `runtime.counts()` says of every limit that was reached. */
import assert from "node:assert/strict";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { closeBody, opcodes } from "../support/socket-frames.ts";
import { until } from "../support/socket-probe.ts";

/** All that has been counted, but for who is there now. */
function counted({ runtime }: Contract): Readonly<Record<string, number>> {
  const { connections: _, rooms: __, users: ___, ...rest } = runtime.counts().ws;
  return Object.fromEntries(Object.entries(rest).filter(([, number]) => number > 0));
}

/** Waits until just this has been counted. */
async function counts(t: Contract, expected: Readonly<Record<string, number>>): Promise<void> {
  await until("the counts", () => Object.keys(expected).every((name) => name in counted(t)));
  assert.deepEqual(counted(t), expected);
}

contract(
  "counts: handshakes that are refused, by their reason",
  `${websocket('max_connections = 1\n origins = ["https://example.com"]')}${flows}
  flow "door" {
    from {
      connector = "ws"
      operation = "connect"
    }
    accept {
      when = "client.user_id != 'eve'"
    }
  }
`,
  async (t) => {
    await counts(t, {});
    const wrong = { headers: { Origin: "https://example.org" } };
    assert.equal((await t.request("/ws", wrong)).status, 403);
    await counts(t, { refused_origin: 1 });
    assert.equal((await t.request("/ws?user_id=eve")).status, 403);
    await counts(t, { refused_origin: 1, refused_flow: 1 });
    assert.equal((await t.request("/ws?user_id=%00")).status, 400);
    await t.connect();
    assert.equal((await t.request("/ws")).status, 503);
    await counts(t, { refused_origin: 1, refused_flow: 1, refused_request: 1, refused_full: 1 });
  },
);

contract(
  "counts: connections that the server ends, by their reason",
  websocket('max_message_size = "1KB"') + flows,
  async (t) => {
    const ends: Readonly<Record<string, (client: Awaited<ReturnType<typeof t.connect>>) => void>> =
      {
        closed_binary: (client) => client.send({ opcode: opcodes.binary, payload: "b" }),
        closed_errors: (client) => client.say(...Array(101).fill({ type: "nonsense" })),
        closed_size: (client) => client.say({ type: "echo", data: "x".repeat(2_000) }),
      };
    for (const [counter, cause] of Object.entries(ends)) {
      const client = await t.connect();
      cause(client);
      await client.finish();
      await until(counter, () => t.runtime.counts().ws[counter] === 1);
      client.destroy();
    }
    // One that leaves by itself is nobody's reason.
    const client = await t.connect();
    client.send({ opcode: opcodes.close, payload: closeBody(1000) });
    await client.finish();
    await counts(t, {
      closed_binary: 1,
      closed_errors: 1,
      closed_size: 1,
      error_unknown_type: 101,
    });
  },
);

contract(
  "counts: answers with an error, by their code",
  websocket("max_rooms = 1") + flows,
  async (t) => {
    const client = await t.connect();
    client.send({ payload: "[" }, { payload: "[]" });
    client.say(
      { type: "nonsense" },
      { type: "x".repeat(65) },
      { type: "join_room", room: "" },
      { type: "join_room", room: "é".repeat(128) },
      { type: "join_room", room: "é".repeat(127) },
      { type: "join_room", room: "another" },
      { type: "echo", id: "x".repeat(65) },
    );
    await client.hearMany(8);
    await counts(t, {
      error_invalid_json: 1,
      error_invalid_message: 2,
      error_unknown_type: 2,
      error_invalid_room: 2,
      error_too_many_rooms: 1,
    });
  },
);
