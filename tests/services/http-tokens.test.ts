/** Tokens of OAuth 2.0 client credentials, with endpoints that are slow, fail and talk nonsense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDS, inWorld, type World } from "../attributes/support.ts";
import {
  type Answer,
  type Api,
  type Asked,
  call,
  calling,
  connectorTo,
  head,
  reply,
  until,
  withApi,
} from "../support/http-api.ts";
import { identity, withTlsApi } from "../support/http-tls.ts";

const SECRET = "5ecret&";

/** The connector of these tests: `token` is its endpoint. */
function connector(api: string, token: string, rest = ""): string {
  const oauth2 = `oauth2 {
    token_url     = "${token}"
    client_id     = "me"
    client_secret = "${SECRET}"
  }`;
  return ENDS + connectorTo(api, `auth {\n${oauth2}\n}\n${rest}`) +
    calling('operation = "GET /x"');
}

/** An API that lets in who has one of the tokens in `good`, and its endpoint, which `token` answers. */
function withTokens<T>(
  token: Answer,
  good: ReadonlySet<string>,
  look: (world: World, api: Api, counts: () => { tokens: number; calls: number }) => Promise<T>,
  rest = "",
): Promise<T> {
  const answer: Answer = (asked) => {
    if (asked.path === "/token") return token(asked);
    const shown = asked.headers.authorization?.replace("Bearer ", "") ?? "";
    return good.has(shown) ? reply(200, { token: shown }) : reply(401, "no");
  };
  return withApi(answer, (api) => {
    const counts = () => {
      const tokens = api.asked.filter(({ path }) => path === "/token").length;
      return { tokens, calls: api.asked.length - tokens };
    };
    const config = connector(api.url, `${api.url}/token`, rest);
    return inWorld(config, (world) => look(world, api, counts));
  });
}

/** Issues t1, t2 and so on. */
function issuing(fields: Record<string, unknown> = {}): Answer {
  let issued = 0;
  return () => reply(200, { access_token: `t${++issued}`, token_type: "Bearer", ...fields });
}

const got = (token: string) => ({ result: { token } });

/** Calls until the API sees this token: a renewal has ended. */
async function untilToken(world: World, token: string): Promise<void> {
  let seen: unknown;
  const look = async () => seen = (await call(world)).result;
  await until(`the token ${token}`, () => {
    void look();
    return JSON.stringify(seen) === JSON.stringify({ token });
  });
}

test("a token is asked for once by all who wait, and kept", async () => {
  const held: Asked[] = [];
  const good = new Set(["t1"]);
  await withTokens((asked) => void held.push(asked), good, async (world, api, counts) => {
    const calls = Array.from({ length: 20 }, (_, n) => call(world, { n }));
    await until("the request for a token", () => held.length === 1);
    assert.equal(held[0].body, "grant_type=client_credentials");
    held[0].socket.write(reply(200, { access_token: "t1", expires_in: "3600" }));
    assert.deepEqual(await Promise.all(calls), calls.map(() => got("t1")));
    assert.deepEqual(counts(), { tokens: 1, calls: 20 });
    assert.deepEqual(await call(world), got("t1"));
    assert.equal(api.asked.length, 22);
  });
});

test("a token is renewed before it expires, while the old one is used", async () => {
  const good = new Set(["t1", "t2", "t3"]);
  await withTokens(issuing({ expires_in: 100 }), good, async (world, _, counts) => {
    assert.deepEqual(await call(world), got("t1"));
    await world.clock.advance(89_000);
    assert.deepEqual(await call(world), got("t1"));
    assert.equal(counts().tokens, 1);
    // Nine tenths of its time are over.
    await world.clock.advance(1_500);
    assert.deepEqual(await call(world), got("t1"));
    await untilToken(world, "t2");
    assert.equal(counts().tokens, 2);
    // Nobody has called meanwhile, and it has expired.
    await world.clock.advance(200_000);
    assert.deepEqual(await call(world), got("t3"));
    assert.equal(counts().tokens, 3);
  });
});

test("a renewal that fails is tried again later, and the old token is used while it is good", async () => {
  let isDown = false;
  const issue = issuing({ expires_in: 100 });
  const token: Answer = (asked) => isDown ? reply(503) : issue(asked);
  await withTokens(token, new Set(["t1", "t2"]), async (world, _, counts) => {
    assert.deepEqual(await call(world), got("t1"));
    isDown = true;
    await world.clock.advance(91_000);
    for (let i = 0; i < 3; i++) assert.deepEqual(await call(world), got("t1"));
    await until("the renewal", () => counts().tokens === 2);
    isDown = false;
    await world.clock.advance(5_500);
    assert.deepEqual(await call(world), got("t1"));
    await untilToken(world, "t2");
    assert.equal(counts().tokens, 3);
  });
});

