/** The form of events and of requests for them, and the stream that a runtime pulls. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchOf } from "../../src/connectors/websocket/batch.ts";
import { messageFrame } from "../../src/connectors/websocket/protocol.ts";
import { lastEvent } from "../../src/connectors/websocket/sse/answers.ts";
import { acceptsStream, roomsOf } from "../../src/connectors/websocket/sse/request.ts";
import { EventEncoder, eventOf, type StreamEndpoint } from "../../src/transport/event-stream.ts";
import { Frame } from "../../src/transport/frame.ts";
import { PullStreams } from "../../src/transport/pull-stream.ts";
import type { Peer, SocketSession } from "../../src/transport/socket.ts";
import { Stall } from "../../src/transport/stall.ts";
import { streamRequest } from "../support/fake-stream.ts";
import { until } from "../support/socket-probe.ts";

const decoder = new TextDecoder();

test("events: a message is one line of data, whatever its text", () => {
  const lines = /^data: [^\n\r]*\n\n$/;
  const check = (data: unknown, room: string): void => {
    const frame = messageFrame(data, room);
    const event = eventOf(frame);
    assert.match(event, lines);
    assert.equal(event.slice("data: ".length, -2), frame.text);
  };
  fc.assert(fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), check), { numRuns: 50 });
  for (const text of ["\n", "\r", "\r\n", "\u2028\u2029", "\0", "data: x\n\n", ":"]) {
    assert.match(eventOf(messageFrame(text, text)), lines);
  }
});

test("events: a batch is encoded once for all its recipients", () => {
  const encoder = new EventEncoder();
  const [one, two] = [new Frame('{"n":1}'), new Frame('{"ä":2}')];
  const batch = batchOf([one, two]);
  const bytes = encoder.bytes(batch);
  assert.equal(decoder.decode(bytes), 'data: {"n":1}\n\ndata: {"ä":2}\n\n');
  assert.equal(encoder.bytes(batch), bytes);
  assert.equal(encoder.knows(batch), true);
  const other = batchOf([one]);
  assert.equal(encoder.knows(other), false);
  assert.equal(encoder.text(other), 'data: {"n":1}\n\n');
  // The same frame in another batch is not encoded again.
  assert.equal(encoder.bytes(batchOf([one])), encoder.bytes(batchOf([one])));
});

test("events: the last one says why, when to come back, and whether at all", () => {
  assert.equal(
    lastEvent(1008, "token expired"),
    'event: close\ndata: {"code":1008,"reason":"token expired"}\n\n',
  );
  assert.equal(
    lastEvent(1008, "disconnected by a flow"),
    'id: end\nevent: close\ndata: {"code":1008,"reason":"disconnected by a flow"}\n\n',
  );
  const waits = Array.from({ length: 200 }, () => {
    const [, retry] = /^retry: (\d+)\nevent: close\ndata: \{"code":1001,/.exec(
      lastEvent(1001, "the server is shutting down"),
    )!;
    return Number(retry);
  });
  assert.ok(waits.every((wait) => wait >= 1_000 && wait < 5_000));
  assert.ok(new Set(waits).size > 100, "clients come back at different times");
});

test("requests: what a client accepts, in any form", () => {
  for (const accept of ["text/event-stream", "*/*", " */* ; q=0.3", "a/b,text/event-stream;q=1"]) {
    assert.equal(acceptsStream(accept), true, accept);
  }
  const bad = ["", ",", ";", "*", "text/event-stream;q=0", "*/*;q=0.0", "*/*,*/*", "text/event"];
  for (const accept of bad) assert.equal(acceptsStream(accept), false, accept);
  fc.assert(fc.property(fc.string(), (text) => typeof acceptsStream(text) === "boolean"));
});

test("requests: rooms are those of the query, each once", () => {
  assert.deepEqual(roomsOf(streamRequest("room=b&room=a&room=b&rooms=c&Room=d")), ["b", "a"]);
  assert.deepEqual(roomsOf(streamRequest("room=a%20b&room=a+b&room")), ["a b", ""]);
  assert.deepEqual(roomsOf(streamRequest("")), []);
  assert.deepEqual(roomsOf(streamRequest("room=a", { hasQuery: false })), []);
});

/** Counts what happens to a session. */
class Session implements SocketSession {
  peer: Peer | undefined;
  ends: [code: number, reason: string][] = [];
  abandoned = 0;
  pongs = 0;

