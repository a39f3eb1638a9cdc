/** What the `http` connector sends again, when, and what it never does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDS, inWorld, type World } from "../attributes/support.ts";
import {
  type Answer,
  type Api,
  type Asked,
  call,
  type Called,
  calling,
  callOnce,
  connectorTo,
  reply,
  until,
  withApi,
} from "../support/http-api.ts";
import { settle } from "../support/clock.ts";

const GET = 'operation = "GET /x"';
const POST = 'operation = "POST /x"';
const KEYED = `${POST}\nidempotency_key = "input.id"`;
/** At most 50 ms after an answer, unless it says otherwise. */
const RETRY = 'retry {\nattempts = 3\ndelay = "10ms"\nbackoff = "constant"\n}';
/** The same while a test holds the time. */
const SLOW = 'retry {\nattempts = 3\ndelay = "1s"\nbackoff = "constant"\n}';

/** Calls once while time goes on as fast as it is needed. */
async function hurried(url: string, to: string, connector = RETRY): Promise<Called> {
  return await inWorld(ENDS + connectorTo(url, connector) + calling(to), async (world) => {
    const called = call(world, { id: 7 });
    let ended = false;
    void called.finally(() => ended = true);
    await until("the call to end", () => {
      void world.clock.advance(5);
      return ended;
    });
    return await called;
  });
}

/** Answers with one after the other; the last one stands for all that follow. */
function inTurn(...answers: readonly Answer[]): Answer {
  return (asked) => answers[Math.min(asked.number, answers.length) - 1](asked);
}

const good: Answer = () => reply(200, { ok: true });
const status = (code: number, ...fields: readonly string[]): Answer => () =>
  reply(code, "", fields);
const reset: Answer = ({ socket }) => void socket.resetAndDestroy();

const rows: readonly {
  readonly name: string;
  readonly answer: Answer;
  readonly to?: string;
  readonly requests: number;
  readonly expected: unknown;
}[] = [
  { name: "503 then 200", answer: inTurn(status(503), good), requests: 2, expected: { ok: true } },
  ...[408, 429, 500, 502, 504, 599].map((code) => ({
    name: `${code} for ever`,
    answer: status(code),
    requests: 3,
    expected: `was answered with the status ${code}`,
  })),
  ...[400, 401, 403, 404, 409, 410, 422, 499, 600].map((code) => ({
    name: `${code} is final`,
    answer: status(code),
    requests: 1,
    expected: `was answered with the status ${code}`,
  })),
  {
    name: "a body that is not JSON is final",
    answer: () => reply(200, "{", ["content-type: application/json"]),
    requests: 1,
    expected: "was answered with a body that is not valid JSON",
  },
  {
    name: "a POST without a key",
    answer: status(503),
    to: POST,
    requests: 1,
    expected: "was answered with the status 503",
  },
  {
    name: "a PATCH without a key",
    answer: status(503),
    to: 'operation = "PATCH /x"',
    requests: 1,
    expected: "was answered with the status 503",
  },
  {
    name: "a PUT",
    answer: inTurn(status(503), good),
    to: 'operation = "PUT /x"',
    requests: 2,
    expected: { ok: true },
  },
  {
    name: "a POST with a key",
    answer: inTurn(status(503), reset, good),
    to: KEYED,
    requests: 3,
    expected: { ok: true },
  },
  {
    name: "Retry-After of no time",
    answer: inTurn(status(503, "retry-after: 0"), good),
    requests: 2,
    expected: { ok: true },
  },
  {
    name: "Retry-After that is nonsense counts as none",
    answer: inTurn(status(429, "retry-after: soon"), good),
    requests: 2,
    expected: { ok: true },
  },
  {
    name: "Retry-After beyond the bound ends it",
    answer: status(429, "retry-after: 31"),
    requests: 1,
    expected: "was answered with the status 429",
  },
  {
    name: "Retry-After of a date beyond the bound ends it",
    answer: status(429, "retry-after: Fri, 01 Jan 2027 00:00:00 GMT"),
    requests: 1,
    expected: "was answered with the status 429",
  },
];

for (const { name, answer, to = GET, requests, expected } of rows) {
  test(name, async () => {
    await withApi(answer, async (api) => {
      const { result, error } = await hurried(api.url, to);
      const words = error?.message.replace(/^connector "api": [A-Z]+ \/x /, "");
      assert.deepEqual(words ?? result, expected);
      assert.equal(api.asked.length, requests);
      const keys = api.asked.map(({ headers }) => headers["idempotency-key"]);
      assert.deepEqual(new Set(keys), new Set([to === KEYED ? "7" : undefined]));
    });
  });
}

/** A world whose call waits before its second attempt. */
function waiting<T>(
  answer: Answer,
  look: (world: World, api: Api, called: Promise<Called>) => Promise<T>,
  to = GET,
): Promise<T> {
  return withApi(
    answer,
    (api) =>
      inWorld(ENDS + connectorTo(api.url, SLOW) + calling(to), async (world) => {
        const called = call(world);
        const counts = () => world.runtime.counts().api;
        await until("an answer", () => api.asked.length === 1 && counts().in_flight === 0);
        return await look(world, api, called);
      }),
  );
}

