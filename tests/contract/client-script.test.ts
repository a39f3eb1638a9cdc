/** The client library that a connector serves, on every host. */
import assert from "node:assert/strict";
import { SCRIPT, TAG } from "../../src/connectors/websocket/library/script.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";

const config = websocket('client = "/weir.js"') + flows;

/** Asks for the module. */
async function ask({ host, running }: Contract, method = "GET", known?: string) {
  const response = await fetch(`http://127.0.0.1:${running.port}${host.mount}/weir.js`, {
    method,
    headers: known === undefined ? {} : { "if-none-match": known },
  });
  const { status, headers } = response;
  return { status, headers, body: await response.text() };
}

contract("client script: a module with an ETag", config, async (context) => {
  const { status, headers, body } = await ask(context);
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.equal(headers.get("cache-control"), "no-cache");
  assert.equal(headers.get("access-control-allow-origin"), "*");
  assert.equal(headers.get("etag"), TAG);
  assert.equal(body, SCRIPT);
  for (const known of [TAG, `W/${TAG}, "other"`, "*"]) {
    const cached = await ask(context, "GET", known);
    assert.deepEqual([cached.status, cached.headers.get("etag"), cached.body], [304, TAG, ""]);
  }
  assert.equal((await ask(context, "GET", '"old"')).status, 200);
  const head = await ask(context, "HEAD");
  assert.deepEqual([head.status, head.headers.get("etag"), head.body], [200, TAG, ""]);
  assert.equal((await ask(context, "POST")).status, 404);
});

contract("client script: none by default", websocket() + flows, async (context) => {
  assert.equal((await ask(context)).status, 404);
});
