/** The frames of the workers' link. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compact,
  decodeList,
  decodeMessage,
  encodeEmpty,
  encodeList,
  encodeMessage,
  FrameReader,
  Kind,
  kindOf,
} from "../../src/cluster/hub/frames.ts";

const TEXTS = ["", "room", "räume 🙂", "x".repeat(1_000), "a\0b", "\ufeffbom"];

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

test("a frame is read as it was written", () => {
  for (const topic of TEXTS) {
    for (const message of [new Uint8Array(), new Uint8Array([0, 255]), new Uint8Array(70_000)]) {
      const frame = encodeMessage(topic, message);
      assert.equal(kindOf(frame), Kind.message);
      assert.deepEqual(decodeMessage(frame), [topic, message]);
    }
  }
  for (const number of [0, 1, 2 ** 32 - 1]) {
    assert.deepEqual(decodeList(encodeList(Kind.withdraw, number, TEXTS)), [number, TEXTS]);
    assert.deepEqual(decodeList(encodeList(Kind.taken, number)), [number, []]);
  }
});

test("frames arrive whole, wherever what arrives is cut", () => {
  const frames = [
    encodeEmpty(Kind.open),
    encodeMessage("room", new Uint8Array(300).fill(7)),
    encodeList(Kind.subscribe, 1, TEXTS.slice(0, 3)),
    encodeEmpty(Kind.close),
  ];
  const all = concat(frames);
  for (let size = 1; size <= all.length; size++) {
    const reader = new FrameReader();
    const read: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += size) {
      // What was read before must not change with the buffer of the socket.
      const chunk = all.slice(at, at + size);
      reader.read(chunk, (frame) => void read.push(frame.slice()));
      chunk.fill(0);
    }
    assert.deepEqual(read, frames, `in chunks of ${size} bytes`);
  }
});

test("a frame that waits keeps only itself in memory", () => {
  const chunk = new Uint8Array(64 * 1024);
  const small = encodeMessage("room", new Uint8Array(100).fill(7));
  chunk.set(small, 1_000);
  const kept = compact(chunk.subarray(1_000, 1_000 + small.length));
  assert.deepEqual(kept, small);
  assert.equal(kept.buffer.byteLength, small.length);
  const large = chunk.subarray(0, 40_000);
  assert.equal(compact(large), large, "a large one is not copied");
});
