import assert from "node:assert/strict";
import { test } from "node:test";
import { vouchFor } from "../../src/transport/vouched.ts";
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

test("rest origins: a GET without Origin that a page of another origin caused brings no cookie", async () => {
  await withApi(api(`${ORIGINS}\n${COOKIE}`) + flows, async (served) => {
    const user = async (headers: Readonly<Record<string, string>>, path = "/me") => {
      const { status, code, data } = await served.ask(path, { headers });
      const { client, input } = data as Record<string, Record<string, unknown>>;
      assert.deepEqual(client?.headers ?? {}, input?.headers ?? {});
      assert.equal((client?.headers as Record<string, unknown>)?.cookie, undefined);
      return status === 200 ? client.user_id : code;
    };
    const cookie = `session=${await sign()}`;
    for (const site of ["cross-site", "same-site", "Cross-Site", "", "same-origin, cross-site"]) {
      const linked = { "sec-fetch-site": site };
      assert.equal(await user({ cookie, ...linked }), "rejected", site);
      assert.equal(await user({ cookie: "a=b", ...linked }), "rejected", site);
      assert.equal(await user({ cookie, ...linked }, "/open"), null, "as for a stranger");
      assert.equal(await user({ cookie: "session=bad", ...linked }, "/open"), null);
      assert.equal(await user(linked), "unauthorized", "no cookie is sent");
      assert.equal(await user(linked, "/open"), null);
      const authorization = `Bearer ${await sign({ sub: "eve" })}`;
      assert.equal(await user({ cookie, authorization, ...linked }), "eve", "another place");
    }
    for (const site of ["same-origin", "none"]) {
      assert.equal(await user({ cookie, "sec-fetch-site": site }), "ana", site);
      assert.equal(await user({ cookie, "sec-fetch-site": site }, "/open"), "ana", site);
    }
    assert.equal(await user({ cookie }), "ana", "no browser, or an old one");
  });
});

test("rest origins: with required = false, a link on another page is served as for a stranger", async () => {
  const config = auth('from = ["cookie:session"]\nrequired = false');
  await withApi(
    api(`${ORIGINS}\n${config}`) + flows.replace(/public = true/, ""),
    async (served) => {
      const headers = { cookie: `session=${await sign()}`, "sec-fetch-site": "cross-site" };
      const { status, data } = await served.ask("/me", { headers });
      assert.equal(status, 200);
      assert.equal((data as { client: { user_id: unknown } }).client.user_id, null);
    },
  );
});

test("rest origins: who vouches for a client has no cookie for a page of another origin", async () => {
  await withApi(api(`${ORIGINS}\n${COOKIE}`) + flows, async ({ runtime }) => {
    const statuses = async (path: string, headers: Record<string, string>) => {
      const request = new Request(`http://localhost${path}`, { headers });
      vouchFor(request, { userId: "bob", claims: null });
      const response = await runtime.fetch(request);
      return [response.status, (await response.json()).client?.user_id];
    };
    const linked = { cookie: "a=b", "sec-fetch-site": "cross-site" };
    assert.deepEqual(await statuses("/me", {}), [200, "bob"]);
    assert.deepEqual(await statuses("/me", linked), [403, undefined]);
    assert.deepEqual(await statuses("/open", linked), [200, null]);
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

test("rest origins: cors adds its pages to a list, with and without a cookie", async () => {
  const cors = 'cors = ["https://shop.example"]';
  for (const more of [COOKIE, ""]) {
    await withApi(
      api(`${cors}\n${ORIGINS}\n${more}`) + flows.replace(/public = true/, ""),
      async (served) => {
        for (
          const origin of ["https://shop.example", "https://app.example", "https://a.pages.example"]
        ) {
          assert.equal(await status(served, { origin }), 200, origin);
        }
        assert.equal(await status(served, { origin: "https://evil.example" }), 403);
      },
    );
  }
});

test("rest origins: a cookie that no token is in changes nothing", async () => {
  await withApi(api(auth()) + show(), async ({ ask }) => {
    const linked = { cookie: "a=b", "sec-fetch-site": "cross-site" };
    assert.equal((await ask("/me", { headers: linked })).code, "unauthorized");
    const authorization = `Bearer ${await sign()}`;
    assert.equal((await ask("/me", { headers: { authorization, ...linked } })).status, 200);
  });
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
