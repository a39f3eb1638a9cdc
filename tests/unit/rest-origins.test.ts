import assert from "node:assert/strict";
import { test } from "node:test";
import { type Api, api, auth, show, sign, withApi } from "./rest-auth-support.ts";

const COOKIE = auth('from = ["cookie:session", "header:authorization"]');
const ORIGINS = 'origins = ["https://app.example", "*.pages.example"]';
const flows = show() + show("POST /me") + show("GET /open", "public = true");

/** The status of a request with a good cookie and these headers. */
async function status(
  { ask }: Api,
  headers: Readonly<Record<string, string>>,
  path = "/me",
  body?: unknown,
): Promise<number> {
  const cookie = `session=${await sign()}`;
  return (await ask(path, { headers: { cookie, ...headers }, body })).status;
}

const BAD = [
  ...["https://evil.example", "null", "https://app.example.evil.com", "https://evilapp.example"],
  ...["http://app.example", "https://app.example:8443", "https://app.example/", "APP.EXAMPLE", ""],
  ...["https://pages.example", "https://evilpages.example", "https://a.pages.example:444"],
  ...["http://a.pages.example", "https://a.pages.example.evil.com", "https://app.example, x"],
];

test("rest origins: with a cookie, only listed pages are served, whatever the method", async () => {
  await withApi(api(`${ORIGINS}\n${COOKIE}`) + flows, async (served) => {
    for (const origin of BAD) {
      assert.equal(await status(served, { origin }), 403, `GET of ${origin}`);
      assert.equal(await status(served, { origin }, "/me", {}), 403, `POST of ${origin}`);
      assert.equal(await status(served, { origin }, "/open"), 403, `a public flow, ${origin}`);
    }
    for (const origin of ["https://app.example", "https://a.b.pages.example"]) {
      assert.equal(await status(served, { origin }), 200, origin);
      assert.equal(await status(served, { origin, "sec-fetch-site": "cross-site" }), 200, origin);
      assert.equal(await status(served, { origin }, "/me", {}), 200, origin);
    }
    const { code, headers } = await served.ask("/me", { headers: { origin: "null" } });
    assert.deepEqual([code, headers.get("www-authenticate")], ["rejected", null]);
  });
});

test("rest origins: a GET without Origin is refused if a page of another origin caused it", async () => {
  await withApi(api(`${ORIGINS}\n${COOKIE}`) + flows, async (served) => {
    for (const site of ["cross-site", "same-site", "Cross-Site"]) {
      assert.equal(await status(served, { "sec-fetch-site": site }), 403, site);
      assert.equal(await status(served, { "sec-fetch-site": site }, "/open"), 403, site);
    }
    for (const site of ["same-origin", "none"]) {
      assert.equal(await status(served, { "sec-fetch-site": site }), 200, site);
    }
    assert.equal(await status(served, {}), 200, "no browser, or an old one");
    const without = await served.ask("/open", { headers: { "sec-fetch-site": "cross-site" } });
    assert.equal(without.status, 200, "no cookie is sent");
  });
});

test("rest origins: a form of another page cannot post", async () => {
  await withApi(api(`${ORIGINS}\n${COOKIE}`) + show("POST /me"), async ({ ask }) => {
    const cookie = `session=${await sign()}`;
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const headers = { cookie, origin: "https://evil.example", "content-type": type };
      assert.equal((await ask("/me", { method: "POST", headers })).status, 403);
      assert.equal((await ask("/me", { method: "POST", headers, body: {} })).status, 403);
    }
  });
});

test("rest origins: pages of cors may send their cookies, too", async () => {
  const cors = 'cors = ["https://shop.example"]';
  for (const attributes of [`${cors}\n${COOKIE}`, `${cors}\n${ORIGINS}\n${COOKIE}`]) {
    await withApi(api(attributes) + flows, async (served) => {
      assert.equal(await status(served, { origin: "https://shop.example" }), 200);
      assert.equal(await status(served, { origin: "https://evil.example" }), 403);
      const { headers } = await served.ask("/me", {
        method: "OPTIONS",
        headers: { origin: "https://shop.example", "access-control-request-method": "GET" },
      });
      assert.equal(headers.get("access-control-allow-credentials"), "true");
    });
  }
});

test("rest origins: without a cookie, cors says only whose pages may read", async () => {
  await withApi(api(`cors = ["https://shop.example"]\n${auth()}`) + show(), async ({ ask }) => {
    const authorization = `Bearer ${await sign()}`;
    const headers = { authorization, origin: "https://other.example" };
    assert.equal((await ask("/me", { headers })).status, 200);
  });
});

test("rest origins: a list works without auth", async () => {
  await withApi(api(ORIGINS) + show(), async ({ ask }) => {
    const get = async (origin: string) => (await ask("/me", { headers: { origin } })).status;
    assert.equal(await get("https://app.example"), 200);
    assert.equal(await get("https://evil.example"), 403);
    assert.equal((await ask("/me")).status, 200);
    const headers = { "sec-fetch-site": "cross-site", cookie: "a=b" };
    assert.equal((await ask("/me", { headers })).status, 200, "no cookie is read");
  });
});
