/** The client library's connections: attempts, refusals, dead connections, tokens. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { connected, play } from "../support/client.ts";
import { settle } from "../support/clock.ts";
import { FakePlatform } from "../support/fake-platform.ts";

/** A JSON Web Token without a signature that counts. */
function tokenUntil(exp: number | undefined, more: object = {}): string {
  const encode = (value: object) => btoa(JSON.stringify(value)).replaceAll("=", "");
  return `${encode({ alg: "none" })}.${encode({ exp, ...more })}.x`;
}

const SECOND = 1000;

test("client link: it is open once the server answers, not before", async () => {
  const { client, platform, statuses } = await play();
  assert.equal(client.status, "connecting");
  platform.socket.open();
  assert.equal(client.status, "connecting");
  platform.socket.receive({ type: "message", data: 1 });
  assert.equal(client.status, "connecting");
  platform.socket.receive({ type: "pong" });
  assert.equal(client.status, "open");
  assert.deepEqual(statuses, ["open"]);
  client.close();
});

test("client link: addresses", async () => {
  for (
    const [given, used] of [
      ["wss://host/ws?a=b", "wss://host/ws?a=b"],
      ["https://host/ws", "wss://host/ws"],
      ["http://host:8080/ws", "ws://host:8080/ws"],
    ]
  ) {
    const { client, platform } = await play({}, given);
    assert.equal(platform.socket.url, used);
    assert.deepEqual(platform.socket.protocols, ["weir.1"]);
    client.close();
  }
  for (const wrong of ["", "nonsense", "ftp://host/", "ws://"]) {
    assert.throws(() => createClient(wrong, {}, new FakePlatform()), TypeError, wrong);
  }
});

test("client link: the token is the second subprotocol, or a parameter", async () => {
  const first = await play({ token: "T" });
  assert.deepEqual(first.platform.socket.protocols, ["weir.1", "T"]);
  first.client.close();
  const second = await play({ token: () => Promise.resolve("a b"), tokenIn: "query:token" });
  assert.equal(second.platform.socket.url, "ws://host/ws?token=a+b");
  assert.deepEqual(second.platform.socket.protocols, ["weir.1"]);
  second.client.close();
  const without = await play({ token: () => null });
  assert.deepEqual(without.platform.socket.protocols, ["weir.1"]);
  without.client.close();
});

test("client link: attempts that fail wait with full jitter, 1 s doubling to 30 s", async () => {
  const { client, platform } = await play();
  platform.luck = 1;
  const waits: number[] = [];
  client.on("status", (status, reason) => {
    if (status === "waiting") waits.push(reason?.retryAfter ?? -1);
  });
  for (let attempt = 0; attempt < 8; attempt++) {
    platform.socket.end();
    await platform.clock.advance(waits.at(-1)!);
    assert.equal(platform.sockets.length, attempt + 2);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30, 30].map((one) => one * SECOND));
  client.close();
});

test("client link: a connection that held begins anew with 1 s, one that did not goes on", async () => {
  for (const [held, expected] of [[11, 1], [2, 4]]) {
    const { client, platform } = await play();
    platform.luck = 1;
    platform.socket.end();
    await platform.clock.advance(1 * SECOND);
    platform.socket.end();
    await platform.clock.advance(2 * SECOND);
    platform.socket.accept();
    await platform.clock.advance(held * SECOND);
    let wait = 0;
    client.on("status", (_, reason) => wait = reason?.retryAfter ?? 0);
    platform.socket.end();
    assert.equal(wait, expected * SECOND, `held ${held} s`);
    client.close();
  }
});

test("client link: 1000 clients come back spread", async () => {
  // Node and the others share `Math.random`; here it is even.
  for (const [code, most] of [[1006, 1], [1001, 3], [4001, 3]]) {
    const waits: number[] = [];
    for (let index = 0; index < 100; index++) {
      const platform = new FakePlatform();
      const client = createClient("ws://host/ws", {}, platform);
      await settle();
      platform.socket.accept();
      platform.luck = index / 100;
      client.on("status", (_, reason) => waits.push(Math.round(reason?.retryAfter ?? -1)));
      platform.socket.end(code);
      client.close();
    }
    const times = waits.filter((wait) => wait >= 0).sort((a, b) => a - b);
    assert.deepEqual(times, Array.from({ length: 100 }, (_, index) => index * most * 10));
  }
});

