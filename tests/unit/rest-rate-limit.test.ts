import assert from "node:assert/strict";
import { test } from "node:test";
import { Rates } from "../../src/access/rates.ts";
import { ManualClock } from "../support/clock.ts";
import { api, auth, bearer, show, sign, withApi } from "./rest-auth-support.ts";

const LIMIT = 'rate_limit {\n messages = 2\n per = "10s"\n}';

test("rest rate_limit: 429 says when to come again, and then there is room", async () => {
  await withApi(api(LIMIT) + show(), async ({ ask, clock }) => {
    assert.deepEqual([(await ask()).status, (await ask()).status], [200, 200]);
    await clock.advance(1_200);
    const { status, headers, data } = await ask();
    assert.equal(status, 429);
    assert.equal(headers.get("retry-after"), "4");
    assert.deepEqual(data, {
      error: {
        code: "rate_limited",
        message: "too many requests; the next one is served in 3800 ms",
        retry_after_ms: 3800,
      },
    });
    await clock.advance(3_800);
    assert.deepEqual([(await ask()).status, (await ask()).status], [200, 429]);
  });
});

test("rest rate_limit: the scripts of pages may read when to come again", async () => {
  await withApi(api(`cors = ["https://app.example"]\n${LIMIT}`) + show(), async ({ ask }) => {
    const headers = { origin: "https://app.example" };
    for (let i = 0; i < 2; i++) await ask("/me", { headers });
    const refused = await ask("/me", { headers });
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("access-control-allow-origin"), "https://app.example");
    assert.equal(refused.headers.get("access-control-expose-headers"), "Retry-After");
  });
});

test("rest rate_limit: a burst after a pause", async () => {
  const limit = 'rate_limit {\n messages = 1\n per = "1s"\n burst = 3\n}';
  await withApi(api(limit) + show(), async ({ ask }) => {
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask()).status);
    assert.deepEqual(statuses, [200, 200, 200, 429]);
  });
});

test("rest rate_limit: each user has a limit, wherever they are; others share that of their address", async () => {
  const config = api(auth("required = false") + LIMIT) + show();
  await withApi(config, async ({ ask }) => {
    const [ana, bob] = [await sign(), await sign({ sub: "bob" })];
    const status = async (token?: string, from = "192.0.2.1") =>
      (await ask("/me", { ...(token === undefined ? {} : bearer(token)), from })).status;
    const spend = async (token?: string, from?: string) => [
      await status(token, from),
      await status(token, from),
      await status(token, from),
    ];
    assert.deepEqual(await spend(ana), [200, 200, 429]);
    assert.equal(await status(ana, "192.0.2.2"), 429, "ana elsewhere");
    assert.equal(await status(await sign({ role: "x" }), "192.0.2.2"), 429, "another token of ana");
    assert.deepEqual(await spend(bob), [200, 200, 429]);
    assert.deepEqual(await spend(), [200, 200, 429], "nobody in particular");
    assert.deepEqual(
      await spend(undefined, "::ffff:192.0.2.1"),
      [429, 429, 429],
      "the same address",
    );
    assert.deepEqual(await spend(undefined, "2001:db8:1:2::1"), [200, 200, 429]);
    assert.equal(await status(undefined, "2001:db8:1:2:ffff::9"), 429, "the same /64");
    assert.equal(await status(undefined, "2001:db8:1:3::1"), 200, "another /64");
  });
});

test("rest rate_limit: a user named like an address does not share its limit", async () => {
  await withApi(api(auth("required = false") + LIMIT) + show(), async ({ ask }) => {
    const token = await sign({ sub: "192.0.2.1" });
    for (let i = 0; i < 3; i++) await ask("/me", bearer(token));
    assert.equal((await ask()).status, 200);
  });
});

test("rest rate_limit: failed tokens and missing ones count by address, before anything is read", async () => {
  await withApi(api(auth() + LIMIT) + show("POST /me"), async ({ ask }) => {
    const statuses = [];
    const body = "x".repeat(100);
    for (let i = 0; i < 2; i++) {
      statuses.push((await ask("/me", { ...bearer(`x${i}`), body })).status);
    }
    statuses.push((await ask("/me", { ...bearer("y"), body })).status);
    statuses.push((await ask("/me", { body })).status);
    assert.deepEqual(statuses, [401, 401, 429, 429]);
    const { status } = await ask("/me", { ...bearer(await sign()), body });
    assert.equal(status, 200, "a user is not counted by the address");
  });
});

test("rest rate_limit: who cannot be told apart shares one limit", async () => {
  await withApi(api(LIMIT) + show(), async ({ ask }) => {
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask("/me", { from: null })).status);
    assert.deepEqual(statuses, [200, 200, 429]);
  });
});

test("rest rate_limit: forged headers change nothing; behind a trusted proxy, each client counts", async () => {
  const from = "10.0.0.1";
  const statuses = async (config: string) =>
    await withApi(config + show(), async ({ ask }) => {
      const found = [];
      for (const last of [1, 1, 1, 2]) {
        const headers = { "x-forwarded-for": `192.0.2.9, 203.0.113.${last}` };
        found.push((await ask("/me", { from, headers })).status);
      }
      return found;
    });
  assert.deepEqual(await statuses(api(LIMIT)), [200, 200, 429, 429]);
  const trusting = api(`${LIMIT}\ntrust_proxy = ["10.0.0.0/8"]`);
  assert.deepEqual(await statuses(trusting), [200, 200, 429, 200]);
});

test("rates: many clients take no more memory than some, and who was silent is forgotten first", () => {
  const rates = new Rates({ messages: 1, per: 1_000_000, burst: undefined }, new ManualClock());
  assert.equal(rates.take("first"), 0);
  assert.equal(rates.take("busy"), 0);
  for (let i = 0; i < 19_998; i++) assert.equal(rates.take(`n${i}`), 0);
  assert.ok(rates.take("busy") > 0, "still known");
  assert.equal(rates.take("one more"), 0);
  assert.equal(rates.take("another one"), 0);
  assert.ok(rates.take("busy") > 0, "still known, since it was not silent");
  assert.equal(rates.take("first"), 0, "forgotten");
});
