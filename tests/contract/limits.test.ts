/** `rate_limit`, and the policies of `slow_client`. */
import assert from "node:assert/strict";
import type { Message, SocketClient } from "../support/socket-client.ts";
import {
  closeCode,
  type Contract,
  contract,
  flows,
  websocket,
} from "../support/socket-contract.ts";
import { pause, until } from "../support/socket-probe.ts";

const limited = (rate: string) => websocket(`rate_limit {\n ${rate}\n }`) + flows;
const slow = (policy: string) => websocket(`slow_client {\n ${policy}\n }`) + flows;

contract(
  "rate limit: a frame over it is answered and runs nothing; the next one in time is served",
  limited('messages = 3\n per = "1s"'),
  async (t) => {
    const client = await t.connect();
    client.say(...[1, 2, 3, 4].map((id) => ({ type: "probe", id, data: id })));
    const [one, two, three, error] = await client.hearMany(4);
    assert.deepEqual([one, two, three], [1, 2, 3].map((id) => ({ type: "ack", id })));
    const { message, retry_after_ms: wait, ...rest } = error;
    assert.deepEqual(rest, { type: "error", code: "rate_limited", id: 4 });
    assert.ok(Number.isInteger(wait) && Number(wait) >= 1 && Number(wait) <= 334, `${wait}`);
    assert.equal(message, `too many messages; the next one is served in ${wait} ms`);
    // Pings do not count, and another connection has a rate of its own.
    for (let n = 0; n < 10; n++) assert.deepEqual(await client.ask({ type: "ping" }), PONG);
    assert.equal((await (await t.connect()).ask({ type: "echo", id: 1 })).type, "ack");
    await pause(Number(wait) + 2);
    assert.deepEqual(await client.ask({ type: "probe", id: 5, data: 5 }), { type: "ack", id: 5 });
    assert.deepEqual(t.probe.payloads, [1, 2, 3, 5]);
    assert.equal(t.runtime.counts().ws.error_rate_limited, 1);
  },
);

const PONG = { type: "pong" };

contract(
  "rate limit: every kind of frame counts, and burst is what may come at once",
  limited('messages = 1\n per = "1h"\n burst = 5'),
  async (t) => {
    const client = await t.connect();
    client.send({ payload: "{" });
    client.say(
      { type: "join_room", room: "r" },
      { type: "nonsense" },
      { type: "leave_room", room: "r" },
      { type: "message", id: 1 },
      { type: "echo", id: "over" },
    );
    const codes = (await client.hearMany(4)).map(({ code }) => code);
    assert.deepEqual(codes, ["invalid_json", "unknown_type", "unknown_type", "rate_limited"]);
  },
);

contract(
  "rate limit: 100 frames beyond it in ten seconds are forgiven, one more is 1008",
  limited('messages = 1\n per = "1h"'),
  async (t) => {
    const client = await t.connect();
    client.say(...Array.from({ length: 101 }, (_, id) => ({ type: "probe", id })));
    const answers = await client.hearMany(101);
    assert.ok(answers.slice(1).every(({ code }) => code === "rate_limited"));
    client.say({ type: "probe", id: 101 });
    const { messages, ending } = await client.finish();
    assert.deepEqual(messages.map(({ id }) => id), [101]);
    assert.deepEqual(ending, { code: closeCode(t.host, 1008), reason: "too many messages" });
    assert.equal((await t.probe.received(2))[1].input.reason, "too many messages");
    const { closed_rate, closed_errors, error_rate_limited } = t.runtime.counts().ws;
    assert.deepEqual([closed_rate, closed_errors, error_rate_limited], [1, 0, 101]);
  },
);

const FILLER = "x".repeat(32 * 1024);

/** A member of the room "busy" that has stopped to read. */
async function stalled(t: Contract): Promise<SocketClient> {
  const client = await t.connect("/ws?user_id=slow");
  await client.ask({ type: "join_room", room: "busy", id: 1 });
  client.socket.pause();
  return client;
}

/** Sends to the room until a number of the connector says that it is enough; gives how many. */
async function flood(
  t: Contract,
  counter: string,
  enough: number,
  message: (n: number) => unknown,
  readers: readonly SocketClient[] = [],
): Promise<number> {
  let sent = 0;
  while (t.runtime.counts().ws[counter] < enough) {
    assert.equal(await t.runtime.sendToRoom("busy", message(sent)), 1 + readers.length);
    for (const reader of readers) assert.deepEqual((await reader.hear()).data, message(sent));
    sent++;
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(sent < 4_000, `${counter} is ${t.runtime.counts().ws[counter]}`);
  }
  return sent;
}