test("client link: an attempt without an answer is given up after 15 s", async () => {
  const { client, platform, statuses } = await play();
  platform.socket.open();
  await platform.clock.advance(14.9 * SECOND);
  assert.equal(client.status, "connecting");
  await platform.clock.advance(0.1 * SECOND);
  assert.equal(platform.sockets[0].closedWith, 4000);
  assert.deepEqual(statuses, ["waiting disconnected"]);
  // What the former socket says later counts for nothing.
  platform.sockets[0].receive({ type: "pong" });
  platform.sockets[0].end();
  assert.equal(client.status, "waiting");
  client.close();
});

test("client link: refusals", async (t) => {
  const cases: [string, number, string][] = [
    ["unauthorized", 4401, "closed unauthorized"],
    ["rejected", 4403, "closed rejected"],
    ["sold_out", 4403, "closed sold_out"],
    ["unavailable", 4503, "waiting unavailable"],
    ["flow_failed", 4503, "waiting flow_failed"],
  ];
  for (const [code, close, expected] of cases) {
    await t.test(`${code} ${close}`, async () => {
      const { client, platform, statuses } = await play({ token: "T" });
      platform.socket.open();
      platform.socket.receive({ type: "error", code, message: "no" });
      platform.socket.end(close);
      assert.deepEqual(statuses, [expected]);
      assert.equal(platform.listening, expected.startsWith("waiting"));
      await platform.clock.advance(60 * SECOND);
      assert.equal(platform.sockets.length > 1, expected.startsWith("waiting"));
      client.close();
    });
  }
});

test("client link: a close without a frame still decides", async () => {
  for (const [close, status] of [[4401, "closed"], [4403, "closed"], [4503, "waiting"]]) {
    const { client, platform } = await play();
    platform.socket.open();
    platform.socket.end(close as number);
    assert.equal(client.status, status);
    client.close();
  }
});

test("client link: retry_after_ms is waited for, and the network's return does not shorten it", async () => {
  const { client, platform } = await play();
  const waits: unknown[] = [];
  client.on("status", (_, reason) => waits.push(reason?.retryAfter));
  platform.socket.open();
  platform.socket.receive({ type: "error", code: "unavailable", retry_after_ms: 5000 });
  platform.socket.end(4503);
  assert.deepEqual(waits, [5500]);
  await platform.happens("online");
  assert.equal(platform.sockets.length, 1);
  await platform.clock.advance(5500);
  assert.equal(platform.sockets.length, 2);
  // Nonsense is bounded.
  for (const wait of [1e300, "soon", null, -1e9, {}]) {
    platform.socket.receive({ type: "error", code: "unavailable", retry_after_ms: wait });
    platform.socket.end(4503);
    const longest = waits.at(-1) as number;
    assert.ok(longest < 90 * SECOND, `${wait}: ${longest}`);
    await platform.clock.advance(longest);
    assert.equal(client.status, "connecting");
  }
  client.close();
});

test("client link: a refused token is asked for once more", async () => {
  const tokens = ["old", "new"];
  const { client, platform, statuses } = await play({ token: () => tokens.shift() });
  platform.socket.open();
  platform.socket.end(4401);
  assert.deepEqual(statuses, ["waiting disconnected"]);
  await platform.clock.advance(SECOND);
  assert.deepEqual(platform.socket.protocols, ["weir.1", "new"]);
  platform.socket.accept();
  assert.equal(client.status, "open");

  // The next refusal is the first of its kind again, and the one after it is final.
  tokens.push("a", "b", "c");
  platform.socket.end(1008);
  await platform.clock.advance(SECOND);
  for (const status of ["waiting", "closed"]) {
    platform.socket.open();
    platform.socket.end(4401);
    assert.equal(client.status, status);
    await platform.clock.advance(2 * SECOND);
  }
});

test("client link: token() that fails, or returns what is no token, is the network's fault", async () => {
  let answer = (): string => {
    throw new Error("captive portal");
  };
  const { client, platform, statuses } = await play({ token: () => answer() });
  assert.deepEqual(statuses, ["waiting disconnected"]);
  answer = () => "<html>";
  platform.refuse = new SyntaxError("no subprotocol");
  await platform.clock.advance(SECOND);
  assert.deepEqual(statuses.slice(1), ["connecting", "waiting disconnected"]);
  answer = () => "T";
  await platform.accept();
  assert.equal(client.status, "open");
  client.close();
});

