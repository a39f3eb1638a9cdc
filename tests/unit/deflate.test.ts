import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { constants, inflateRawSync } from "node:zlib";
import { COMPRESSION_THRESHOLD, Deflater, offersDeflate } from "../../src/transport/deflate.ts";
import { Frame } from "../../src/transport/frame.ts";
import type { Batch } from "../../src/transport/socket.ts";
import { decodeFrame } from "../support/socket-frames.ts";

/** A batch that says so when its own bytes are used. */
function batch(...frames: readonly Frame[]): Batch & { readonly own: Uint8Array } {
  const own = Buffer.concat(frames.map(({ bytes }) => bytes));
  return { frames, size: own.length, bytes: () => own, own };
}

/** The texts of frames on the wire, and whether each is compressed. */
function read(bytes: Uint8Array): (readonly [text: string, compressed: boolean])[] {
  const texts: (readonly [string, boolean])[] = [];
  for (let left = Buffer.from(bytes); left.length > 0;) {
    const decoded = decodeFrame(left);
    assert.ok(decoded, "the last frame is cut off");
    const { opcode, fin, reserved, masked, payload } = decoded.frame;
    assert.deepEqual([opcode, fin, masked], [1, true, false]);
    assert.ok(reserved === 0 || reserved === 4);
    const tail = Buffer.from([0, 0, 0xff, 0xff]);
    const text = reserved === 0 ? payload : inflateRawSync(Buffer.concat([payload, tail]), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    texts.push([text.toString(), reserved === 4]);
    left = left.subarray(decoded.end);
  }
  return texts;
}

test("an offer is accepted if all of its parameters are", () => {
  for (
    const header of [
      "permessage-deflate",
      " permessage-deflate ",
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate;client_max_window_bits=8",
      'permessage-deflate; client_max_window_bits="15"',
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; client_no_context_takeover ; server_no_context_takeover",
      "permessage-deflate; server_max_window_bits=10, permessage-deflate",
      "foo; bar=1, permessage-deflate; client_max_window_bits",
    ]
  ) assert.ok(offersDeflate(header), header);
});

test("any other offer is declined, however odd", () => {
  for (
    const header of [
      "",
      ",",
      ";",
      ";;;,,,",
      "permessage",
      "PERMESSAGE-DEFLATE",
      "permessage-deflate2",
      "permessage-deflate;",
      "permessage-deflate; ;",
      "permessage-deflate; unknown",
      "permessage-deflate; server_max_window_bits",
      "permessage-deflate; server_max_window_bits=10",
      "permessage-deflate; server_max_window_bits=15",
      "permessage-deflate; client_max_window_bits=7",
      "permessage-deflate; client_max_window_bits=16",
      "permessage-deflate; client_max_window_bits=010",
      "permessage-deflate; client_max_window_bits=",
      'permessage-deflate; client_max_window_bits="15',
      "permessage-deflate; client_max_window_bits=1e1",
      "permessage-deflate; client_no_context_takeover=1",
      "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
      "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
      "x".repeat(10_000),
    ]
  ) assert.ok(!offersDeflate(header), header);
});

test("a frame is compressed once, for all recipients and in every batch", () => {
  const deflater = new Deflater();
  const frame = new Frame("ab".repeat(2000));
  const bytes = deflater.bytes(batch(frame));
  assert.equal(deflater.bytes(batch(frame)), bytes);
  assert.ok(bytes.length < 100);
  assert.deepEqual(read(bytes), [[frame.text, true]]);
  const small = new Frame("small");
  const joined = deflater.bytes(batch(small, frame, small));
  assert.deepEqual(read(joined), [["small", false], [frame.text, true], ["small", false]]);
});

test("below the threshold a batch is not compressed", () => {
  const deflater = new Deflater();
  const largest = new Frame("x".repeat(COMPRESSION_THRESHOLD - 5));
  assert.equal(largest.bytes.length, COMPRESSION_THRESHOLD - 1);
  const small = batch(new Frame("{}"), largest);
  assert.equal(deflater.bytes(small), small.own);
  const first = new Frame("x".repeat(COMPRESSION_THRESHOLD - 4));
  assert.deepEqual(read(deflater.bytes(batch(first))), [[first.text, true]]);
});

test("the least compressible text does not become longer", () => {
  // Seven bits in each byte is the most that UTF-8 can hold.
  const worst = Buffer.from(randomBytes(COMPRESSION_THRESHOLD).map((byte) => byte & 127))
    .toString();
  const frame = new Frame(worst);
  const bytes = new Deflater().bytes(batch(frame));
  assert.deepEqual(read(bytes), [[worst, true]]);
  assert.ok(bytes.length <= frame.bytes.length, `${bytes.length} of ${frame.bytes.length}`);
});

test("the length of a compressed frame is encoded in all three ways", () => {
  const text = (size: number) => randomBytes(size).toString("base64");
  for (
    const frame of [new Frame("z".repeat(5000)), new Frame(text(3000)), new Frame(text(90_000))]
  ) {
    const bytes = new Deflater().bytes(batch(frame));
    assert.deepEqual(read(bytes), [[frame.text, true]]);
    assert.ok(bytes.length < frame.bytes.length);
  }
});
