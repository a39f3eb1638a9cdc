import assert from "node:assert/strict";
import { test } from "node:test";
import { SECRET } from "../support/auth.ts";
import { takeVouched, tokenFor } from "../../src/transport/vouched.ts";
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

/** Ann renews her token with these claims. */
function renews(more: string): string {
  return `given "ann" {
    operation = "auth"
    id        = 1
    ${more}
  }
  `;
}

test("a client renews its token by claims", async () => {
  const body = client("ann", 'claims = { email = "ann@example.com", exp = 1767225660 }') +
    renews('claims = { email = "ann@example.com", role = "admin", exp = 1767225720 }') +
    'expect "ann" {\n type = "ack"\n id = 1\n }\n' +
    who("ann", '{ user = "ann@example.com", claims = { role = "admin" } }') +
    'advance { by = "110s" }\n expect "ann" { nothing = true }\n advance { by = "1m" }\n' +
    'expect "ann" { type = "close" }\n';
  assert.deepEqual(await failures(SHARED, body), []);
});

test("a token of a test is good once", () => {
  const token = tokenFor({ userId: "ada", claims: null });
  assert.notEqual(tokenFor({ userId: "ada", claims: null }), token);
  assert.deepEqual(takeVouched(token), { userId: "ada", claims: null });
  assert.equal(takeVouched(token), undefined);
});

test("a token of another user, or one that has expired, is refused and changes nothing", async () => {
  const refusal = 'expect "ann" { error = "unauthorized" }\n';
  const body = client("ann", 'user_id = "ann"\n claims = { role = "guest" }') +
    renews('claims = { email = "eve@example.com" }') + refusal +
    renews('user_id = "eve"') + refusal +
    renews('claims = { exp = 1767225600 }\n user_id = "ann"') + refusal +
    renews("") + refusal +
    renews('data = { token = "forged" }') + refusal +
    who("ann", '{ user = "ann", claims = { role = "guest" } }');
  assert.deepEqual(await failures(SHARED, body), []);
});

/** Requests that need a token, but for `/open`. */
const calling = (more = "") => `
connector "calls" {
  type = "rest"
  port = 3002
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
  ${more}
}
flow "mine" {
  from {
    connector = "calls"
    operation = "GET /mine"
  }
  accept { when = "client.claims.role != 'guest'" }
  response {
    user = "client.user_id"
    role = "client.claims.role"
    from = "client.remote_addr"
  }
}
flow "open" {
  from {
    connector = "calls"
    operation = "GET /open"
    public    = true
  }
  response { user = "client.user_id" }
}
`;

/** A request, and what its answer must have. */
function calls(operation: string, more: string, expected: string): string {
  return `given "calls" {
    operation = "${operation}"
    ${more}
  }
  expect "calls" {
    ${expected}
  }
  `;
}

test("a test says who sends a request; without it, a token is missing", async () => {
  const body = calls("GET /mine", "", 'status = 401\n error = "unauthorized"') +
    calls("GET /open", "", "status = 200\n data = { user = null }") +
    calls("GET /open", 'user_id = "ann"', 'data = { user = "ann" }') +
    calls(
      "GET /mine",
      'claims = { sub = "ann", role = "admin" }\n remote_addr = "192.0.2.7"',
      'data = { user = "ann", role = "admin", from = "192.0.2.7" }',
    ) +
    calls("GET /mine", 'claims = { sub = "bob", role = "guest" }', "status = 403") +
    calls("GET /mine", 'claims = { sub = "bob", exp = 1767225600 }', "status = 401") +
    calls("GET /mine", 'headers = { Authorization = "Bearer forged" }', "status = 401");
  assert.deepEqual(await failures(calling(), body), []);
});

test("a rate limit counts the callers of a test by user and by address", async () => {
  const limit = 'rate_limit {\n messages = 2\n per = "1m"\n}';
  const good = "status = 200";
  const open = (more: string, expected: string) => calls("GET /open", more, expected);
  const body = open("", good) + open("", good) + open("", "status = 429") +
    open('remote_addr = "192.0.2.7"', good) + open('user_id = "ann"', good) +
    'advance { by = "1m" }\n' + open("", good);
  assert.deepEqual(await failures(calling(limit), body), []);
});

test("a trusted proxy tells the address of a request and of a client", async () => {
  const proxy = 'remote_addr = "10.0.0.1"\n headers = { X-Forwarded-For = "192.0.2.7" }';
  const other = 'remote_addr = "192.0.2.8"\n headers = { X-Forwarded-For = "192.0.2.7" }';
  const mine = (more: string) => `user_id = "ann"\n ${more}`;
  const body = calls("GET /mine", mine(proxy), 'data = { from = "192.0.2.7" }') +
    calls("GET /mine", mine(other), 'data = { from = "192.0.2.8" }');
  assert.deepEqual(await failures(calling('trust_proxy = ["10.0.0.0/8"]'), body), []);
  const trusting = SHARED.replace("3001", "3009").replace(
    "auth {",
    'trust_proxy = ["10.0.0.0/8"]\n auth {',
  )
    .replace("claims = ", 'from = "client.remote_addr"\n claims = ');
  const clients = client("ann", mine(proxy)) + client("bob", mine(other)) +
    who("ann", '{ from = "192.0.2.7" }') + who("bob", '{ from = "192.0.2.8" }') +
    // A failure belongs to its client, whatever the address is.
    'given "bob" {\n operation = "hello"\n id = 2\n }\n expect "bob" { error = "flow_failed" }';
  assert.deepEqual(await failures(trusting, clients), []);
});