test("client link: a token() that never answers is given up", async () => {
  let asked = 0;
  const { client, platform } = await play({ token: () => (asked++, new Promise(() => {})) });
  await platform.clock.advance(40 * SECOND);
  assert.ok(asked >= 2, `${asked}`);
  assert.equal(platform.sockets.length, 0);
  client.close();
});

test("client link: a ping after 25 s of silence, and 5 s for its pong", async () => {
  const { client, platform, socket } = await connected();
  await platform.clock.advance(20 * SECOND);
  socket.receive({ type: "message", data: 1 });
  await platform.clock.advance(24.9 * SECOND);
  assert.deepEqual(socket.take(), []);
  await platform.clock.advance(0.1 * SECOND);
  assert.deepEqual(socket.take(), [{ type: "ping" }]);
  await platform.clock.advance(4 * SECOND);
  socket.receive({ type: "pong" });
  await platform.clock.advance(SECOND);
  assert.equal(client.status, "open");
  // Through a proxy that ends what is idle for 30 s, something passes all the time.
  await platform.clock.advance(24 * SECOND);
  assert.deepEqual(socket.take(), [{ type: "ping" }]);
  await platform.clock.advance(5 * SECOND);
  assert.equal(client.status, "waiting");
  assert.equal(socket.closedWith, 4000);
  client.close();
});

test("client link: through a proxy that ends what is idle for 30 s, nothing ends for an hour", async () => {
  const { client, platform, socket, statuses } = await connected();
  const { clock } = platform;
  let heard = clock.now();
  let idle = 0;
  const send = socket.send.bind(socket);
  socket.answersPings = true;
  socket.send = (text) => {
    idle = Math.max(idle, clock.now() - heard);
    heard = clock.now();
    send(text);
  };
  await clock.advance(3600 * SECOND);
  assert.ok(idle > 0 && idle < 30 * SECOND, `${idle} ms`);
  assert.deepEqual([client.status, statuses], ["open", ["open"]]);
  client.close();
});

test("client link: a laptop that was closed for an hour", async () => {
  const { client, platform, socket } = await connected();
  await platform.clock.jump(3600 * SECOND);
  assert.deepEqual(socket.take(), [{ type: "ping" }]);
  await platform.clock.advance(5 * SECOND);
  assert.equal(client.status, "waiting");
  await platform.accept();
  assert.equal(client.status, "open");
  client.close();
});

test("client link: a process that slept while it waited for the pong asks once more", async () => {
  const { client, platform, socket } = await connected();
  await platform.clock.advance(25 * SECOND);
  assert.equal(socket.take().length, 1);
  await platform.clock.jump(60 * SECOND);
  assert.equal(client.status, "open");
  assert.equal(socket.take().length, 1);
  socket.receive({ type: "pong" });
  await platform.clock.advance(5 * SECOND);
  assert.equal(client.status, "open");
  // Timers of a hidden tab are late all the time: a dead connection is found nevertheless.
  await platform.clock.advance(25 * SECOND);
  await platform.clock.jump(60 * SECOND);
  await platform.clock.jump(60 * SECOND);
  assert.equal(client.status, "waiting");
  client.close();
});

test("client link: a clock that is set back by a day hides no dead connection", async () => {
  const { client, platform, socket } = await connected();
  const { now } = platform;
  // `now` was taken by the client: the clock itself moves.
  await platform.clock.jump(-24 * 3600 * SECOND);
  assert.equal(now(), platform.clock.now());
  await platform.clock.advance(24 * 3600 * SECOND + 60 * SECOND);
  assert.ok(socket.take().length > 0);
  client.close();
});

test("client link: what happens around the page", async () => {
  const { client, platform, socket } = await connected();
  for (const what of ["online", "offline", "visible"] as const) {
    await platform.happens(what);
    assert.deepEqual(socket.take(), [{ type: "ping" }], what);
    socket.receive({ type: "pong" });
    await platform.clock.advance(5 * SECOND);
  }
  assert.equal(client.status, "open");

  // Offline, and nothing answers: found within 5 s.
  await platform.happens("offline");
  await platform.clock.advance(5 * SECOND);
  assert.equal(client.status, "waiting");
  await platform.happens("offline");
  assert.equal(client.status, "waiting");
  await platform.happens("online");
  assert.equal(client.status, "connecting");
  assert.equal(platform.sockets.length, 2);

  // An attempt that hangs is made anew.
  await platform.happens("online");
  assert.equal(platform.sockets.length, 3);
  assert.equal(platform.sockets[1].closedWith, 4000);
  platform.socket.end();
  await platform.happens("visible");
  assert.equal(platform.sockets.length, 4);
  client.close();
  assert.equal(platform.listening, false);
});

