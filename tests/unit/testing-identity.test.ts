import assert from "node:assert/strict";
import { test } from "node:test";
import { SECRET } from "../support/auth.ts";
import { resultsOf } from "./testing-support.ts";

/** A connector with this in its `auth` block, and flows that show who its clients are. */
function door(keys: string, more = ""): string {
  return `
connector "door" {
  type    = "websocket"
  port    = 3001
  path    = "/door"
  origins = ["https://app.example"]
  auth {
    jwt {
      ${keys}
    }
    ${more}
  }
}
flow "who" {
  from {
    connector = "door"
    operation = "who"
  }
  response {
    user   = "client.user_id"
    claims = "client.claims"
    params = "client.params"
  }
}
flow "hello" {
  from {
    connector = "door"
    operation = "hello"
  }
  to {
    connector = "door"
    operation = "send_to_user"
    target    = "input.to"
  }
}
`;
}

const SHARED = door(`secret = "${SECRET}"\nuser = "claims.email"`);
// Nobody listens there, and nobody asks.
const REMOTE = door('jwks_url = "http://127.0.0.1:9/keys"\naudience = "weir"');

/** What `weir test` finds wrong in a test with this body. */
async function failures(config: string, body: string): Promise<readonly string[]> {
  const [result] = await resultsOf(`${config}test "t" {\n${body}\n}\n`);
  return result.failures.map(({ message }) => message);
}

function client(name: string, body: string): string {
  return `client "${name}" {\n connector = "door"\n ${body}\n}\n`;
}

/** A client connects and gets this status. */
function refused(body: string, status: number): string {
  return `${client("ann", body)}
    given "ann" { operation = "connect" }
    expect "ann" { status = ${status} }
  `;
}

function who(name: string, data: string): string {
  return `given "${name}" {
    operation = "who"
    id        = 1
  }
  expect "${name}" { data = ${data} }
  `;
}

test("a test says who its clients are, whatever the keys", async () => {
  for (const config of [SHARED, REMOTE]) {
    const found = await failures(
      config,
      `${client("ann", 'user_id = "ann"\n params = { user_id = "eve" }')}
       ${client("bob", 'user_id = "bob"\n claims = { role = "staff" }')}
       ${who("ann", '{ user = "ann", claims = { sub = "ann" }, params = { user_id = "eve" } }')}
       ${who("bob", '{ user = "bob", claims = { role = "staff" } }')}
       given "ann" {
         operation = "hello"
         data      = { to = "bob" }
       }
       expect "bob" { data = { to = "bob" } }
       expect "ann" { nothing = true }`,
    );
    assert.deepEqual(found, []);
  }
});

test("without a user_id the claims say who it is", async () => {
  const claims = 'claims = { email = "ann@example.com" }';
  const seen = who("ann", '{ user = "ann@example.com" }');
  assert.deepEqual(await failures(SHARED, client("ann", claims) + seen), []);
  const nameless = refused('claims = { sub = "ann" }', 401);
  assert.deepEqual(await failures(SHARED, nameless), []);
});

test("a client of whom a test says nothing has no token", async () => {
  const missing = refused("", 401);
  assert.deepEqual(await failures(SHARED, missing), []);
  const open = door(`secret = "${SECRET}"`, "required = false");
  const seen = who("ann", "{ user = null, claims = null }");
  assert.deepEqual(await failures(open, client("ann", "") + seen), []);
});

test("no token is good in a test, and no keys are fetched", async () => {
  for (const config of [SHARED, REMOTE]) {
    const bad = refused('params = { token = "a.b.c" }', 401);
    assert.deepEqual(await failures(config, bad), []);
    const renewal = `${client("ann", 'user_id = "ann"')}
      given "ann" {
        operation = "auth"
        id        = 1
      }
      expect "ann" { error = "unauthorized" }
    `;
    assert.deepEqual(await failures(config, renewal), []);
  }
});

test("a test's claims expire by its clock, and the token's times hold", async () => {
  // Every test begins with the year 2026.
  const soon = 'user_id = "ann"\n claims = { exp = 1767225660 }';
  const expiry = `${client("ann", soon)}
    advance { by = "59s" }
    expect "ann" { nothing = true }
    advance { by = "1s" }
    expect "ann" {
      type = "close"
      data = { code = 1008, reason = "token expired" }
    }
  `;
  assert.deepEqual(await failures(SHARED, expiry), []);
  const past = refused('user_id = "ann"\n claims = { exp = 1 }', 401);
  assert.deepEqual(await failures(SHARED, past), []);
});

test("a connection's time is the test's", async () => {
  const flow = `flow "left" {
  from {
    connector = "door"
    operation = "disconnect"
  }
  transform {
    since = "client.connected_at"
    after = "input.duration_ms"
  }
  to {
    connector = "mail"
  }
}
`;
  const body = `${client("ann", 'user_id = "ann"')}
    mock "mail" { returns = 1 }
    advance { by = "90s" }
    given "ann" { operation = "disconnect" }
    expect "mail" { data = { since = "2026-01-01T00:00:00.000Z", after = 90000 } }
  `;
  assert.deepEqual(await failures(SHARED + flow, body), []);
});

test("a page of another origin is refused in a test, too", async () => {
  const page = 'user_id = "ann"\n headers = { Origin = "https://evil.example" }';
  const other = refused(page, 403);
  assert.deepEqual(await failures(SHARED, other), []);
});
