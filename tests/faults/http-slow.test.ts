/**
 * The entries of "HTTP" in the list of faults that wait for a time to be over. All of them wait side by
 * side, each for a server of its own.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { openStage, type Stage, type Weir } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient } from "../support/talk.ts";
import { FrameClient } from "./client.ts";
import { post, serveFiles, serveHanging } from "./http.ts";
import { runtime } from "./stage.ts";

const MB = 1024 ** 2;
/** What a server may grow by while it is flooded. Without a bound it grows by 700 MB and more. */
const GROWTH = 250 * MB;
/** A body must move within this time, in milliseconds, and a check may come this much later. */
const [BODY_PATIENCE, LATE] = [30_000, 5_000];
/** By then a connection whose answers are not read is gone: 15 s after the server has filled it. */
const FLOOD_PATIENCE = 60_000;

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

async function descriptors({ pid }: Weir): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** In bytes. */
async function memory({ pid }: Weir): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

/** Connections that send one request again and again, so many bytes each, and read nothing. */
async function flood(weir: Weir, request: string, count: number, size: number) {
  const block = Buffer.from(request.repeat(Math.ceil(64 * 1024 / request.length)));
  return await Promise.all(Array.from({ length: count }, async () => {
    const client = await FrameClient.connect(weir.port);
    client.socket.pause();
    let sent = 0;
    const more = (): void => {
      while (sent < size && client.socket.writable) {
        sent += block.length;
        if (!client.socket.write(block)) return void client.socket.once("drain", more);
      }
    };
    more();
    return client;
  }));
}

/** Somebody else is served, again and again, until `over`; gives the most memory that was seen. */
async function serveOthers(weir: Weir, over: () => Promise<boolean>): Promise<number> {
  const other = await openClient(weir);
  let most = 0;
  for (let id = 0; !await over(); id++) {
    assert.equal((await other.ask({ type: "join_room", room: "a", id })).type, "ack");
    most = Math.max(most, await memory(weir));
    await pause(250);
  }
  other.destroy();
  return most;
}

/** A flood is not kept, its connections end by themselves, and others are served meanwhile. */
async function survivesFlood(weir: Weir, request: string, count: number, size: number) {
  // What is loaded with the first request is there.
  assert.equal((await fetch(`http://127.0.0.1:${weir.port}/hello.txt`)).status, 200);
  const [idle, before] = [await descriptors(weir), await memory(weir)];
  const began = performance.now();
  const clients = await flood(weir, request, count, size);
  const over = async (): Promise<boolean> => {
    const rest = await descriptors(weir) - idle;
    // The one that is served is one of them.
    if (rest <= 1) return true;
    assert.ok(performance.now() - began < FLOOD_PATIENCE, `${rest} descriptors are still open`);
    return false;
  };
  const most = await serveOthers(weir, over);
  assert.ok(most - before < GROWTH, `it grew by ${Math.round((most - before) / MB)} MB`);
  for (const client of clients) client.destroy();
}

/** The time until a body is given up, in milliseconds, and the status that its sender gets. */
async function givenUp({ port }: Weir, text: string): Promise<readonly [number, number]> {
  const client = await FrameClient.connect(port);
  const began = performance.now();
  client.write(text);
  await client.gone;
  const [, status] = /^HTTP\/1.1 (\d+)/.exec(client.text()) ?? [];
  return [performance.now() - began, Number(status)];
}

const rows: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  "pipelined requests whose answers are not read → memory flat, closed after 15 s": async (
    stage,
  ) => {
    await survivesFlood(await serveFiles(stage), get("/health/live"), 2, 5 * MB);
  },
  "pipelined requests for files that are not read → memory flat, closed after 15 s": async (
    stage,
  ) => {
    await survivesFlood(await serveFiles(stage), get("/large.txt"), 6, 3 * MB);
  },
  "pipelined requests behind a slow flow → not read, memory flat": async (stage) => {
    const weir = await serveHanging(stage);
    const before = await memory(weir);
    const slow = post("Content-Length: 2\r\n", "{}");
    const clients = await flood(weir, slow, 6, 5 * MB);
    const until = performance.now() + 10_000;
    const most = await serveOthers(weir, () => Promise.resolve(performance.now() > until));
    assert.ok(most - before < GROWTH, `it grew by ${Math.round((most - before) / MB)} MB`);
    for (const client of clients) client.destroy();
  },
  "pipelined requests whose answers are read → all answered, in order": async (stage) => {
    const weir = await serveFiles(stage);
    const client = await FrameClient.connect(weir.port);
    const count = 3_000;
    client.write(Array.from({ length: count }, (_, n) => get(`/numbers/${n}`)).join(""));
    for (let n = 0; n < count; n++) {
      const { status, body } = await client.response();
      assert.deepEqual([status, JSON.parse(body)], [200, { n: String(n) }]);
    }
    client.destroy();
  },
  "a body that does not come → 408 after 30 s, others are served": async (stage) => {
    const weir = await serveFiles(stage);
    const outcomes = await Promise.all([
      post("Content-Length: 100\r\n", ""),
      post("Content-Length: 100\r\n", '{"a":'),
      post("Transfer-Encoding: chunked\r\n", ""),
      post("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n"),
    ].map((text) => givenUp(weir, text)));
    for (const [time, status] of outcomes) {
      assert.equal(status, 408);
      assert.ok(time > BODY_PATIENCE - 100 && time < BODY_PATIENCE + LATE, `${time} ms`);
    }
    (await openClient(weir)).destroy();
  },
  "a body byte by byte, none later than 30 s after the former → served": async (stage) => {
    const weir = await serveFiles(stage);
    const client = await FrameClient.connect(weir.port);
    client.write(post("Content-Length: 9\r\n", '{"a":'));
    for (const byte of ["1", "2", "3"]) {
      await pause(BODY_PATIENCE / 3 + 1_000);
      assert.equal(client.ended, false);
      client.write(byte);
    }
    client.write("}");
    assert.equal((await client.response()).status, 201);
    client.destroy();
  },
};

let all: Promise<ReadonlyMap<string, unknown>> | undefined;

/** The error of each row that failed. */
async function runAll(): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>();
  await Promise.all(
    Object.entries(rows).map(async ([entry, body]) => {
      const stage = await openStage(runtime);
      try {
        await body(stage);
        stage.assertSound();
      } catch (error) {
        failures.set(entry, error);
      } finally {
        await stage.end();
      }
    }),
  );
  return failures;
}

for (const entry of Object.keys(rows)) {
  test(`${runtime} serve: ${entry}`, async () => {
    const failures = await (all ??= runAll());
    if (failures.has(entry)) throw failures.get(entry);
  });
}