test("client link: retry connects at once, unless the server has said when", async () => {
  const { client, platform, socket } = await connected();
  client.retry();
  assert.deepEqual(socket.take(), [{ type: "ping" }]);
  socket.end();
  assert.equal(client.status, "waiting");
  client.retry();
  assert.equal(client.status, "connecting");
  await settle();
  assert.equal(platform.sockets.length, 2);
  platform.socket.receive({ type: "error", code: "unavailable", retry_after_ms: 5000 });
  platform.socket.end(4503);
  client.retry();
  assert.equal(client.status, "waiting");
  client.close();
  client.retry();
  await settle();
  assert.deepEqual([client.status, platform.sockets.length], ["closed", 2]);
});

test("client link: the token is renewed before it expires", async () => {
  const { clock } = new FakePlatform();
  const start = clock.now() / SECOND;
  const tokens = [100, 100, 200].map((seconds) => tokenUntil(start + seconds));
  const { client, platform, socket } = await connected({ token: () => tokens.shift() });
  socket.answersPings = true;
  await platform.clock.advance(69 * SECOND);
  socket.take();
  await platform.clock.advance(SECOND);
  // The same token again: nothing to send, and it is asked again.
  assert.deepEqual(socket.take().filter(({ type }) => type === "auth"), []);
  await platform.clock.advance(15 * SECOND);
  const [{ type, token }] = socket.take().filter(({ type }) => type === "auth");
  assert.equal(type, "auth");
  assert.equal(token, tokenUntil(start + 200));
  client.close();
});

test("client link: a renewal that fails is tried again, and one that is refused is told", async () => {
  const { clock } = new FakePlatform();
  const start = clock.now() / SECOND;
  let answer = (): string => tokenUntil(start + 100);
  const { client, platform, socket } = await connected({ token: () => answer() });
  socket.answersPings = true;
  answer = () => {
    throw new Error("away");
  };
  await platform.clock.advance(70 * SECOND);
  answer = () => tokenUntil(start + 300);
  await platform.clock.advance(5 * SECOND);
  const [auth] = socket.take().filter(({ type }) => type === "auth");
  const errors: string[] = [];
  client.on("error", ({ code }) => errors.push(code));
  socket.receive({ type: "error", id: auth.id, code: "unauthorized", message: "bad" });
  await settle();
  assert.deepEqual(errors, ["unauthorized"]);
  assert.equal(client.status, "open");
  client.close();
});

test("client link: tokens that say no time, and clocks that are wrong, renew nothing at once", async () => {
  const start = new FakePlatform().clock.now() / SECOND;
  const strange = ["opaque", "a.b.c", "..", tokenUntil(undefined), tokenUntil(start - 5)];
  for (const token of strange) {
    let asked = 0;
    const { client, platform } = await connected({ token: () => (asked++, token) });
    await platform.clock.advance(20 * SECOND);
    assert.equal(asked, 1, token);
    client.close();
  }
  // Its own lifetime counts where the clock says that it has expired.
  let asked = 0;
  const token = tokenUntil(start - 5, { iat: start - 65 });
  const { client, platform } = await connected({ token: () => (asked++, token) });
  await platform.clock.advance(29 * SECOND);
  assert.equal(asked, 1);
  await platform.clock.advance(SECOND);
  assert.equal(asked, 2);
  client.close();
});

test("client link: close ends everything", async () => {
  const { client, platform, socket, statuses } = await connected();
  client.close();
  client.close();
  assert.equal(socket.closedWith, 1000);
  assert.deepEqual(statuses, ["open", "closed closed"]);
  assert.equal(platform.clock.waiting, 0);
  socket.receive({ type: "message", data: 1 });
  socket.end();
  await platform.clock.advance(100 * SECOND);
  assert.equal(platform.sockets.length, 1);
  assert.equal(client.status, "closed");
});

test("client link: a handler may close it in every status", async () => {
  for (const when of ["open", "waiting", "connecting"]) {
    const { client, platform } = await play();
    client.on("status", (status) => status === when && client.close());
    platform.socket.accept();
    platform.socket.end();
    await platform.clock.advance(40 * SECOND);
    assert.equal(client.status, "closed");
    assert.equal(platform.clock.waiting, 0);
    assert.ok(platform.sockets.length <= 2);
  }
});