test("a token that the API refuses is replaced once", async () => {
  const good = new Set(["t1"]);
  await withTokens(issuing(), good, async (world, _, counts) => {
    assert.deepEqual(await call(world), got("t1"));
    good.clear();
    good.add("t2");
    // All have the old one, and one asks for the next.
    const calls = Array.from({ length: 5 }, (_, n) => call(world, { n }));
    assert.deepEqual(await Promise.all(calls), calls.map(() => got("t2")));
    assert.equal(counts().tokens, 2);
    good.clear();
    const { error } = await call(world);
    assert.match(String(error?.message), /GET \/x was answered with the status 401$/);
    assert.deepEqual([error?.status, error?.body], [401, "no"]);
    assert.deepEqual(counts().tokens, 3);
  });
});

const asks = (url: string) =>
  `connector "api": GET /x cannot be sent without a token: the request for one to ${url} `;

const failures: readonly (readonly [name: string, token: Answer, words: string])[] = [
  [
    "a client that it does not know",
    () => reply(401, { error: "invalid_client", error_description: SECRET }),
    "was answered with the status 401 (invalid_client)",
  ],
  [
    "a code that it made up",
    () => reply(400, { error: SECRET }),
    "was answered with the status 400",
  ],
  ["an outage", () => reply(503, "later"), "was answered with the status 503"],
  ["a reset", ({ socket }) => void socket.resetAndDestroy(), "failed: the connection was lost"],
  [
    "HTML",
    () => reply(200, "<html>", ["content-type: text/html"]),
    "was answered with no object",
  ],
  [
    "HTML as JSON",
    () => reply(200, "<html>", ["content-type: application/json"]),
    "was answered with a body that is not valid JSON",
  ],
  ["no token", () => reply(200, {}), "was answered with no access_token that can be sent"],
  [
    "a token with a line break",
    () => reply(200, { access_token: "a\nb" }),
    "was answered with no access_token that can be sent",
  ],
  [
    "a token of another kind",
    () => reply(200, { access_token: "a", token_type: "mac" }),
    "was answered with a token that is not a bearer token",
  ],
  [
    "a redirect elsewhere",
    () => reply(307, "", ["location: https://other.example/token"]),
    "was redirected to https://other.example; redirects are followed within URL alone",
  ],
  [
    "no end",
    () => head(200, ["content-length: 70000", "content-type: application/json"]),
    "was answered with more than 65536 bytes (max_response_size)",
  ],
];

for (const [name, token, words] of failures) {
  test(`the token endpoint answers with ${name}`, async () => {
    await withTokens(token, new Set(), async (world, api, counts) => {
      const { error } = await call(world);
      assert.equal(error?.message.replaceAll(api.url, "URL"), asks("URL") + words);
      assert.deepEqual([error?.status, error?.body], [undefined, undefined]);
      assert.deepEqual(counts(), { tokens: 1, calls: 0 });
      assert.doesNotMatch(JSON.stringify(error), new RegExp(SECRET));
    });
  });
}

test("a token endpoint that is slow takes no longer than a request may take", async () => {
  await withTokens(() => "", new Set(), async (world, api) => {
    const { error } = await call(world);
    assert.match(
      String(error?.message),
      /GET \/x (?:took longer than 100 ms, waiting for a token|cannot be sent without a token: the request for one to \S+ took longer than 100 ms)$/,
    );
    await until("the end of the connection", () => api.open === 0);
  }, 'timeout = "100ms"');
});

test("a token endpoint that is down for a while is asked again, before a POST too", async () => {
  const issue = issuing();
  const token: Answer = (asked) => asked.number === 1 ? reply(503) : issue(asked);
  const answer: Answer = (asked) => asked.path === "/token" ? token(asked) : reply(200, "done");
  await withApi(answer, async (api) => {
    const retry = 'retry {\ndelay = "10ms"\n}';
    const config = connector(api.url, `${api.url}/token`, retry).replace("GET /x", "POST /x");
    await inWorld(config, async (world) => {
      const called = call(world);
      let ended = false;
      void called.finally(() => ended = true);
      await until("the end", () => {
        void world.clock.advance(5);
        return ended;
      });
      assert.deepEqual(await called, { result: "done" });
      assert.deepEqual(api.asked.map(({ path }) => path), ["/token", "/token", "/x"]);
    });
  });
});

test("the certificate of a client is for the API alone, its authorities are for the endpoint too", async () => {
  const token: Answer = (asked) => {
    const { authorized } = JSON.parse(String(identity(asked)).split("\r\n\r\n")[1]);
    return reply(200, { access_token: authorized ? "shown" : "hidden" });
  };
  const api: Answer = (asked) => reply(200, { token: asked.headers.authorization });
  await withTlsApi(api, (one, folder) =>
    withTlsApi(token, async (other) => {
      const tls = 'tls {\nca = "ca.pem"\ncert = "client.pem"\nkey = "client.key"\n}';
      const expected = [[one.url, { token: "Bearer hidden" }], [other.url, {
        access_token: "shown",
      }]] as const;
      for (const [base, result] of expected) {
        const config = connector(base, `${other.url}/token`, tls);
        const called = await inWorld(config, (world) => call(world), { folder });
        assert.deepEqual(called, { result });
      }
    }));
});
