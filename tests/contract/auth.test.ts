/** Who gets in by a token, what expressions see of it, and how long it lasts. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { population } from "../support/population.ts";
import { forge, Issuer, pair, SECRET, sign } from "../support/auth.ts";
import {
  type HandshakeOptions,
  handshakeText,
  type SocketClient,
} from "../support/socket-client.ts";
import {
  closeCode,
  type Contract,
  contract,
  flows,
  websocket,
} from "../support/socket-contract.ts";
import { encodeFrame } from "../support/socket-frames.ts";
import { pause, until } from "../support/socket-probe.ts";

/** An `auth` block; `more` stands beside its keys. */
function auth(more = "", keys = `secret = "${SECRET}"`): string {
  return `
    auth {
      jwt {
        ${keys}
      }
      ${more}
    }
  `;
}

/** Frames of the type "who" are answered with what expressions see of their sender. */
const who = `
  flow "who" {
    from {
      connector = "ws"
      operation = "who"
    }
    response {
      user    = "client.user_id"
      claimed = "input.user_id"
      role    = "client.claims.role"
      claims  = "client.claims"
      params  = "client.params"
      headers = "client.headers"
    }
  }
`;

/** Tells the probe who has come. */
const greet = `
  flow "greet" {
    from {
      connector = "ws"
      operation = "connect"
    }
    to {
      connector = "probe"
      target    = "connect"
    }
  }
`;

const config = websocket(auth()) + flows + who + greet;

/** A token of `ana` that ends in so many seconds. */
function token(claims: Readonly<Record<string, unknown>> = {}, seconds = 3600): Promise<string> {
  return sign({ exp: Date.now() / 1000 + seconds, ...claims });
}

function bearer(token: string): HandshakeOptions {
  return { headers: { Authorization: `Bearer ${token}` } };
}

const everywhere = websocket(`
  origins = ["https://app.example"]
  ${auth('from = ["query:token", "header:authorization", "cookie:session", "protocol"]')}
`) + flows + who;

contract("auth: a token is taken from each place, and seen at none", everywhere, async (t) => {
  const good = await token({ role: "staff" });
  const places: Readonly<Record<string, readonly [target: string, options: HandshakeOptions]>> = {
    query: [`/ws?token=${good}&color=red`, {}],
    header: ["/ws?color=red", bearer(good)],
    cookie: ["/ws?color=red", { headers: { Cookie: `a=b; session=${good}` } }],
    protocol: ["/ws?color=red", { headers: { "Sec-WebSocket-Protocol": `weir, ${good}` } }],
  };
  for (const [place, [target, options]] of Object.entries(places)) {
    const client = await t.connect(target, options);
    const { data } = await client.ask({ type: "who", id: 1 });
    const { user, role, params } = data as Readonly<Record<string, unknown>>;
    assert.deepEqual([place, user, role, params], [place, "ana", "staff", { color: "red" }]);
    assert.equal(JSON.stringify(data).includes(good), false, place);
  }
  assert.deepEqual(t.runtime.counts().ws.users, 1);
});

contract("auth: a subprotocol is chosen, never the token", config, async (t) => {
  const good = await token();
  const cases = [[`weir, ${good}`, "weir"], [`${good}, weir`, "weir"], [good, undefined]] as const;
  for (const [offered, chosen] of cases) {
    const { status, headers } = await t.request("/ws", {
      headers: { "Sec-WebSocket-Protocol": offered },
    });
    assert.deepEqual([status, headers.get("sec-websocket-protocol")], [101, chosen]);
  }
});

contract("auth: without a good token it is 401, and no flow runs", config, async (t) => {
  const missing = await t.request("/ws?user_id=ana");
  assert.deepEqual([missing.status, missing.body], [401, "a token is required\n"]);
  assert.equal(missing.headers.get("www-authenticate"), "Bearer");
  const good = await token();
  const bad = [
    [await token({}, -1), "the token has expired"],
    [await token({ nbf: Date.now() / 1000 + 60 }), "the token is not valid yet"],
    [await token({ sub: undefined }), "the token names no user"],
    [forge({ alg: "none" }, { sub: "ana" }), "the token is not valid"],
    [`${good}x`, "the token is not valid"],
    [`x${good}`, "the token is not valid"],
    ["nonsense", "the token is not valid"],
  ] as const;
  for (const [one, message] of bad) {
    const { status, headers, body } = await t.request(`/ws?token=${one}`);
    assert.deepEqual([status, body], [401, `${message}\n`]);
    assert.equal(headers.get("www-authenticate"), 'Bearer error="invalid_token"');
    assert.equal((await t.request("/ws", bearer(one))).status, 401);
  }
  assert.deepEqual(t.probe.deliveries, []);
  // A good one elsewhere is none.
  assert.equal((await t.request(`/ws?access_token=${good}`)).status, 401);
  assert.equal((await t.request("/ws", { headers: { Cookie: `token=${good}` } })).status, 401);
});