  open(peer: Peer): void {
    this.peer = peer;
  }
  abandon(): void {
    this.abandoned++;
  }
  message(): void {}
  binary(): void {}
  ping(): void {}
  pong(): void {
    this.pongs++;
  }
  flush(): void {}
  closing(): void {}
  close(code: number, reason: string): void {
    this.ends.push([code, reason]);
  }
}

/** An endpoint that lets everybody in. */
function endpointOf(session: SocketSession, stallTimeout = 60_000): StreamEndpoint {
  return {
    path: "/events",
    stallTimeout,
    answer: () => ({ accepted: true, headers: { "x-test": "1" }, session, lastEvent }),
  };
}

async function pulled(session: Session, stallTimeout?: number) {
  const controller = new AbortController();
  const { signal } = controller;
  const endpoint = endpointOf(session, stallTimeout);
  const response = await new PullStreams().answer(endpoint, streamRequest(), signal, () => {});
  const reader = response.body!.getReader();
  const read = async (): Promise<string | undefined> => {
    const { value } = await reader.read();
    return value && decoder.decode(value);
  };
  return { response, reader, read, abort: () => controller.abort(), peer: session.peer! };
}

test("pull streams: what is not taken waits, is counted, and comes as one piece", async () => {
  const session = new Session();
  const { response, reader, read, peer } = await pulled(session);
  assert.equal(response.headers.get("x-test"), "1");
  const batch = batchOf([new Frame('"a"')]);
  assert.ok(peer.send(batch) > 0);
  assert.equal(peer.send(batch), peer.bufferedAmount);
  assert.equal(await read(), ':\n\ndata: "a"\n\ndata: "a"\n\n');
  const next = read();
  await until("a pull", () => peer.send(batch) === 0);
  assert.match(await next ?? "", /^data: "a"\n\n/);
  peer.ping?.();
  assert.equal(session.pongs, 1);
  await reader.cancel();
});

test("pull streams: the end comes after what waits", async () => {
  const session = new Session();
  const { read, peer } = await pulled(session);
  peer.send(batchOf([new Frame('"a"')]));
  peer.close(1013, "slow consumer", 60_000);
  assert.deepEqual(session.ends, []);
  assert.equal(peer.send(batchOf([new Frame('"b"')])), -1);
  assert.equal(await read(), `:\n\ndata: "a"\n\n${lastEvent(1013, "slow consumer")}`);
  assert.equal(await read(), undefined);
  assert.deepEqual(session.ends, [[1013, "slow consumer"]]);
});

test("pull streams: a client that takes nothing of its end is cut off", async () => {
  const session = new Session();
  const { reader, peer } = await pulled(session);
  peer.close(1001, "bye", 20);
  await until("its end", () => session.ends.length > 0);
  assert.deepEqual(session.ends, [[1001, "bye"]]);
  await assert.rejects(reader.read(), (error) => /cut off/.test(String(error)));
});

test("pull streams: a client that leaves ends once, whoever tells of it", async () => {
  for (const way of ["cancel", "abort", "both"]) {
    const session = new Session();
    const { reader, abort, peer } = await pulled(session);
    if (way !== "abort") await reader.cancel();
    if (way !== "cancel") abort();
    assert.deepEqual(session.ends, [[1006, ""]], way);
    peer.close(1001, "", 10);
    peer.terminate?.();
    peer.ping?.();
    assert.equal(peer.send(batchOf([new Frame("1")])), -1);
    assert.equal(session.ends.length, 1);
  }
});

test("pull streams: a client that has left before is not let in", async () => {
  const session = new Session();
  const { signal } = { signal: AbortSignal.abort() };
  const answer = await new PullStreams()
    .answer(endpointOf(session), streamRequest(), signal, () => assert.fail("it is open"));
  assert.deepEqual([answer.status, session.abandoned, session.peer], [499, 1, undefined]);
});

test("a stall: something waits, and nothing is taken for that time", async () => {
  let [waiting, taken] = [10, 0];
  let stalls = 0;
  const stall = new Stall(80, () => ({ waiting, taken }), () => stalls++);
  stall.watch();
  // Progress at any rate is no stall.
  const until200 = performance.now() + 200;
  await until("some time", () => {
    taken++;
    return performance.now() > until200;
  });
  assert.equal(stalls, 0);
  await until("a stall", () => stalls === 1);
  stall.stop();
  // Nothing waits: it is not watched.
  waiting = 0;
  const idle = new Stall(1, () => ({ waiting, taken }), () => assert.fail("nothing waits"));
  idle.watch();
  idle.stop();
});
