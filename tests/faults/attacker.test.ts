/** What somebody tries who wants in, or wants more than is his. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { forge, Issuer, pair, SECRET, sign } from "../support/auth.ts";
import { handshakeText, type Message, SocketClient } from "../support/socket-client.ts";
import { websocket } from "../support/socket-contract.ts";
import { parsers } from "./hosts.ts";
import { type Fault, fault } from "./invariants.ts";
import { RemoteServer } from "./server/remote.ts";

const [mine, theirs] = [await pair("ES256"), await pair("ES256")];
const rsa = await pair("RS256");
const issuer = await Issuer.start({ ...mine.jwk, kid: "one", alg: "ES256" });
issuer.unref();

/** Seconds since the epoch. */
const now = (): number => Date.now() / 1000;
const hour = (): number => now() + 3600;

/** Tokens are read where there are any; those who do nothing wrong here have none. */
function auth(keys: string, more = ""): string {
  return `
    auth {
      jwt {
        ${keys}
        audience = "weir"
        issuer   = "https://issuer.example"
      }
      required = false
      ${more}
    }
  `;
}

const shared = { attributes: auth(`secret = "${SECRET}"`) };
const asymmetric = { attributes: auth(`public_key = ${JSON.stringify(rsa.pem)}`) };
const remote = { attributes: auth(`jwks_url = "${issuer.url}"`) };

/** What a good token says; `more` makes it a bad one. */
function claims(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { aud: "weir", iss: "https://issuer.example", exp: hour(), ...more };
}

/** Every one of these tokens is refused, at the door and on a live connection. */
async function allRefused(t: Fault, good: string, bad: Readonly<Record<string, string>>) {
  const client = await t.open(`/ws?token=${good}`);
  const before = (await t.probe.deliveries()).length;
  for (const [what, token] of Object.entries(bad)) {
    const places = {
      query: await t.request(`/ws?token=${token}`),
      header: await t.request("/ws", { headers: { Authorization: `Bearer ${token}` } }),
      protocol: /^ey[^.]*\./.test(token)
        ? await t.request("/ws", { headers: { "Sec-WebSocket-Protocol": `weir, ${token}` } })
        : undefined,
    };
    for (const [place, response] of Object.entries(places)) {
      if (response === undefined) continue;
      assert.deepEqual([what, place, response.status], [what, place, 401]);
      assert.equal(response.body.includes(token), false, what);
    }
    client.say({ type: "auth", token, id: 1 });
    const { message: _, ...answer } = await client.hear() as Message;
    assert.deepEqual([what, answer], [what, { type: "error", code: "unauthorized", id: 1 }]);
  }
  assert.equal((await t.probe.deliveries()).length, before);
}

/** The same token with another header. */
function withHeader(token: string, header: unknown): string {
  const [, payload, signature] = token.split(".");
  const [head] = forge(header, {}).split(".");
  return `${head}.${payload}.${signature}`;
}

fault("a token with a forged alg → 401", shared, async (t) => {
  const good = await sign(claims());
  await allRefused(t, good, {
    "HS512 over a signature of HS256": withHeader(good, { alg: "HS512" }),
    "an algorithm of another kind": withHeader(good, { alg: "RS256" }),
    "an algorithm that does not exist": withHeader(good, { alg: "HS1" }),
    "no alg": withHeader(good, { typ: "JWT" }),
    "a list": withHeader(good, { alg: ["HS256"] }),
    "a key of its own": await sign(claims(), theirs.privateKey, { alg: "ES256" }),
    "a key in the header": withHeader(good, { alg: "ES256", jwk: theirs.jwk }),
    "an unknown critical header": withHeader(good, { alg: "HS256", crit: ["exp"] }),
  });
});

fault("a public key used as a shared secret → 401", asymmetric, async (t) => {
  const good = await sign(claims(), rsa.privateKey, { alg: "RS256" });
  await allRefused(t, good, {
    "the PEM": await sign(claims(), rsa.pem),
    "the PEM without its last line break": await sign(claims(), rsa.pem.trim()),
    "HS512": await sign(claims(), rsa.pem, { alg: "HS512" }),
  });
});

