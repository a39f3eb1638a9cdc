/** How instances write to each other: the bytes of batches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BatchWriter, type Entry, entry, Kind, readBatch } from "../../src/cluster/batches.ts";

const payload = fc.uint8Array({ maxLength: 300 });
const message = payload.map((bytes) => entry(Kind.message, { payload: bytes }));
const other = fc.record({
  kind: fc.integer({ min: 1, max: 255 }),
  number: fc.maxSafeNat(),
  connector: fc.string({ unit: "grapheme", maxLength: 50 }),
  payload,
});
const anyEntry: fc.Arbitrary<Entry> = fc.oneof(message, other);
const id = fc.stringMatching(/^[a-z0-9]{1,32}$/);

function write(entries: readonly Entry[], sender: string, sequence: number): Uint8Array {
  const writer = new BatchWriter();
  for (const one of entries) writer.add(one);
  return writer.finish(sender, sequence);
}

/** Plain bytes, since a part of others has another class on Node. */
function plain(entries: readonly Entry[]): unknown {
  return entries.map((one) => ({ ...one, payload: [...one.payload] }));
}

test("what was written is read", () => {
  fc.assert(fc.property(fc.array(anyEntry), id, fc.maxSafeNat(), (entries, sender, sequence) => {
    const batch = readBatch(write(entries, sender, sequence));
    assert.ok(typeof batch === "object");
    assert.equal(batch.sender, sender);
    assert.equal(batch.sequence, sequence);
    assert.deepEqual(plain(batch.entries), plain(entries));
  }));
});

test("any bytes are read or refused, and none throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const batch = readBatch(bytes);
    if (bytes.length === 0) assert.equal(batch, "unreadable");
    else if (bytes[0] !== 1) assert.equal(batch, "unknown version");
    assert.ok(typeof batch === "object" || batch === "unreadable" || bytes[0] !== 1);
  }));
});

test("a batch of which something is missing or changed is refused or read, and never throws", () => {
  const bytes = write(
    [entry(Kind.tell, { connector: "ws", payload: new Uint8Array(9) })],
    "a1",
    300,
  );
  for (let length = 1; length < bytes.length; length++) {
    // The head alone is a batch without entries.
    const batch = readBatch(bytes.subarray(0, length));
    assert.ok(batch === "unreadable" || (typeof batch === "object" && batch.entries.length === 0));
  }
  for (let at = 1; at < bytes.length; at++) {
    for (const value of [0, 127, 128, 255]) {
      readBatch(Uint8Array.from(bytes).fill(value, at, at + 1));
    }
  }
});

for (
  const [what, bytes] of [
    ["a sender of 33 characters", [1, 33, ...Array(33).fill(0x61), 1]],
    ["a sender with a capital letter", [1, 1, 0x41, 1]],
    ["no sender", [1, 0, 1]],
    ["a number above 2^53", [1, 1, 0x61, ...Array(9).fill(0xff), 1]],
    ["a number without an end", [1, 1, 0x61, ...Array(500).fill(0x80)]],
    ["a length beyond the end", [1, 1, 0x61, 1, Kind.message, 5, 0]],
    ["a connector that is not UTF-8", [1, 1, 0x61, 1, Kind.tell, 0, 1, 0xff, 0]],
  ] as const
) {
  test(`${what} is refused`, () => assert.equal(readBatch(Uint8Array.from(bytes)), "unreadable"));
}

test("the payload of a message is a part of the bytes that were read", () => {
  const bytes = write([entry(Kind.message, { payload: new Uint8Array(100) })], "a", 1);
  const batch = readBatch(bytes);
  assert.ok(typeof batch === "object");
  assert.equal(batch.entries[0].payload.buffer, bytes.buffer);
});
