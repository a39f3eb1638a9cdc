import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { onAllRuntimes, type Stage } from "../support/process.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { opcodes } from "../support/socket-frames.ts";
import { pause, until } from "../support/socket-probe.ts";
import { departures, openClient, startTalk, type Talk } from "../support/talk.ts";

// As the configuration of `talk` says, in milliseconds.
const PING_INTERVAL = 2_000;
const PONG_TIMEOUT = 1_000;
/** How much later than due anything may be noticed on a busy machine. */
const SLACK = 900;

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";
const silence = long ? 300_000 : 15_000;

test(`a silent client that answers pings stays for ${silence / 1000} s; a busy room gets its pings`, () =>
  onAllRuntimes(async (stage) => {
    const talk = await startTalk(stage);
    const quiet = await openClient(talk.weir, { user: "quiet" });
    const busy = await openClient(talk.weir, { user: "busy", rooms: ["busy"] });
    const speaker = await openClient(talk.weir, { user: "speaker" });
    const speech = { type: "message", data: { to: "room", room: "busy", text: "x".repeat(100) } };
    const timer = setInterval(() => speaker.say(speech, speech), 10);
    try {
      const [silent, listening, speaking] = await Promise.all(
        [quiet, busy, speaker].map((client) => listen(client, silence)),
      );
      assert.equal(silent.messages, 0);
      assert.ok(listening.messages > silence / 100, `${listening.messages} messages`);
      for (const { pings } of [silent, listening, speaking]) assertRhythm(pings);
    } finally {
      clearInterval(timer);
    }
    assert.deepEqual(departures(talk), []);
    await Promise.all([quiet, busy, speaker].map((client) => leave(client)));
  }));

async function answersNone(stage: Stage): Promise<void> {
  const talk = await startTalk(stage);
  const silent = await openClient(talk.weir, { user: "silent", rooms: ["a"] });
  const chatty = await openClient(talk.weir, { user: "chatty" });
  // Neither frames nor pongs that follow no ping count as life.
  const timer = setInterval(() => {
    chatty.say({ type: "message", data: { to: "nobody" } });
  }, 100);
  chatty.send({ opcode: opcodes.pong, payload: "unsolicited" });
  try {
    await Promise.all([silent, chatty].map(async (client) => {
      assert.equal((await client.frame()).opcode, opcodes.ping);
      const pinged = performance.now();
      await until("the end", () => client.socket.closed);
      const waited = performance.now() - pinged;
      assert.ok(waited > PONG_TIMEOUT - 50 && waited < PONG_TIMEOUT + SLACK, `${waited} ms`);
      assert.equal((await client.ending()).code, 1006);
    }));
  } finally {
    clearInterval(timer);
  }
  const byUser = (row: Record<string, unknown>) => String(row.user_id);
  await until("two departures", () => departures(talk).length === 2);
  const left = departures(talk).sort((a, b) => byUser(a) < byUser(b) ? -1 : 1);
  assert.deepEqual(left, [
    { user_id: "chatty", rooms: "[]", code: 1006 },
    { user_id: "silent", rooms: '["a"]', code: 1006 },
  ]);
}

test("a client that answers no ping is destroyed a pong_timeout after it", () =>
  onAllRuntimes(answersNone));

async function isStopped(stage: Stage): Promise<void> {
  const talk = await startTalk(stage);
  const url = `ws://127.0.0.1:${talk.weir.port}/ws?user_id=anna`;
  const client = await stage.script("tests/fixtures/scripts/quiet-client.ts", [url]);
  await client.says(/joined/);
  assert.deepEqual([await countRoom(talk, "a"), await countRoom(talk, "b")], [1, 1]);
  client.signal("SIGSTOP");
  const stopped = performance.now();
  await until("the departure", () => departures(talk).length > 0);
  const waited = performance.now() - stopped;
  // Its next ping was due within one interval.
  assert.ok(waited < PING_INTERVAL + PONG_TIMEOUT + SLACK, `${waited} ms`);
  assert.deepEqual([await countRoom(talk, "a"), await countRoom(talk, "b")], [0, 0]);

  client.signal("SIGCONT");
  await pause(PONG_TIMEOUT);
  assert.deepEqual(departures(talk), [{ user_id: "anna", rooms: '["a","b"]', code: 1006 }]);
}

test("a stopped process is gone, its rooms are empty, disconnect ran once", () =>
  onAllRuntimes(isStopped));

/** When each ping came, in milliseconds, and how many messages did. */
interface Heard {
  readonly pings: readonly number[];
  readonly messages: number;
}

/**
 * Answers pings and does nothing else. It ends with an answer, so that the server has no reason to
 * miss the client while others end.
 */
async function listen(client: SocketClient, duration: number): Promise<Heard> {
  const pings: number[] = [];
  let messages = 0;
  const end = performance.now() + duration;
  while (pings.length === 0 || pings[pings.length - 1] < end) {
    const { opcode, payload } = await client.frame();
    if (opcode === opcodes.ping) {
      client.send({ opcode: opcodes.pong, payload });
      pings.push(performance.now());
    } else {
      assert.equal(opcode, opcodes.text);
      messages++;
    }
  }
  return { pings, messages };
}

function assertRhythm(pings: readonly number[]): void {
  const gaps = pings.slice(1).map((at, index) => at - pings[index]);
  const most = Math.max(...gaps);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  assert.ok(most < PING_INTERVAL + SLACK, `${most} ms between two pings`);
  assert.ok(Math.abs(mean - PING_INTERVAL) < PING_INTERVAL / 10, `${mean} ms on average`);
}

async function leave(client: SocketClient): Promise<void> {
  client.close();
  while ((await client.frame()).opcode !== opcodes.close);
  client.destroy();
}

/** How many connections are in a room, as the server counts. */
async function countRoom({ weir: { port } }: Talk, room: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/rooms/${room}`, { method: "POST" });
  assert.equal(response.status, 200);
  return (await response.json()).recipients;
}
