/** Messages that the supervisor keeps for its workers: what outlives whom, and what is no frame. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackplaneListener, Position } from "../../src/contract/backplane.ts";
import { encodeEmpty, Kind } from "../../src/cluster/hub/frames.ts";
import {
  decodeAppend,
  decodeRead,
  encodeAppend,
  encodeRead,
} from "../../src/cluster/hub/kept-frames.ts";
import { ManualClock } from "../support/clock.ts";
import { type LinkedWorker, MemoryLinks } from "../support/link.ts";
import { soon } from "../support/linked-hubs.ts";

const KEEP = { size: 3, ttl: 60_000 };
const encoder = new TextEncoder();
const texts = (messages: readonly Uint8Array[] | undefined) =>
  messages?.map((message) => new TextDecoder().decode(message));

interface Worker extends LinkedWorker {
  readonly kept: { readonly topic: string; readonly at: Position; readonly texts: unknown }[];
}

async function join(links: MemoryLinks, id: string): Promise<Worker> {
  const ends = links.add(id);
  const worker: Worker = Object.assign(ends, { kept: [] });
  const listener: BackplaneListener = {
    message: () => assert.fail("nothing is published"),
    down: () => {},
    up: () => {},
    members: () => {},
    kept: (topic, at, messages) => void worker.kept.push({ topic, at, texts: texts(messages) }),
  };
  await ends.link.open(listener);
  return worker;
}

function append({ link }: Worker, topic: string, ...messages: readonly string[]) {
  return link.history.append(
    topic,
    messages.map((text) => ({ message: encoder.encode(text) })),
    KEEP,
  );
}

test("the supervisor keeps what workers append, and hands it to all that listen", async () => {
  const links = new MemoryLinks();
  const [a, b] = [await join(links, "a"), await join(links, "b")];
  await Promise.all([a.link.subscribe(["x"]), b.link.subscribe(["x", "y"])]);
  const { epoch, offsets } = await append(a, "x", "1", "2");
  assert.deepEqual(offsets, [1, 2]);
  await append(b, "y", "only b");
  const expected = { topic: "x", at: { epoch, offset: 1 }, texts: ["1", "2"] };
  await soon("both", () => a.kept.length === 1 && b.kept.length === 2);
  assert.deepEqual([a.kept[0], b.kept[0]], [expected, expected]);
  // It outlives the worker that has appended it.
  a.kill();
  const c = await join(links, "c");
  const read = await c.link.history.read("x", KEEP, { epoch, offset: 1 });
  assert.deepEqual([read.newest, texts(read.messages)], [{ epoch, offset: 2 }, ["2"]]);
  links.hub.end();
});

test("a link that breaks fails what waits: an append may have been done", async () => {
  const clock = new ManualClock();
  const links = new MemoryLinks(clock);
  const a = await join(links, "a");
  a.hang();
  const append1 = append(a, "x", "1");
  const read = a.link.history.read("x", KEEP, 1);
  for (const one of [append1, read]) one.catch(() => {});
  await clock.advance(2_000);
  await assert.rejects(append1, {
    message: "the supervisor has not answered in time",
    unknown: true,
  });
  await assert.rejects(read, {
    message: "the supervisor has not answered in time",
    unknown: false,
  });
  const cut = append(a, "x", "2");
  a.kill();
  await assert.rejects(cut, { unknown: true });
  await assert.rejects(append(a, "x", "3"), /cannot ask: the link/);
  links.hub.end();
});

test("frames about kept messages: the same after encoding, whatever the texts are", () => {
  for (const text of ["", "a", "\ufeffb", "räume 🙂", "x".repeat(70_000)]) {
    const frame = {
      number: 7,
      topic: text,
      keep: { size: 5, ttl: 1.5 },
      messages: [
        { message: encoder.encode(text), id: text },
        { message: new Uint8Array(), id: undefined },
      ],
    };
    assert.deepEqual(decodeAppend(encodeAppend(frame)), frame);
    for (const question of [3, { epoch: text, offset: 2 ** 53 - 1 }]) {
      assert.deepEqual(decodeRead(encodeRead({ number: 1, topic: text, question })), {
        number: 1,
        topic: text,
        question,
      });
    }
  }
});

test("the supervisor refuses what is no frame about kept messages", async () => {
  const append = encodeAppend({
    number: 1,
    topic: "x",
    keep: KEEP,
    messages: [{ message: encoder.encode("a"), id: "i" }],
  });
  const read = encodeRead({ number: 1, topic: "x", question: 1 });
  const cut = (frame: Uint8Array, length: number) => {
    const part = frame.slice(0, length);
    new DataView(part.buffer).setUint32(0, length - 4);
    return part;
  };
  const changed = (frame: Uint8Array, at: number, bytes: readonly number[]) => {
    const copy = frame.slice();
    copy.set(bytes, at);
    return copy;
  };
  const bad: readonly Uint8Array[] = [
    ...[5, 8, 14, 20, append.length - 1].map((length) => cut(append, length)),
    ...[5, 12, read.length - 1].map((length) => cut(read, length)),
    // A number that is none, a text that is not UTF-8, a size of 0.
    changed(append, 5, [0x7f, 0xf8, 0, 0, 0, 0, 0, 0]),
    changed(append, 17, [0xff]),
    changed(append, 18, [0, 0, 0, 0, 0, 0, 0, 0]),
    encodeEmpty(Kind.kept),
    encodeEmpty(Kind.appended),
    encodeEmpty(Kind.entries),
  ];
  for (const [index, frame] of bad.entries()) {
    const links = new MemoryLinks();
    const worker = await join(links, "a");
    assert.notEqual(worker.inject(frame), undefined, `frame ${index}`);
    links.hub.end();
  }
});