/** Goes on reading; gives everything up to the answer of a ping, which comes after what waits. */
async function catchUp(client: SocketClient): Promise<Message[]> {
  client.socket.resume();
  client.say({ type: "ping", id: "end" });
  const messages: Message[] = [];
  for (;;) {
    const message = await client.hear();
    if (message.type === "pong") return messages;
    messages.push(message);
  }
}

contract(
  "drop_oldest: the client is told of each hole, at its place, and nobody else sees one",
  slow('queue = "256KB"\n policy = "drop_oldest"'),
  async (t) => {
    const reader = await t.connect();
    await reader.ask({ type: "join_room", room: "busy", id: 1 });
    const client = await stalled(t);
    const message = (n: number) => ({ n, filler: FILLER });
    const sent = await flood(t, "dropped", 20, message, [reader]);
    let next = 0;
    let dropped = 0;
    for (const { type, count, data } of await catchUp(client)) {
      if (type === "dropped") {
        assert.ok(Number(count) > 0);
        next += Number(count);
        dropped += Number(count);
        continue;
      }
      assert.deepEqual(data, message(next++));
    }
    assert.equal(next, sent);
    assert.equal(dropped, t.runtime.counts().ws.dropped);
    // The newest had their place in the queue.
    assert.equal(t.runtime.counts().ws.closed_slow, 0);
    assert.equal(await t.runtime.sendToRoom("busy", "on"), 2);
    assert.equal((await client.hear()).data, "on");
    await reader.hear();
  },
);

contract(
  "drop_oldest: acks and responses are all there, in order",
  slow('queue = "256KB"\n policy = "drop_oldest"'),
  async (t) => {
    const client = await stalled(t);
    const message = (n: number) => ({ n, filler: FILLER });
    await flood(t, "dropped", 1, message);
    const ids = Array.from({ length: 20 }, (_, id) => id);
    for (const id of ids) {
      client.say({ type: "echo", id, data: id }, { type: "echo", data: id }, { type: "x", id });
      await t.runtime.sendToRoom("busy", message(id));
      await pause(1);
    }
    await until("the errors", () => t.runtime.counts().ws.error_unknown_type === 20);
    const answers = (await catchUp(client))
      .filter((one) => one.room === undefined && one.type !== "dropped")
      .map(({ type, id, data }) => `${type} ${id ?? (data as Message).data}`);
    assert.deepEqual(answers, ids.flatMap((id) => [`ack ${id}`, `message ${id}`, `error ${id}`]));
  },
);