contract("auth: who a client is comes from its token alone", config, async (t) => {
  const client = await t.connect(`/ws?user_id=eve&token=${await token({ user_id: "eve" })}`, {
    headers: { user_id: "eve", "X-User-Id": "eve" },
  });
  const data = { user_id: "eve", client: { user_id: "eve" }, claims: { role: "root" } };
  const { data: seen } = await client.ask({ type: "who", id: 1, data, user_id: "eve" });
  const { user, claimed, role } = seen as Readonly<Record<string, unknown>>;
  assert.deepEqual([user, claimed, role], ["ana", "ana", null]);
  assert.equal((await t.probe.received(1))[0].input.user_id, "ana");
  assert.equal(await t.runtime.sendToUser("eve", "secret"), 0);
  assert.equal(await t.runtime.sendToUser("ana", "hello"), 1);
  assert.deepEqual(await client.hear(), { type: "message", data: "hello" });
});

contract("auth: a token that expires closes with 1008", config, async (t) => {
  const began = performance.now();
  const client = await t.connect(`/ws?token=${await token({}, 1.2)}`);
  const forever = await t.connect(`/ws?token=${await token({ sub: "bob", exp: undefined })}`);
  const ending = await client.ending();
  assert.deepEqual(ending, { code: closeCode(t.host, 1008), reason: "token expired" });
  assert.ok(performance.now() - began > 1_000);
  await until("the end", () => t.probe.targets.includes("ended"));
  const { payload } = t.probe.deliveries[t.probe.targets.indexOf("ended")];
  const { code, reason } = payload as Readonly<Record<string, unknown>>;
  assert.deepEqual([code, reason], [1008, "token expired"]);
  await forever.hearsNothing();
});

contract("auth: a token that is renewed keeps the connection open", config, async (t) => {
  const ends = Date.now() + 1_200;
  const client = await t.connect(`/ws?token=${await token({ role: "guest" }, 1.2)}`);
  const fresh = await token({ role: "staff" });
  assert.deepEqual(await client.ask({ type: "auth", token: fresh, id: 1 }), { type: "ack", id: 1 });
  const { data } = await client.ask({ type: "who", id: 2 });
  assert.equal((data as Readonly<Record<string, unknown>>).role, "staff");
  await pause(ends + 500 - Date.now());
  await client.hearsNothing();
  // Without an id nobody hears of it; a token may also end earlier than the one before.
  client.say({ type: "auth", token: await token({}, 1) });
  assert.equal((await client.ending()).code, closeCode(t.host, 1008));
});

contract("auth: a token that is refused leaves the old one in force", config, async (t) => {
  const client = await t.connect(`/ws?token=${await token({ role: "staff" }, 2)}`);
  const cases = [
    [await token({ sub: "bob" }), "the token belongs to another user"],
    [await token({}, -1), "the token has expired"],
    [`${await token()}x`, "the token is not valid"],
    [forge({ alg: "none" }, { sub: "ana" }), "the token is not valid"],
    ["", "token must be a string"],
    [undefined, "token must be a string"],
    [{ sub: "ana" }, "token must be a string"],
  ] as const;
  for (const [bad, message] of cases) {
    const refusal = { type: "error", message, code: "unauthorized" };
    assert.deepEqual(await client.ask({ type: "auth", token: bad, id: 1 }), { ...refusal, id: 1 });
    assert.deepEqual(await client.ask({ type: "auth", token: bad }), refusal);
  }
  const { data } = await client.ask({ type: "who", id: 2 });
  const { user, role } = data as Readonly<Record<string, unknown>>;
  assert.deepEqual([user, role], ["ana", "staff"]);
  assert.deepEqual(await client.ending(), {
    code: closeCode(t.host, 1008),
    reason: "token expired",
  });
});

contract("auth: the frame takes its turn", config, async (t) => {
  const client = await t.connect(`/ws?token=${await token({ role: "guest" })}`);
  await t.probe.received(1);
  t.probe.holds = true;
  const fresh = await token({ role: "staff" });
  client.say(
    { type: "probe", id: "before" },
    { type: "auth", token: fresh, id: "auth" },
    { type: "who", id: "after" },
  );
  await t.probe.received(2);
  assert.deepEqual(await client.ask({ type: "ping", id: 0 }), { type: "pong", id: 0 });
  t.probe.releaseAll();
  const answers = await client.hearMany(3);
  assert.deepEqual(answers.map(({ id }) => id), ["before", "auth", "after"]);
  assert.equal((answers[2].data as Readonly<Record<string, unknown>>).role, "staff");
});

