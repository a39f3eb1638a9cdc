/** permessage-deflate: who gets it, and that nothing else changes by it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { WireFrame } from "../faults/client.ts";
import { COMPRESSED, DeflateClient, deflated } from "../support/deflate-client.ts";
import { flows, websocket } from "../support/socket-contract.ts";
import { opcodes } from "../support/socket-frames.ts";
import { type Host, hosts, type RunningHost } from "../support/socket-hosts.ts";
import { Probe, until } from "../support/socket-probe.ts";

const OFFER = "permessage-deflate";
const AGREED = ["client_no_context_takeover", "permessage-deflate", "server_no_context_takeover"];
const compressing = websocket("compression = true") + flows;

interface Stage {
  readonly host: Host;
  readonly running: RunningHost;
  /** With an offer as Chromium makes it, or another one; null for none. */
  connect(offer?: string | null, path?: string): Promise<DeflateClient>;
}

/** Runs a case on every host; Deno's own upgrade never compresses, and has a case of its own. */
function compression(name: string, config: string, run: (stage: Stage) => Promise<void>): void {
  for (const host of hosts.filter(({ sockets }) => sockets !== "deno")) {
    test(`${host.name}: compression: ${name}`, () => onStage(host, config, run));
  }
}

async function onStage(
  host: Host,
  config: string,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const clients: DeflateClient[] = [];
  const running = await host.start(config, { connectors: new Probe().connectors });
  try {
    await run({
      host,
      running,
      async connect(offer, path = "/ws") {
        const client = await DeflateClient.connect(running.port, host.mount + path, offer);
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const { frames } of clients) frames.destroy();
    await running.close();
  }
}

/** The parts of what the server has agreed to, in no order. */
function parts({ extensions }: DeflateClient): readonly string[] | undefined {
  return extensions?.split(";").map((part) => part.trim()).sort();
}

/** Each with its own text, since nobody can tell two that are alike apart. */
const rows = (count: number, seed: string) =>
  Array.from({ length: count }, (_, n) => ({ id: `${seed}-${n}`, text: `row ${n} of ${count}` }));

const accepted = [
  "permessage-deflate",
  "permessage-deflate; client_max_window_bits",
  "permessage-deflate; client_max_window_bits=10",
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
  "permessage-deflate;client_no_context_takeover",
  "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
  "permessage-deflate; server_max_window_bits=10, permessage-deflate",
];
const declined = [
  null,
  "permessage-deflate; server_max_window_bits=10",
  "permessage-deflate; client_max_window_bits=16",
  "permessage-deflate; window=15",
  "x-webkit-deflate-frame",
  "permessage",
  ";;;",
];

compression("an offer that can be met is accepted", compressing, async ({ connect }) => {
  for (const offer of accepted) {
    const client = await connect(offer);
    assert.deepEqual(parts(client), AGREED, offer);
    assert.deepEqual(await client.ask({ type: "ping", id: 1 }), { type: "pong", id: 1 });
  }
});

compression("any other offer is declined, and the client served", compressing, async (t) => {
  for (const offer of declined) {
    const client = await t.connect(offer);
    assert.equal(client.extensions, undefined, `${offer}`);
    assert.deepEqual(await client.ask({ type: "ping", id: 1 }), { type: "pong", id: 1 });
  }
});

compression("none is agreed to by default", websocket() + flows, async ({ connect }) => {
  for (const offer of accepted) assert.equal((await connect(offer)).extensions, undefined);
});

for (const host of hosts.filter(({ sockets }) => sockets === "deno")) {
  test(`${host.name}: compression: Deno's own upgrade agrees to none`, () =>
    onStage(host, compressing, async ({ connect }) => {
      for (const offer of accepted) assert.equal((await connect(offer)).extensions, undefined);
    }));
}

compression(
  "one connector of a server compresses, and the other does not",
  `${compressing}
  connector "plain" {
    type = "websocket"
    port = 0
    path = "/plain"
  }`,
  async ({ connect, running }) => {
    const [client, plain] = [await connect(), await connect(OFFER, "/plain")];
    assert.deepEqual([parts(client), plain.extensions], [AGREED, undefined]);
    const data = rows(100, "same");
    await running.runtime.broadcast(data, { connector: "ws" });
    await running.runtime.broadcast(data, { connector: "plain" });
    const ends = [await client.hear(), await plain.hear()];
    assert.deepEqual(ends.map(({ message }) => message.data), [data, data]);
    assert.deepEqual(ends.map(({ compressed }) => compressed), [true, false]);
  },
);

compression("messages of every size arrive, both ways", compressing, async ({ connect }) => {
  const client = await connect();
  for (const size of [0, 1, 100, 900, 1024, 5_000, 65_400, 65_600, 100_000, 500_000]) {
    const easy = "ab".repeat(size / 2 + 1).slice(0, size);
    const hard = randomBytes(size).toString("base64").slice(0, size);
    for (const data of [easy, hard, `é${easy.slice(0, size / 3)}🙂`]) {
      client.say({ type: "echo", id: 1, data });
      const { message, compressed, size: sent } = await client.hear();
      assert.deepEqual(message, { type: "ack", id: 1, data: { data } });
      assert.equal(compressed, Buffer.byteLength(data) >= 1000, `${size} bytes`);
      if (compressed) assert.ok(sent < Buffer.byteLength(data), `${sent} bytes for ${size}`);
    }
  }
});

compression(
  "compressed and plain clients of a room get the same",
  compressing,
  async ({ connect, running: { runtime } }) => {
    const clients = await Promise.all(
      Array.from({ length: 10 }, (_, n) => connect(n % 2 === 0 ? OFFER : null)),
    );
    for (const client of clients) await client.ask({ type: "join_room", room: "r", id: 1 });
    const sent = Array.from({ length: 200 }, (_, n) => rows(n % 7 === 0 ? 60 : n % 3, `${n}`));
    for (const [n, data] of sent.entries()) {
      await runtime.sendToRoom("r", data);
      // In batches of many, few and one.
      if (n % 50 > 40) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const client of clients) {
      const heard = [];
      while (heard.length < sent.length) heard.push(await client.hear());
      assert.deepEqual(heard.map(({ message }) => message.data), sent);
      const large = heard.filter((one) => (one.message.data as unknown[]).length === 60);
      assert.ok(large.every(({ compressed }) => compressed === (client.extensions !== undefined)));
      assert.equal(heard.filter(({ compressed }) => compressed).length % large.length, 0);
    }
  },
);

compression("pings come between, and a close after everything", compressing, async (t) => {
  const { connect, running: { runtime } } = t;
  const client = await connect();
  const sent = Array.from({ length: 30 }, (_, n) => rows(n % 2 === 0 ? 200 : 1, `${n}`));
  client.frames.send({ opcode: opcodes.ping, payload: "?" });
  const frame = await client.frames.next();
  assert.deepEqual([frame?.opcode, frame?.reserved], [opcodes.pong, 0]);
  for (const data of sent) await runtime.broadcast(data);
  const closed = runtime.close();
  const { heard, code } = await client.finish();
  await closed;
  assert.deepEqual(heard.map(({ message }) => message.data), sent);
  assert.equal(code, 1001);
});

compression("a compressed message may come in fragments", compressing, async ({ connect }) => {
  const client = await connect();
  const data = rows(50, "a");
  const payload = deflated(JSON.stringify({ type: "echo", id: 1, data }));
  client.frames.send(
    { payload: payload.subarray(0, 9), reserved: COMPRESSED, fin: false },
    { opcode: opcodes.ping, payload: "now" },
    { opcode: opcodes.continuation, payload: payload.subarray(9, 20), fin: false },
    { opcode: opcodes.continuation, payload: payload.subarray(20) },
  );
  const pong = await client.frames.next();
  assert.deepEqual([pong?.opcode, pong?.payload.toString()], [opcodes.pong, "now"]);
  assert.deepEqual((await client.hear()).message, { type: "ack", id: 1, data: { data } });
  // What was not worth it may come uncompressed all the same.
  client.frames.send({ payload: '{"type":"ping","id":2}' });
  assert.deepEqual((await client.hear()).message, { type: "pong", id: 2 });
});

const LIMIT = 64 * 1024;
/** A frame of so many bytes. */
const large = (size: number) => '{"type":"echo","id":1}'.padEnd(size);

compression(
  "max_message_size is the size after inflating",
  websocket('compression = true\nmax_message_size = "64KB"') + flows,
  async ({ connect, running: { runtime } }) => {
    const witness = await connect();
    const fits = await connect();
    assert.equal(large(LIMIT).length, LIMIT);
    fits.frames.send({ payload: deflated(large(LIMIT)), reserved: COMPRESSED });
    assert.deepEqual((await fits.hear()).message, { type: "ack", id: 1, data: { data: null } });

    for (const size of [LIMIT + 1, 50_000_000]) {
      const payload = deflated(large(size));
      const whole = await connect();
      whole.frames.send({ payload, reserved: COMPRESSED });
      assert.equal((await whole.finish()).code, 1009, `${size}`);
      const pieces = await connect();
      pieces.frames.send(
        { payload: payload.subarray(0, 20), reserved: COMPRESSED, fin: false },
        { opcode: opcodes.continuation, payload: payload.subarray(20) },
      );
      assert.equal((await pieces.finish()).code, 1009, `${size} in pieces`);
    }
    assert.deepEqual(await witness.ask({ type: "ping", id: 1 }), { type: "pong", id: 1 });
    await until("two connections", () => runtime.counts().ws.connections === 2);
  },
);

compression("what breaks the rules closes with their code", compressing, async ({ connect }) => {
  const hello = deflated('{"type":"ping"}');
  const closes = async (offer: string | null, ...frames: WireFrame[]): Promise<number> => {
    const client = await connect(offer);
    client.frames.send(...frames);
    return (await client.finish()).code;
  };
  const first = { payload: hello, fin: false, reserved: COMPRESSED };
  const rest = { opcode: opcodes.continuation, payload: "x" };
  assert.deepEqual({
    "RSV1, not negotiated": await closes(null, { payload: hello, reserved: COMPRESSED }),
    "RSV1, declined": await closes("other", { payload: hello, reserved: COMPRESSED }),
    "RSV2": await closes(OFFER, { payload: hello, reserved: 2 }),
    "RSV3": await closes(OFFER, { payload: hello, reserved: 5 }),
    "RSV1 on a ping": await closes(OFFER, { opcode: opcodes.ping, reserved: COMPRESSED }),
    "RSV1 on a later fragment": await closes(OFFER, first, { ...rest, reserved: COMPRESSED }),
    "not compressed at all": await closes(OFFER, {
      payload: Buffer.from("ffffffffff", "hex"),
      reserved: COMPRESSED,
    }),
    "no UTF-8": await closes(OFFER, {
      payload: deflated(Buffer.from([0x22, 0xff, 0xfe, 0x22])),
      reserved: COMPRESSED,
    }),
    "binary": await closes(OFFER, {
      opcode: opcodes.binary,
      payload: hello,
      reserved: COMPRESSED,
    }),
  }, {
    "RSV1, not negotiated": 1002,
    "RSV1, declined": 1002,
    "RSV2": 1002,
    "RSV3": 1002,
    "RSV1 on a ping": 1002,
    "RSV1 on a later fragment": 1002,
    "not compressed at all": 1007,
    "no UTF-8": 1007,
    "binary": 1003,
  });
});

compression("a client that does not read is closed all the same", compressing, async (t) => {
  const { connect, running: { runtime } } = t;
  const [slow, reader] = [await connect(), await connect()];
  for (const one of [slow, reader]) await one.ask({ type: "join_room", room: "r", id: 1 });
  slow.frames.socket.pause();
  let count = 0;
  for (let recipients = 2; recipients === 2; count++) {
    assert.ok(count < 1000, "nobody was called slow");
    const data = [count, randomBytes(64 * 1024).toString("base64")];
    recipients = await runtime.sendToRoom("r", data);
    assert.deepEqual((await reader.hear()).message.data, data);
  }
  slow.frames.socket.resume();
  const { heard, code } = await slow.finish();
  assert.ok(heard.length < count);
  assert.deepEqual(heard.map(({ message }) => (message.data as unknown[])[0]), [...heard.keys()]);
  assert.equal(code, 1013);
});

test("compression: the WebSocket of this runtime talks to it", () =>
  onStage(hosts[0], compressing, async ({ running: { port } }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    const data = rows(2000, "standard");
    const answer = new Promise((resolve, reject) => {
      socket.onerror = reject;
      socket.onmessage = (event) => resolve(JSON.parse(event.data));
      socket.onopen = () => socket.send(JSON.stringify({ type: "echo", id: 1, data }));
    });
    assert.deepEqual(await answer, { type: "ack", id: 1, data: { data } });
    await new Promise((resolve) => {
      socket.onclose = resolve;
      socket.close();
    });
  }));