fault("a token with alg none → 401", shared, async (t) => {
  const good = await sign(claims());
  const [, , signature] = good.split(".");
  const bad = ["none", "None", "NONE", "nOnE", ""].flatMap((alg) => [
    [`"${alg}" without a signature`, forge({ alg }, claims({ sub: "ana" }))],
    [`"${alg}" with a signature`, forge({ alg }, claims({ sub: "ana" }), signature)],
  ]);
  await allRefused(t, good, Object.fromEntries(bad));
});

fault("an expired token → 401", shared, async (t) => {
  await allRefused(t, await sign(claims()), {
    "a second ago": await sign(claims({ exp: now() - 1 })),
    "long ago": await sign(claims({ exp: 1 })),
    "no number": await sign(claims({ exp: String(hour()) })),
    "null": await sign(claims({ exp: null })),
  });
});

fault("a token of the future → 401", shared, async (t) => {
  await allRefused(t, await sign(claims()), {
    "in a minute": await sign(claims({ nbf: now() + 60 })),
    "in a thousand years": await sign(claims({ nbf: now() + 3e10, exp: now() + 4e10 })),
    "no number": await sign(claims({ nbf: "tomorrow" })),
  });
});

fault("a token for another audience or of another issuer → 401", shared, async (t) => {
  await allRefused(t, await sign(claims()), {
    "another": await sign(claims({ aud: "billing" })),
    "several others": await sign(claims({ aud: ["billing", "weir2"] })),
    "none": await sign(claims({ aud: undefined })),
    "a part of it": await sign(claims({ aud: "wei" })),
    "an object": await sign(claims({ aud: { weir: true } })),
    "another issuer": await sign(claims({ iss: "https://issuer.example.evil.com" })),
    "no issuer": await sign(claims({ iss: undefined })),
  });
});

fault("a token of another key with the same kid → 401", remote, async (t) => {
  const header = { alg: "ES256", kid: "one" };
  await allRefused(t, await sign(claims(), mine.privateKey, header), {
    "another key": await sign(claims(), theirs.privateKey, header),
    "another kind of key": await sign(claims(), rsa.privateKey, { alg: "RS256", kid: "one" }),
    "the published key as a secret": await sign(claims(), mine.pem, { alg: "HS256", kid: "one" }),
    "a kid that is a path": await sign(claims(), theirs.privateKey, {
      alg: "ES256",
      kid: "../../dev/null",
    }),
  });
});

fault(
  "a page of another site that brings its visitor's cookie → 403, and no flow runs",
  {
    attributes: `origins = ["https://app.example.com", "*.example.org"]
      ${auth(`secret = "${SECRET}"`, 'from = ["cookie:session"]')}`,
    blocks: `
      flow "arrival" {
        from {
          connector = "ws"
          operation = "connect"
          filter    = "client.user_id != null"
        }
        to {
          connector = "probe"
          target    = "arrival"
        }
      }
    `,
  },
  async (t) => {
    const Cookie = `session=${await sign(claims())}`;
    const origins = [
      ...["https://evil.com", "null", "https://app.example.com.evil.com", "https://example.org"],
      ...["https://evilexample.org", "https://evil.com/.example.org", "http://app.example.com"],
      ...["https://app.example.com:444", "https://app.example.com@evil.com", "file://"],
      ...["https://app.example.com, https://evil.com", "*", "https://*.example.org"],
    ];
    for (const Origin of origins) {
      const { status } = await t.request("/ws", { headers: { Cookie, Origin } });
      assert.deepEqual([Origin, status], [Origin, 403]);
    }
    assert.equal((await t.probe.targets()).includes("arrival"), false);
    const own = { headers: { Cookie, Origin: "https://app.example.com" } };
    assert.equal((await t.request("/ws", own)).status, 101);
    assert.equal((await t.probe.targets()).filter((target) => target === "arrival").length, 1);
  },
);

