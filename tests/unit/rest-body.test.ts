import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyReader } from "../../src/connectors/rest/request.ts";
import { ManualClock, settle } from "../support/clock.ts";

const LIMIT = 1024;

/** A body that comes when the test says so. */
function upload() {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  const encoder = new TextEncoder();
  return {
    stream,
    send: (text: string) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
    breakOff: () => controller.error(new Error("reset")),
  };
}

/** A reader that reads nothing has no timer after its next check. */
async function assertIdle(clock: ManualClock): Promise<void> {
  await clock.advance(2_000);
  assert.equal(clock.waiting, 0);
}

test("rest body: a hundred share one timer", async () => {
  const clock = new ManualClock();
  const reader = new BodyReader(clock);
  const uploads = Array.from({ length: 100 }, upload);
  const bodies = uploads.map(({ stream }) => reader.read(stream, LIMIT));
  assert.equal(clock.waiting, 1);
  for (const { send, end } of uploads) {
    send("1");
    end();
  }
  assert.deepEqual(await Promise.all(bodies), uploads.map(() => ({ text: "1" })));
  await assertIdle(clock);
});

test("rest body: its parts make the text, and no timer is left", async () => {
  const clock = new ManualClock();
  const { stream, send, end } = upload();
  const body = new BodyReader(clock).read(stream, LIMIT);
  for (const part of ["{", '"ä":', "1}"]) send(part);
  end();
  assert.deepEqual(await body, { text: '{"ä":1}' });
  await assertIdle(clock);
});

test("rest body: one that does not come is given up after 30 seconds", async () => {
  const clock = new ManualClock();
  const { stream, send } = upload();
  let result: unknown;
  const body = new BodyReader(clock).read(stream, LIMIT).then((value) => result = value);
  await clock.advance(20_000);
  send("{");
  await clock.advance(29_999);
  assert.equal(result, undefined);
  await clock.advance(1);
  assert.deepEqual(await body, { failure: "too_slow" });
  assert.equal(stream.locked, false);
  await assertIdle(clock);
});

test("rest body: a slow one times out after 300 seconds in all", async () => {
  const clock = new ManualClock();
  const { stream, send } = upload();
  let result: unknown;
  void new BodyReader(clock).read(stream, LIMIT).then((value) => result = value);
  for (let seconds = 0; seconds < 290; seconds += 10) {
    send(" ");
    await clock.advance(10_000);
  }
  await clock.advance(9_999);
  assert.equal(result, undefined);
  await clock.advance(1);
  assert.deepEqual(result, { failure: "too_slow" });
});

test("rest body: one that is too large is not read further", async () => {
  const { stream, send } = upload();
  const body = new BodyReader(new ManualClock()).read(stream, LIMIT);
  for (let i = 0; i < 5; i++) send("x".repeat(LIMIT / 2));
  assert.deepEqual(await body, { failure: "too_large" });
  // Of five parts the third was too much, and the others are still there.
  const { value } = await stream.getReader().read();
  assert.equal(value?.length, LIMIT / 2);
});

test("rest body: one that is incomplete or not UTF-8 is broken", async () => {
  const clock = new ManualClock();
  const { stream, send, breakOff } = upload();
  const body = new BodyReader(clock).read(stream, LIMIT);
  send("{");
  await settle();
  breakOff();
  assert.deepEqual(await body, { failure: "broken" });
  const bytes = new Response(Uint8Array.of(0xff)).body;
  assert.ok(bytes !== null);
  assert.deepEqual(await new BodyReader(clock).read(bytes, LIMIT), { failure: "broken" });
  await assertIdle(clock);
});

test("rest body: what is awaited is given up when the connector stops, and nothing is read later", async () => {
  const clock = new ManualClock();
  const reader = new BodyReader(clock);
  const first = upload();
  const body = reader.read(first.stream, LIMIT);
  first.send("{");
  await settle();
  reader.close();
  assert.deepEqual(await body, { failure: "closing" });
  assert.deepEqual(await reader.read(upload().stream, LIMIT), { failure: "closing" });
  assert.equal(clock.waiting, 0);
});