contract(
  "drop_oldest: answers that nobody reads fill the queue and end in 1013",
  slow('queue = "64KB"\n policy = "drop_oldest"'),
  async (t) => {
    const client = await stalled(t);
    for (let id = 0; t.runtime.counts().ws.closed_slow === 0; id++) {
      assert.ok(id < 4_000, "it was not called slow");
      client.say({ type: "echo", id, data: FILLER });
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.socket.resume();
    const { ending } = await client.finish();
    // Deno's own sockets read nothing more, and what a client has sent by then resets it.
    const codes = [closeCode(t.host, 1013), ...t.host.sockets === "deno" ? [1006] : []];
    assert.ok(codes.includes(ending.code), `${ending.code}`);
  },
);

contract(
  "coalesce: a slow client gets the newest of each key, and what has none",
  slow('queue = "256KB"\n policy = "coalesce"\n key = "output.key"'),
  async (t) => {
    const reader = await t.connect();
    await reader.ask({ type: "join_room", room: "busy", id: 1 });
    const client = await stalled(t);
    const message = (n: number) => ({ n, key: n % 3, filler: FILLER });
    let sent = await flood(t, "coalesced", 20, message, [reader]);
    for (const more of [{ n: -1, key: null }, { n: -2, key: null }]) {
      await t.runtime.sendToRoom("busy", more);
      await reader.hear();
    }
    const seen = (await catchUp(client)).map(({ data }) => data as { n: number });
    const { coalesced, closed_slow, dropped } = t.runtime.counts().ws;
    assert.deepEqual([seen.length, closed_slow, dropped], [sent + 2 - coalesced, 0, 0]);
    // In order, and at the end the newest of each key.
    const numbers = seen.map(({ n }) => n);
    assert.deepEqual(numbers.slice(-2), [-1, -2]);
    const numbered = numbers.slice(0, -2);
    assert.deepEqual(numbered, numbered.toSorted((a, b) => a - b));
    assert.deepEqual(numbered.slice(-3), [--sent - 2, sent - 1, sent]);
  },
);

contract(
  "coalesce: more keys than the queue has room for end in 1013",
  slow('queue = "256KB"\n policy = "coalesce"\n key = "output.n"'),
  async (t) => {
    const client = await stalled(t);
    await flood(t, "closed_slow", 1, (n) => ({ n, filler: FILLER }));
    client.socket.resume();
    assert.equal((await client.finish()).ending.code, closeCode(t.host, 1013));
  },
);

for (const policy of ["disconnect", "drop_oldest"]) {
  contract(
    `${policy}: a message larger than the queue fails its flow and closes nobody`,
    slow(`queue = "8KB"\n policy = "${policy}"`) + `
      flow "big" {
        from {
          connector = "ws"
          operation = "big"
        }
        to {
          connector = "ws"
          operation = "broadcast"
        }
      }
    `,
    async (t) => {
      const client = await t.connect();
      const big = await client.ask({ type: "big", id: 1, data: FILLER });
      assert.deepEqual([big.type, big.code], ["error", "flow_failed"]);
      const echo = await client.ask({ type: "echo", id: 2, data: FILLER });
      assert.deepEqual([echo.type, echo.code], ["error", "flow_failed"]);
      await assert.rejects(t.runtime.broadcast(FILLER), /larger than a client's queue/);
      await client.hearsNothing();
      assert.equal(t.runtime.counts().ws.closed_slow, 0);
    },
  );
}

contract(
  "a close comes after all that waited, also where it was held back",
  slow('queue = "1MB"\n policy = "drop_oldest"'),
  async (t) => {
    const client = await stalled(t);
    let sent = 0;
    for (; sent < 60; sent++) await t.runtime.sendToRoom("busy", { n: sent });
    const closed = t.runtime.close();
    client.socket.resume();
    const { messages, ending } = await client.finish();
    assert.deepEqual(messages.map(({ data }) => (data as { n: number }).n), [...Array(60).keys()]);
    assert.equal(ending.code, closeCode(t.host, 1001));
    await closed;
  },
);

contract("pings: 20 at once are answered, those beyond are not", websocket(), async (t) => {
  const client = await t.connect();
  client.say(...Array.from({ length: 60 }, (_, id) => ({ type: "ping", id })));
  const answers = await client.hearMany(60);
  const pongs = Array.from({ length: 20 }, (_, id) => ({ type: "pong", id }));
  assert.deepEqual(answers.slice(0, 20), pongs);
  const refused = answers.filter(({ type }) => type !== "pong");
  // On a slow machine a few more have come in time.
  assert.ok(refused.length >= 20, `${refused.length}`);
  for (const { message, retry_after_ms: wait, id, ...rest } of refused) {
    assert.deepEqual([rest, answers[Number(id)].id], [{ type: "error", code: "rate_limited" }, id]);
    assert.ok(Number.isInteger(wait) && Number(wait) >= 1 && Number(wait) <= 50, `${wait}`);
    assert.equal(message, `too many pings; the next one is answered in ${wait} ms`);
  }
  assert.equal(t.runtime.counts().ws.error_rate_limited, refused.length);
  // Other frames are none, and another connection has a rate of its own.
  assert.equal((await client.ask({ type: "join_room", room: "r", id: 1 })).type, "ack");
  assert.deepEqual(await (await t.connect()).ask({ type: "ping" }), PONG);
  await pause(50 + 2);
  assert.deepEqual(await client.ask({ type: "ping" }), PONG);
});

contract(
  "pings: more than 100 beyond the rate within 10 s close with 1008",
  websocket(),
  async (t) => {
    const client = await t.connect();
    client.say(...Array.from({ length: 300 }, () => ({ type: "ping" })));
    const { messages, ending } = await client.finish();
    const refused = messages.filter(({ code }) => code === "rate_limited");
    if (t.host.features.closeCodes) {
      assert.equal(refused.length, 101);
      assert.deepEqual(ending, { code: 1008, reason: "too many messages" });
    } else assert.ok([4008, 1006].includes(ending.code));
    await until("its end", () => t.runtime.counts().ws.connections === 0);
    assert.equal(t.runtime.counts().ws.closed_rate, 1);
  },
);

contract("pings: 256 bytes are answered, 257 are invalid", websocket(), async (t) => {
  const client = await t.connect();
  const ping = (size: number) => {
    const text = JSON.stringify({ type: "ping", id: 1, data: "ä" });
    return text + " ".repeat(size - new TextEncoder().encode(text).length);
  };
  client.send({ payload: ping(256) });
  assert.deepEqual(await client.hear(), { type: "pong", id: 1 });
  for (const size of [257, 100_000]) {
    client.send({ payload: ping(size) });
    const message = "a ping has at most 256 bytes";
    assert.deepEqual(await client.hear(), {
      type: "error",
      message,
      code: "invalid_message",
      id: 1,
    });
  }
  assert.deepEqual(await client.ask({ type: "ping" }), PONG);
});