fault("rooms whose names try to be patterns → plain names", {}, async (t) => {
  const client = await t.open("/ws", { member: false });
  const names = ["*", "#", ">", "**", "orders:*", "orders.*", "orders.#", "%", "_", "orders:%"];
  const more = [".*", "^.*$", "orders:1|orders:2", "orders:1 OR 1=1", "?", "[a-z]*", "{orders:1}"];
  const objects = ["__proto__", "constructor", "toString", "hasOwnProperty", "0", "null"];
  const rooms = [...names, ...more, ...objects];
  for (const room of rooms) {
    client.say({ type: "join_room", room, id: room });
    assert.deepEqual(await client.hear(), { type: "ack", id: room });
  }
  for (const room of ["orders:1", "orders.1", "orders:2", "a", "1", ""]) {
    if (room !== "") assert.equal(await t.server.sendToRoom(room, "secret"), 0, room);
  }
  for (const room of rooms) {
    assert.equal(await t.server.sendToRoom(room, room), 1, room);
    assert.deepEqual(await client.hear(), { type: "message", data: room, room });
  }
});

const database = `
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
  flow "set up" {
    from {
      connector = "ws"
      operation = "setup"
    }
    to {
      connector = "db"
      query     = "CREATE TABLE notes (id TEXT PRIMARY KEY, author TEXT, text TEXT)"
    }
  }
  flow "note" {
    from {
      connector = "ws"
      operation = "note"
    }
    to {
      connector = "db"
      target    = "notes"
    }
  }
  flow "change" {
    from {
      connector = "ws"
      operation = "change"
    }
    to {
      connector = "db"
      operation = "UPDATE"
      target    = "notes"
      key       = "id"
    }
  }
  flow "to anywhere" {
    from {
      connector = "ws"
      operation = "anywhere"
    }
    to {
      connector = "db"
      target    = "input.table"
    }
  }
  flow "find" {
    from {
      connector = "ws"
      operation = "find"
    }
    step "found" {
      connector = "db"
      query     = "SELECT id, author, text FROM notes WHERE id = :id AND author = :author"
      rows      = "all"
    }
    response {
      found = "step.found"
    }
  }
  flow "all" {
    from {
      connector = "ws"
      operation = "all"
    }
    step "notes" {
      connector = "db"
      query     = "SELECT id, author, text FROM notes ORDER BY id"
      rows      = "all"
    }
    response {
      notes = "step.notes"
    }
  }
`;

for (const host of parsers) {
  // Flows fail here, and the log says so: that would fail a `fault`.
  test(`${host.name}: SQL in every field → it is data`, async () => {
    const server = await RemoteServer.start(host, websocket() + database);
    const client = await SocketClient.connect(server.port);
    try {
      client.write(handshakeText(`${host.mount}/ws`));
      await client.upgraded();
      await attackDatabase(client);
    } finally {
      client.destroy();
      await server.close();
    }
  });
}

/** Sends SQL as values, as names of columns and as names of tables. */
async function attackDatabase(client: SocketClient): Promise<void> {
  let id = 0;
  const ask = async (type: string, data: unknown = null) => {
    const answer = await client.ask({ type, data, id: ++id });
    assert.equal(answer.id, id);
    // Nothing of the database's own words reaches a client.
    assert.doesNotMatch(String(answer.message ?? ""), /sqlite|syntax|column|table/i);
    return answer;
  };
  assert.equal((await ask("setup")).type, "ack");
  const attacks = [
    "'; DROP TABLE notes; --",
    "x' OR '1'='1",
    'x" OR "1"="1',
    "1); DELETE FROM notes; --",
    "' UNION SELECT name, sql, type FROM sqlite_master --",
    ":id",
    "?1",
    "`; DROP TABLE notes; `",
    "/* */ notes",
  ];
  const notes = attacks.map((attack, i) => ({
    id: `${i} ${attack}`,
    author: attack,
    text: attack,
  }));
  for (const note of notes) assert.deepEqual(await ask("note", note), { type: "ack", id });
  // A database would end the text there.
  const cut = await ask("note", { id: "cut", author: "\u0000'; --", text: "" });
  assert.equal(cut.code, "flow_failed");
  for (const attack of attacks) {
    // As names of columns and of tables.
    for (const type of ["note", "change"]) {
      const { code } = await ask(type, { id: "x", [attack]: "x" });
      assert.deepEqual([type, attack, code], [type, attack, "flow_failed"]);
    }
    const { code } = await ask("anywhere", { table: attack, id: "x" });
    assert.deepEqual([attack, code], [attack, "flow_failed"]);
    const { data } = await ask("find", { id: attack, author: attack });
    assert.deepEqual(data, { found: [] });
  }
  const first = notes[0];
  assert.deepEqual((await ask("find", first)).data, { found: [first] });
  assert.deepEqual((await ask("all")).data, { notes });
}

