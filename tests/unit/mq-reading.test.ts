import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { AsyncMessage } from "rabbitmq-client";
import {
  boundHeader,
  withContentType,
} from "../../src/connectors/mq/drivers/rabbitmq/frame-guard.ts";
import { double, long, nestedTable, short, table, value } from "../support/amqp-raw.ts";

/** A header frame's payload: these properties behind their flags. */
function payload(flags: number, ...properties: Buffer[]): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(flags, 12);
  return Buffer.concat([head, ...properties, Buffer.from([0xce])]);
}

/** Where the bytes of two payloads differ. */
function changes(before: Buffer, after: Buffer): number[] {
  assert.equal(before.length, after.length);
  return [...before.keys()].filter((at) => before[at] !== after[at]);
}

test("a list or table in a header at level 66 becomes bytes, one above it stays", () => {
  const around = {
    "": value("S", long("x".repeat(400))),
    number: value("d", double(1)),
    none: value("V", Buffer.alloc(0)),
  };
  for (const letter of ["A", "F"]) {
    for (const levels of [1, 63, 64, 65, 66, 5_000, 20_000]) {
      const deep = nestedTable(letter, levels);
      const headers = table({ ...around, h: deep, behind: value("t", Buffer.from([1])) });
      const message = payload(0x2080, headers, short("the id"));
      const bounded = Buffer.from(message);
      boundHeader(bounded);
      const changed = changes(message, bounded);
      // The table of all headers is level 1.
      const at = message.indexOf(deep) + 64 * (letter === "A" ? 5 : 7);
      assert.deepEqual(changed, levels < 65 ? [] : [at], `${levels} ${letter}`);
      if (levels >= 65) assert.equal(String.fromCharCode(message[at], bounded[at]), `${letter}x`);
    }
  }
});

test("each header is bounded, also behind one that was", () => {
  const deep = nestedTable("A", 100);
  const message = payload(0x2000, table({ a: deep, b: deep, c: value("A", long(deep)) }));
  const bounded = Buffer.from(message);
  boundHeader(bounded);
  assert.equal(changes(message, bounded).length, 3);
});

test("a header frame that is cut or damaged is read to its end at most", () => {
  const message = payload(
    0xe000,
    short("application/json"),
    short("x"),
    table({ a: nestedTable("F", 80) }),
  );
  for (let length = 0; length < message.length; length++) {
    boundHeader(Buffer.from(message.subarray(0, length)));
    const damaged = Buffer.from(message);
    damaged.fill(0xff, length, Math.min(length + 4, damaged.length));
    boundHeader(damaged);
  }
});

test("the library parses no body, and the content type is restored", () => {
  for (const type of ["application/json", "text/plain"]) {
    const bounded = payload(0x8000, short(type));
    boundHeader(bounded);
    const contentType = bounded.toString("latin1", 15, 15 + type.length);
    assert.notEqual(contentType, type);
    assert.equal(withContentType({ contentType } as AsyncMessage).contentType, type);
  }
  for (const contentType of ["text/html", "application/json; charset=utf-8", "", undefined]) {
    const bounded = payload(0x8000, short(contentType ?? ""));
    const before = Buffer.from(bounded);
    boundHeader(bounded);
    assert.deepEqual(bounded, before);
    assert.equal(withContentType({ contentType } as AsyncMessage).contentType, contentType);
  }
});
