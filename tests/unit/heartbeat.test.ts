import assert from "node:assert/strict";
import { test } from "node:test";
import { Heartbeat } from "../../src/connectors/websocket/heartbeat.ts";
import { RateWindow } from "../../src/connectors/websocket/limits.ts";

/** A heartbeat that notes what it does; `onPing` may answer. */
function watch(
  times: { readonly interval: number; readonly timeout: number },
  onPing: (heartbeat: Heartbeat, count: number) => void = () => {},
) {
  const log: string[] = [];
  let pings = 0;
  const heartbeat: Heartbeat = new Heartbeat({
    ...times,
    ping() {
      log.push("ping");
      onPing(heartbeat, ++pings);
    },
    dead: () => void log.push("dead"),
  });
  return { heartbeat, log, pings: () => pings };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 1000, "timed out");
    await wait(5);
  }
}

/** Keeps the event loop from doing anything. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) { /* busy */ }
}

test("no pong: dead once, and no further ping", async () => {
  const { log } = watch({ interval: 20, timeout: 10 });
  await until(() => log.includes("dead"));
  await wait(60);
  assert.deepEqual(log, ["ping", "dead"]);
});

test("a pong after each ping: pings go on and the client is alive", async () => {
  const { heartbeat, log, pings } = watch({ interval: 20, timeout: 15 }, (it) => it.pong());
  await until(() => pings() >= 8);
  heartbeat.stop();
  assert.ok(!log.includes("dead"));
});

test("a pong that comes later than its ping but in time counts", async () => {
  const { heartbeat, log, pings } = watch({ interval: 40, timeout: 40 }, (it) => {
    setTimeout(() => it.pong(), 5);
  });
  await until(() => pings() >= 6);
  heartbeat.stop();
  assert.ok(!log.includes("dead"));
});

test("a deadline that equals the interval never applies to the ping after its own", async () => {
  const { heartbeat, log, pings } = watch({ interval: 15, timeout: 15 }, (it, count) => {
    // Late pings are the ones whose deadline comes together with the next ping.
    setTimeout(() => it.pong(), 1);
    if (count % 2 === 1) block(4);
  });
  await until(() => pings() >= 20);
  heartbeat.stop();
  assert.ok(!log.includes("dead"));
});

test("pongs without a ping before them do not count", async () => {
  const { heartbeat, log } = watch({ interval: 40, timeout: 10 });
  heartbeat.pong();
  heartbeat.pong();
  await until(() => log.length > 0);
  await until(() => log.includes("dead"));
  assert.deepEqual(log, ["ping", "dead"]);
});

test("the first ping comes in the second half of the first interval, at random", () => {
  const delays: number[] = [];
  const { setTimeout: original } = globalThis;
  const heartbeats: Heartbeat[] = [];
  try {
    globalThis.setTimeout = ((callback: () => void, delay: number) => {
      delays.push(delay);
      return original(callback, delay);
    }) as typeof setTimeout;
    for (let count = 0; count < 200; count++) {
      heartbeats.push(watch({ interval: 100_000, timeout: 10 }).heartbeat);
    }
  } finally {
    globalThis.setTimeout = original;
    for (const heartbeat of heartbeats) heartbeat.stop();
  }
  assert.equal(delays.length, 200);
  // The clock may move a little between the choice of the time and the timer.
  assert.ok(delays.every((delay) => delay > 49_000 && delay <= 100_000));
  assert.ok(Math.min(...delays) < 65_000 && Math.max(...delays) > 85_000);
});

test("while the server has paused the socket, pings go on and no deadline runs", async () => {
  const { heartbeat, log, pings } = watch({ interval: 15, timeout: 10 });
  heartbeat.pause();
  await until(() => pings() >= 5);
  assert.ok(!log.includes("dead"));
  heartbeat.resume();
  await until(() => log.includes("dead"));
});

test("a pause after a ping cancels its deadline", async () => {
  const { heartbeat, log, pings } = watch({ interval: 1000, timeout: 10 }, (it) => it.pause());
  heartbeat.resume();
  await wait(60);
  heartbeat.stop();
  assert.equal(pings(), 1);
  assert.deepEqual(log, ["ping"]);
});

test("resume pings at once, and sets a new deadline", async () => {
  const { heartbeat, log } = watch({ interval: 10_000, timeout: 20 });
  heartbeat.pause();
  heartbeat.resume();
  assert.deepEqual(log, ["ping"]);
  heartbeat.pong();
  await wait(60);
  assert.deepEqual(log, ["ping"]);
  heartbeat.pause();
  heartbeat.resume();
  await until(() => log.includes("dead"));
  assert.deepEqual(log, ["ping", "ping", "dead"]);
});

test("a server that was blocked reads the waiting pongs before it checks the deadline", async () => {
  const { heartbeat, log, pings } = watch({ interval: 30, timeout: 10 }, (it, count) => {
    if (count > 1) return it.pong();
    // The deadline is over when the loop gets on; the pong comes in the same turn.
    setTimeout(() => it.pong(), 10);
    block(50);
  });
  await until(() => pings() >= 3);
  heartbeat.stop();
  assert.ok(!log.includes("dead"));
});

test("a stopped heartbeat does nothing, also when it is stopped twice or at a deadline", async () => {
  const { heartbeat, log } = watch({ interval: 20, timeout: 10 }, (it) => it.stop());
  await until(() => log.length > 0);
  // Stopped from inside of its ping, it does not go on by itself.
  await wait(60);
  assert.deepEqual(log, ["ping"]);
  heartbeat.stop();
  await wait(60);
  assert.deepEqual(log, ["ping"]);
});

test("RateWindow: the limit is allowed, one more is too many", () => {
  const window = new RateWindow(3, 60_000);
  assert.deepEqual([1, 2, 3, 4, 5].map(() => window.hit()), [false, false, false, true, true]);
  assert.equal(new RateWindow(0, 60_000).hit(), true);
});

test("RateWindow: events older than the window do not count", async () => {
  const window = new RateWindow(2, 300);
  window.hit();
  window.hit();
  assert.equal(window.hit(), true);
  await wait(450);
  assert.equal(window.hit(), false);
  assert.equal(window.hit(), false);
  assert.equal(window.hit(), true);
});