for (
  const [text, after] of [
    ["retry-after: 5", 5000],
    // The clock of the world began at that hour.
    ["retry-after: Thu, 01 Jan 2026 00:00:20 GMT", 20_000],
    ["retry-after: Thursday, 01-Jan-26 00:00:20 GMT", 20_000],
    ["retry-after: Thu Jan  1 00:00:20 2026", 20_000],
  ] as const
) {
  test(`${text} is waited for`, async () => {
    await waiting(inTurn(status(429, text), good), async ({ clock }, api, called) => {
      await clock.advance(after - 1);
      assert.equal(api.asked.length, 1);
      await clock.advance(after * 0.1 + 2);
      assert.deepEqual(await called, { result: { ok: true } });
    });
  });
}

test("a flow whose time is up sends nothing again, and says what it waited for", async () => {
  const to = `${GET}\n}\nto {\nconnector = "b"`;
  await waiting(status(503, "retry-after: 30"), async ({ clock, runtime }, api, called) => {
    await clock.advance(30_000);
    const { error } = await called;
    assert.equal(
      error?.message,
      "timed out after 30000 ms; its request was answered with the status 503 (attempt 1 of 3), and waited to be sent again",
    );
    await clock.advance(60_000);
    assert.equal(api.asked.length, 1);
    assert.equal(runtime.counts().api.failed, 1);
  }, to);
});

test("a flow whose time is up closes the connection", async () => {
  await withApi(() => "", async (api) => {
    const config = ENDS + connectorTo(api.url) + calling(GET);
    await inWorld(config, async (world) => {
      const called = call(world);
      await until("the request", () => api.asked.length === 1);
      await world.clock.advance(30_000);
      const { error } = await called;
      assert.equal(error?.message, "timed out after 30000 ms; its request was not answered yet");
      const counts = () => world.runtime.counts().api;
      // The API may hear of the end before the `fetch` of a runtime rejects.
      await until("the end on both sides", () => api.open === 0 && counts().in_flight === 0);
      assert.deepEqual(counts(), {
        requests: 1,
        retried: 0,
        failed: 1,
        in_flight: 0,
        waiting: 0,
      });
    });
  });
});

test("a connector that is closed ends what is on its way", async () => {
  await withApi(() => "", async (api) => {
    const config = ENDS + connectorTo(api.url) + calling(GET);
    const called = await inWorld(config, async (world) => {
      const pending = call(world);
      await until("the request", () => api.asked.length === 1);
      return { pending };
    });
    const { error } = await called.pending;
    assert.match(String(error?.message), /GET \/x was ended: the connector is closed$/);
    await until("the end of the connection", () => api.open === 0);
  });
});

test("requests beyond max_connections wait in their order, within their time", async () => {
  const held: Asked[] = [];
  await withApi((asked) => void held.push(asked), async (api) => {
    const connector = 'max_connections = 1\ntimeout = "150ms"';
    const config = ENDS + connectorTo(api.url, connector) + calling('operation = "GET /:n"');
    await inWorld(config, async (world) => {
      const [one, two] = [1, 2].map((n) => call(world, { n }));
      await until("the first", () => held.length === 1);
      assert.deepEqual([api.connections, world.runtime.counts().api.waiting], [1, 1]);
      held[0].socket.write(reply(200, "one"));
      assert.deepEqual(await one, { result: "one" });
      await until("the second", () => held.length === 2);
      held[1].socket.write(reply(200, "two"));
      assert.deepEqual(await two, { result: "two" });
      // Both end at once: the other one may just have got the connection.
      const errors = await Promise.all([3, 4].map((n) => call(world, { n })));
      for (const { error } of errors) {
        const late = /GET \/:n took longer than 150 ms(?:, waiting for one of 1 connections)?$/;
        assert.match(String(error?.message), late);
      }
      const last = call(world, { n: 5 });
      const five = () => held.find(({ path }) => path === "/5");
      await until("the last", () => five() !== undefined);
      five()?.socket.write(reply(200, "five"));
      assert.deepEqual(await last, { result: "five" });
    });
  });
});

test("a POST whose kept connection is lost is sent once", async () => {
  const answer: Answer = (asked) => asked.number === 2 ? reset(asked) : reply(200, { ok: true });
  for (const operation of ["POST /x", "PATCH /x"]) {
    await withApi(answer, async (api) => {
      const config = ENDS + connectorTo(api.url) + calling(`operation = "${operation}"`);
      await inWorld(config, async (world) => {
        assert.deepEqual(await call(world), { result: { ok: true } });
        await settle();
        const { error } = await call(world);
        assert.match(String(error?.message), /failed: the connection was lost$/);
        // Otherwise this says nothing: it was the kept one.
        assert.deepEqual([api.connections, api.asked.length], [1, 2]);
        assert.deepEqual(await call(world), { result: { ok: true } });
        assert.equal(api.connections, 2);
      });
    });
  }
});

test("nobody listens, or there is no such host", async () => {
  const url = await withApi(good, (api) => Promise.resolve(api.url));
  const refused = await callOnce(url, { to: GET });
  assert.equal(
    refused.error?.message,
    'connector "api": GET /x failed: the connection was refused',
  );
  const unknown = await callOnce("http://weir.invalid/secret", { to: GET });
  assert.equal(unknown.error?.message, 'connector "api": GET /x failed: the host was not found');
});
