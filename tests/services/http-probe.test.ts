/** What `weir check --connect` says of an API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { probeConnectors } from "../../src/commands/probing.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { type Answer, type Api, connectorTo, reply, until, withApi } from "../support/http-api.ts";

const basic = 'auth {\nbasic {\nuser = "me"\npassword = "it"\n}\n}';

/** The result for one connector, without the URL. */
async function probed(api: Api, rest = ""): Promise<unknown> {
  const model = await loadConfig(connectorTo(`${api.url}/v1`, rest));
  const { results: [{ found, error, code }] } = await probeConnectors(model);
  return (found ?? `${code}: ${error}`).replaceAll(api.url, "URL");
}

const rows: readonly (readonly [name: string, answer: Answer, rest: string, expected: string])[] = [
  ["an API", () => reply(200, {}), "", "URL answers with the status 200"],
  ["no such path", () => reply(404), basic, "URL answers with the status 404"],
  ["an outage", () => reply(503), "", "URL answers with the status 503"],
  ["401 where nothing is shown", () => reply(401), "", "URL answers with the status 401"],
  [
    "401 where something is",
    () => reply(401),
    basic,
    'connector-failed: connector "api": a request to URL was answered with 401: the auth is refused',
  ],
  [
    "a reset",
    ({ socket }) => void socket.resetAndDestroy(),
    "",
    'connector-failed: connector "api": a request to URL failed: the connection was lost',
  ],
  [
    "no answer",
    () => "",
    'timeout = "100ms"',
    'connector-failed: connector "api": a request to URL took longer than 100 ms',
  ],
];

for (const [name, answer, rest, expected] of rows) {
  test(`--connect: ${name}`, async () => {
    await withApi(answer, async (api) => {
      assert.equal(await probed(api, rest), expected);
      assert.deepEqual(api.asked.map(({ method, path }) => `${method} ${path}`), ["GET /v1"]);
      await until("the end of all connections", () => api.open === 0);
    });
  });
}

test("--connect: a token is asked for, and used", async () => {
  const oauth = (url: string) =>
    `auth {\noauth2 {\ntoken_url = "${url}/token"\nclient_id = "me"\nclient_secret = "it"\n}\n}`;
  const answer: Answer = ({ path, headers }) =>
    path === "/token"
      ? reply(200, { access_token: "t" })
      : reply(headers.authorization === "Bearer t" ? 204 : 401);
  await withApi(answer, async (api) => {
    assert.equal(
      await probed(api, oauth(api.url)),
      "URL answers with the status 204, with a token",
    );
  });
  await withApi(() => reply(400, { error: "invalid_client" }), async (api) => {
    assert.equal(
      await probed(api, oauth(api.url)),
      'connector-failed: connector "api": a request to URL cannot be sent without a token: ' +
        "the request for one to URL was answered with the status 400 (invalid_client)",
    );
  });
});