contract("auth: without an auth block the frame is unknown", websocket() + flows, async (t) => {
  const client = await t.connect("/ws");
  const { code, id } = await client.ask({ type: "auth", token: await token(), id: 1 });
  assert.deepEqual([code, id], ["unknown_type", 1]);
});

const open = websocket(auth("required = false")) + flows + who;

contract("auth: where none is required, a bad token is still refused", open, async (t) => {
  const anonymous = await t.connect("/ws?user_id=ana");
  const { data } = await anonymous.ask({ type: "who", id: 1 });
  const { user, claims } = data as Readonly<Record<string, unknown>>;
  assert.deepEqual([user, claims], [null, null]);
  assert.equal((await t.request("/ws?token=nonsense")).status, 401);
  assert.equal((await t.request(`/ws?token=${await token({}, -1)}`)).status, 401);
  // Nobody becomes somebody on the way.
  const { code } = await anonymous.ask({ type: "auth", token: await token(), id: 2 });
  assert.equal(code, "unauthorized");
  assert.deepEqual(population(t.runtime), { connections: 1, rooms: 0, users: 0 });
});

const chosen = websocket(auth()) + flows + `
  flow "news" {
    from {
      connector = "ws"
      operation = "news"
      filter    = "client.claims.role == 'staff'"
    }
    to {
      connector = "ws"
      operation = "broadcast"
      filter    = "client.claims.role == 'staff' && client.claims.teams.exists(t, t == input.team)"
    }
  }
`;

contract("auth: claims choose the senders and the recipients", chosen, async (t) => {
  const join = async (sub: string, role: string, teams: readonly string[]) =>
    await t.connect(`/ws?token=${await token({ sub, role, teams })}`);
  const ana = await join("ana", "staff", ["red"]);
  const bob = await join("bob", "guest", ["red"]);
  const eve = await join("eve", "staff", ["blue"]);
  const news = { type: "news", data: { team: "red" } };
  bob.say(news);
  await bob.hearsNothing();
  await ana.hearsNothing();
  assert.deepEqual(await ana.ask(news), { type: "message", data: { team: "red" } });
  await bob.hearsNothing();
  await eve.hearsNothing();
  const promoted = await token({ sub: "bob", role: "staff", teams: ["red"] });
  await bob.ask({ type: "auth", token: promoted, id: 1 });
  for (const client of [ana, bob]) {
    if (client === ana) client.say(news);
    assert.deepEqual(await client.hear(), { type: "message", data: { team: "red" } });
  }
  await eve.hearsNothing();
});

const cookies = websocket(`
  origins = ["https://app.example.com", "*.apps.example.com", "http://localhost:5173"]
  ${auth('from = ["cookie:session"]')}
`) + flows + greet;

contract("origins: pages of other sites get 403, and no flow runs", cookies, async (t) => {
  const Cookie = `session=${await token()}`;
  const others = [
    ...["https://evil.com", "null", "", "https://app.example.com.evil.com"],
    ...["https://evilapp.example.com", "https://evilapps.example.com", "https://apps.example.com"],
    ...["http://app.example.com", "https://app.example.com:8443", "http://localhost:5174"],
    ...["http://a.apps.example.com", "https://a.apps.example.com:8443", "https://localhost:5173"],
  ];
  for (const Origin of others) {
    for (const headers of [{ Cookie, Origin }, { Cookie: null, Origin }]) {
      const { status, body } = await t.request("/ws", { headers });
      assert.deepEqual([Origin, status], [Origin, 403]);
      assert.equal(body, "pages of this origin may not connect\n");
    }
  }
  assert.deepEqual(t.probe.deliveries, []);
  const good = ["https://app.example.com", "https://a.b.apps.example.com", "http://localhost:5173"];
  for (const Origin of [...good, null]) {
    const client = await t.connect("/ws", { headers: { Cookie, Origin } });
    await client.hearsNothing();
    assert.equal((await t.request("/ws", { headers: { Origin } })).status, 401);
  }
});

const ordered = websocket(`
  max_connections = 1
  origins = ["https://app.example"]
  ${auth()}
`) + flows + `
  flow "door" {
    from {
      connector = "ws"
      operation = "connect"
    }
    accept {
      when = "client.claims.role == 'staff'"
    }
  }
`;

