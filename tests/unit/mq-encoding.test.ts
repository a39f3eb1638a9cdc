import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { Envelope } from "rabbitmq-client";
import {
  fittingHeaders,
  FRAME_MAX,
  headerProblem,
  pack,
  unpack,
} from "../../src/connectors/mq/drivers/rabbitmq/headers.ts";
import { type Random, seeded } from "../support/random.ts";

/** What the client library does with a header. */
const { encodeFrame } = createRequire(import.meta.url)("rabbitmq-client/lib/codec.js") as {
  encodeFrame(data: unknown, maxSize: number): Buffer;
};

/** The bytes of a header frame; undefined where the library cannot write it. */
function encoded(fields: Envelope): Buffer | undefined {
  try {
    const { durable: _, ...rest } = fields;
    const frame = { type: 2, channelId: 1, bodySize: 0, fields: { deliveryMode: 2, ...rest } };
    return encodeFrame(frame, FRAME_MAX);
  } catch {
    return undefined;
  }
}

function anyValue(random: Random, depth: number): unknown {
  const kinds: (() => unknown)[] = [
    () => "x".repeat(random.below(700)),
    () => "é\u{1f600}".repeat(random.below(200)),
    () => random.below(1_000_000) - 500_000,
    () => (random.below(2_000) - 1_000) * 10 ** random.below(300),
    () => [NaN, Infinity, -Infinity, -0, 2 ** 63, -(2 ** 63), 2 ** 53][random.below(7)],
    () => random.below(2) === 0,
    () => null,
    () => Buffer.alloc(random.below(100), 1),
  ];
  if (depth > 0) {
    kinds.push(
      () => Array.from({ length: random.below(4) }, () => anyValue(random, depth - 1)),
      () => anyTable(random, depth - 1, 4),
    );
  }
  return kinds[random.below(kinds.length)]();
}

function anyTable(random: Random, depth: number, most: number): Record<string, unknown> {
  const entries = Array.from({ length: random.below(most) }, (_, n) => {
    const name = `${n}${"n".repeat(random.below(random.below(8) === 0 ? 300 : 10))}`;
    return [name, anyValue(random, depth)];
  });
  return Object.fromEntries(entries);
}

test("the library can write every header that is said to be good", () => {
  const random = seeded(11);
  let [good, bad] = [0, 0];
  for (let n = 0; n < 3_000; n++) {
    const envelope: Envelope = {
      headers: anyTable(random, 3, 12),
      messageId: "é".repeat(random.below(140)),
      ...(random.below(8) === 0 ? { timestamp: [-1, 0, 2 ** 53, 2 ** 64][random.below(4)] } : {}),
    };
    const problem = headerProblem(envelope);
    if (problem === undefined) {
      good++;
      assert.notEqual(encoded(envelope), undefined, JSON.stringify(envelope));
    } else bad++;
  }
  assert.ok(good > 300 && bad > 300, `${good} good, ${bad} bad`);
});

test("a header is measured as the library measures it, but for numbers, which count as the longest", () => {
  for (const length of [0, 100, 8_000]) {
    const headers = { a: "x".repeat(length), b: [true, null, { c: "é" }] };
    const envelope = { headers, messageId: "id", contentType: "application/json" };
    const size = encoded(envelope)!.length - 8;
    const room = FRAME_MAX - size;
    const grown = (by: number) => ({ ...envelope, headers: { ...headers, d: "x".repeat(by) } });
    // Absent texts, the priority and the time count as well.
    const spare = 7 + 1 + 8;
    assert.equal(headerProblem(grown(room - 7 - spare)), undefined);
    assert.match(String(headerProblem(grown(room))), /its headers take \d+ bytes, and 8192 fit/);
  }
});

test("a problem names what is wrong", () => {
  const cases: readonly (readonly [Envelope, string])[] = [
    [{ timestamp: 2 ** 64 }, "its timestamp cannot be written"],
    [{ messageId: "\ufffd".repeat(255) }, "its messageId cannot be written"],
    [{ headers: { "a\nb": NaN } }, "its header a\\nb cannot be written"],
    [{ headers: { a: Buffer.from("x") } }, "its header a cannot be written"],
    [{ headers: { ["n".repeat(256)]: 1 } }, `its header ${"n".repeat(100)}… cannot be written`],
  ];
  for (const [envelope, problem] of cases) assert.equal(headerProblem(envelope), problem);
  let deep: unknown = 1;
  for (let n = 0; n < 10_000; n++) deep = [deep];
  assert.equal(headerProblem({ headers: { deep } }), "its header deep cannot be written");
});

test("of headers that do not fit together, the small ones stay", () => {
  const headers = { large: "x".repeat(8_000), bytes: Buffer.from("x"), small: 1, medium: "y" };
  const { kept, left } = fittingHeaders(headers, { own: "z".repeat(500) }, { messageId: "id" });
  assert.deepEqual(kept, { medium: "y", small: 1 });
  assert.deepEqual(left, ["large", "bytes"]);
});

test("what is packed in front of a body is unpacked unchanged", () => {
  const random = seeded(12);
  for (let n = 0; n < 500; n++) {
    const value = { headers: anyTable(random, 4, 8), type: "t" };
    const body = Buffer.from(`body ${n}`);
    const packed = pack(value, body);
    const found = unpack(packed.body, packed.length);
    assert.deepEqual(found?.value, value);
    assert.deepEqual(found?.body, body);
  }
  const tricky = { a: ["bytes", "eA=="], ["__proto__"]: ["list"], b: ["number", "NaN"] };
  const { body, length } = pack(tricky, Buffer.from(""));
  assert.deepEqual(unpack(body, length)?.value, tricky);
});

test("what was not packed is not unpacked", () => {
  const body = Buffer.from('["map",["a"');
  for (const length of [-1, 0, 3, 11, 12, 1.5, NaN]) assert.equal(unpack(body, length), undefined);
  for (const text of ['["odd"]', '["map",1]', '["list",["odd"]]']) {
    assert.equal(unpack(Buffer.from(text), text.length), undefined, text);
  }
});