fault("a user_id that tries to be headers → 400, and none of it is answered", {}, async (t) => {
  const attacks = ["a%0d%0aX-Evil:%201", "a%0aX-Evil:%201", "a%0d%0a%0d%0a<script>", "%00", "a%7f"];
  for (const attack of attacks) {
    const { status, headers, body } = await t.request(`/ws?user_id=${attack}`);
    assert.deepEqual([attack, status, body], [attack, 400, "user_id has a control character\n"]);
    assert.equal(headers.has("x-evil"), false);
  }
});

fault("a token whose user tries to be headers → 401", shared, async (t) => {
  const subs = [
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1",
    "\u0000",
    "a\u007f",
    "\ud800",
    "",
    "x".repeat(256),
  ];
  const bad = await Promise.all(subs.map(async (sub) => [
    JSON.stringify(sub),
    await sign(claims({ sub })),
  ]));
  for (const [, token] of bad) {
    assert.equal((await t.request(`/ws?token=${token}`)).headers.has("x-evil"), false);
  }
  await allRefused(t, await sign(claims()), Object.fromEntries(bad));
});

/** All that the server answers to one request. */
function raw(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => answer += chunk);
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.write(`${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
}

test(`${parsers[0].name}: paths that leave the static folder → nothing from outside`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-static-"));
  const outside = "this is not for the web";
  try {
    await mkdir(join(folder, "public", "sub"), { recursive: true });
    await mkdir(join(folder, "public-not"));
    await writeFile(join(folder, "public", "index.html"), "hello");
    await writeFile(join(folder, "secret.txt"), outside);
    await writeFile(join(folder, "public-not", "secret.txt"), outside);
    const config = websocket(`static = ${JSON.stringify(join(folder, "public"))}`)
      .replace(/connector "probe" \{[^}]*\}/, "");
    const server = await RemoteServer.start(parsers[0], config);
    const get = (path: string) => raw(server.port, `GET ${path} HTTP/1.1`);
    try {
      assert.match(await get("/index.html"), /^HTTP\/1.1 200 [^]*hello/);
      const ups = ["..", "%2e%2e", "%2E.", ".%2e", "..%00", "%252e%252e", "..;", "...."];
      const separators = ["/", "%2f", "\\", "%5c", "//", "/./"];
      const paths = ups.flatMap((up) =>
        separators.flatMap((s) => [
          `/${up}${s}secret.txt`,
          `/sub${s}${up}${s}${up}${s}secret.txt`,
          `/${up}${s}public-not${s}secret.txt`,
        ])
      );
      const others = [
        ...["/-not/secret.txt", "//secret.txt"],
        ...[`${folder}/secret.txt`, `/${folder}/secret.txt`, `/file://${folder}/secret.txt`],
        ...[
          "/index.html/../../secret.txt",
          "/secret.txt%00.html",
          "/C:/secret.txt",
          "/~/secret.txt",
        ],
      ];
      for (const path of [...paths, ...others]) {
        const answer = await get(path);
        assert.equal(answer.includes(outside), false, path);
        assert.match(answer, /^HTTP\/1.1 40[034] /, path);
      }
    } finally {
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