contract("auth: origin, token and flows decide in this order", ordered, async (t) => {
  const [staff, guest] = [await token({ role: "staff" }), await token()];
  const foreign = { headers: { Origin: "https://evil.com" } };
  assert.equal((await t.request(`/ws?token=${staff}`, foreign)).status, 403);
  assert.equal((await t.request("/ws?token=nonsense", foreign)).status, 403);
  assert.equal((await t.request("/ws?token=nonsense")).status, 401);
  const refused = await t.request(`/ws?token=${guest}`);
  assert.deepEqual([refused.status, refused.body], [403, 'flow "door" rejected the event\n']);
  // The form comes first of all.
  const noKey = { headers: { ...foreign.headers, "Sec-WebSocket-Key": null } };
  assert.equal((await t.request("/ws", noKey)).status, 400);
  await (await t.connect(`/ws?token=${staff}`)).hearsNothing();
});

contract("auth: without a free place no token is checked", ordered, async (t) => {
  const staff = await token({ role: "staff" });
  const client = await t.connect(`/ws?token=${staff}`);
  for (const given of [staff, "nonsense", await token()]) {
    assert.equal((await t.request(`/ws?token=${given}`)).status, 503);
  }
  // What needs no check is judged before.
  assert.equal((await t.request("/ws")).status, 401);
  const foreign = { headers: { Origin: "https://evil.com" } };
  assert.equal((await t.request(`/ws?token=${staff}`, foreign)).status, 403);
  const { refused_full, refused_auth, refused_origin } = t.runtime.counts().ws;
  assert.deepEqual([refused_full, refused_auth, refused_origin], [3, 1, 1]);
  await client.hearsNothing();
});

contract("auth: frames in the packet of the request", config, async (t) => {
  const client = await t.raw();
  const head = handshakeText(`${t.host.mount}/ws?token=${await token()}`);
  const early = encodeFrame({ payload: JSON.stringify({ type: "echo", id: 1, data: "early" }) });
  client.write(Buffer.concat([Buffer.from(head), early]));
  if (t.host.sockets === "bun") {
    // Bun has read them as another request before the decision has come.
    const { status } = await client.response();
    assert.equal(status, 400);
    return;
  }
  await client.upgraded();
  assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { data: "early" } });
});

/** An issuer that publishes its keys when a test says so; it keeps no process alive. */
const issuer = await Issuer.start();
issuer.unref();
const { privateKey, jwk } = await pair("ES256");
const answers: (() => void)[] = [];
issuer.answer = (response) => {
  answers.push(() => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: [{ ...jwk, kid: "one" }] }));
  });
};

/** Runs a case for one host after the other: they share the issuer and its open answers. */
function inTurn(run: (t: Contract) => Promise<void>): (t: Contract) => Promise<void> {
  return (t) => {
    const result = turn.then(() => run(t));
    turn = result.catch(() => {});
    return result;
  };
}

let turn = Promise.resolve();

/** A token of that issuer. */
const issued = (): Promise<string> =>
  sign({ exp: Date.now() / 1000 + 3600, aud: "weir" }, privateKey, { alg: "ES256", kid: "one" });

const remote = websocket(auth("", `jwks_url = "${issuer.url}"\n audience = "weir"`)) + flows +
  greet;

/** Begins a handshake and waits until its keys are asked for. */
async function knock(t: Contract, known = answers.length): Promise<SocketClient> {
  const client = await t.raw();
  client.write(handshakeText(`${t.host.mount}/ws?token=${await issued()}`));
  await until("a request for keys", () => answers.length > known);
  return client;
}

contract(
  "auth: the connection waits for the keys of its token",
  remote,
  inTurn(async (t) => {
    const client = await knock(t);
    assert.equal(t.runtime.counts().ws.connections, 0);
    answers.pop()?.();
    await client.upgraded();
    await client.hearsNothing();
  }),
);

contract(
  "auth: who leaves while the keys are awaited leaves nothing behind",
  remote,
  inTurn(async (t) => {
    const first = await knock(t);
    const others = await Promise.all([1, 2, 3].map(() => knock(t, 0)));
    first.socket.resetAndDestroy();
    for (const [i, client] of others.entries()) {
      if (i === 0) client.destroy();
      else client.socket.resetAndDestroy();
    }
    // Time for the server to see it.
    await pause(50);
    answers.pop()?.();
    const there = await t.connect(`/ws?token=${await issued()}`);
    await there.hearsNothing();
    assert.deepEqual(t.probe.targets, ["connect"]);
  }),
);

contract(
  "auth: a shutdown lets nobody in whose keys are awaited",
  remote,
  inTurn(async (t) => {
    const client = await knock(t);
    const closed = t.runtime.close();
    answers.pop()?.();
    assert.equal((await client.response()).status, 503);
    await closed;
    assert.deepEqual(t.probe.targets, []);
  }),
);
