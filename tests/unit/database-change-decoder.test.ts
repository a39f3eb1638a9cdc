import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { Change } from "../../src/connectors/database/changes/feed.ts";
import { Decoder } from "../../src/connectors/database/drivers/postgres/changes/decoder.ts";

const text = (value: string) => Buffer.from(`${value}\0`);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number) => int32(value).subarray(2);

/** Values of a row: null, a text, or one that the server did not send. */
const tuple = (values: readonly (string | null | undefined)[]) =>
  Buffer.concat([
    int16(values.length),
    ...values.map((value) =>
      value === null
        ? Buffer.from("n")
        : value === undefined
        ? Buffer.from("u")
        : Buffer.concat([Buffer.from("t"), int32(Buffer.byteLength(value)), Buffer.from(value)])
    ),
  ]);

const RELATION = Buffer.concat([
  ...[Buffer.from("R"), int32(7), text("public"), text("t"), Buffer.from("d"), int16(3)],
  ...[Buffer.of(1), text("id"), int32(23), int32(-1)],
  ...[Buffer.of(0), text("a"), int32(25), int32(-1)],
  ...[Buffer.of(0), text("bad"), int32(99), int32(-1)],
]);
const INSERT = Buffer.concat([
  ...[Buffer.from("I"), int32(7), Buffer.from("N"), tuple(["1", "ä🙂", null])],
]);
const UPDATE = Buffer.concat([
  ...[Buffer.from("U"), int32(7), Buffer.from("O"), tuple(["1", "old", null])],
  ...[Buffer.from("N"), tuple(["2", undefined, null])],
]);
const DELETE = Buffer.concat([
  Buffer.from("D"),
  int32(7),
  Buffer.from("K"),
  tuple(["2", null, null]),
]);

function made() {
  const changes: Change[] = [];
  const problems: string[] = [];
  const ends: bigint[] = [];
  const decoder = new Decoder({
    tableOf: ({ schema, name }) => schema === "public" && name === "t" ? "t" : undefined,
    decoderOf(type) {
      if (type === 23) return Number;
      if (type !== 99) return undefined;
      return () => {
        throw new Error("no such value");
      };
    },
  });
  const sink = {
    change: (change: Change) => void changes.push(change),
    unreadable: (_: unknown, reason: string) => void problems.push(reason),
    end: (position: bigint) => void ends.push(position),
  };
  const read = (bytes: Buffer) => decoder.read(bytes, "0/1", sink);
  return { decoder, read, changes, problems, ends };
}

test("rows are read by the shape that the server has described", () => {
  const { decoder, read, changes, ends } = made();
  const begin = Buffer.alloc(21);
  begin[0] = 0x42;
  begin.writeBigInt64BE(1_000_001n, 9);
  read(begin);
  assert.equal(decoder.inTransaction, true);
  assert.deepEqual(decoder.typesOf(RELATION), [23, 25, 99]);
  for (const message of [RELATION, INSERT, UPDATE, DELETE]) read(message);
  const commit = Buffer.alloc(26);
  commit[0] = 0x43;
  commit.writeBigInt64BE(0x1_0000_0002n, 10);
  read(commit);
  assert.equal(decoder.inTransaction, false);
  assert.deepEqual(ends, [0x1_0000_0002n]);
  const common = { table: "t", lsn: "0/1", committedAt: "2000-01-01T00:00:01.000001Z" };
  assert.deepEqual(changes, [
    {
      ...common,
      operation: "INSERT",
      row: { id: 1, a: "ä🙂", bad: null },
      old: null,
      unchanged: [],
    },
    {
      ...common,
      operation: "UPDATE",
      row: { id: 2, a: "old", bad: null },
      old: { id: 1, a: "old", bad: null },
      unchanged: [],
    },
    { ...common, operation: "DELETE", row: { id: 2 }, old: { id: 2 }, unchanged: [] },
  ]);
});

test("a value that cannot be read is a problem of its row alone", () => {
  const { read, changes, problems } = made();
  read(RELATION);
  read(Buffer.concat([Buffer.from("I"), int32(7), Buffer.from("N"), tuple(["1", "a", "x"])]));
  read(INSERT);
  assert.deepEqual(problems, ['its column "bad" cannot be read: no such value']);
  assert.equal(changes.length, 1);
});

test("what no flow wants, and messages without rows, are passed over", () => {
  const { decoder, read, changes } = made();
  const other = Buffer.from(RELATION);
  other.write("other!", 5);
  assert.deepEqual(decoder.typesOf(other), []);
  for (const message of [other, INSERT, UPDATE, DELETE]) read(message);
  for (const kind of ["O", "Y", "T", "M"]) read(Buffer.from(`${kind}anything`));
  assert.deepEqual(changes, []);
  assert.throws(() => read(Buffer.from("S")), /a message of the kind 83/);
});

test("a message that is cut at any byte is an error, and never a change", () => {
  for (const message of [INSERT, UPDATE, DELETE]) {
    for (let length = 1; length < message.length; length++) {
      const { read, changes, problems } = made();
      read(RELATION);
      assert.throws(() => read(message.subarray(0, length)), `${length}`);
      assert.deepEqual([changes, problems], [[], []]);
    }
  }
  for (let length = 1; length < RELATION.length; length++) {
    const { read } = made();
    assert.throws(() => read(RELATION.subarray(0, length)), `${length}`);
  }
});
