/** How a connector of NATS connects: credentials, TLS, permissions, and several servers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { createUser } from "@nats-io/nkeys";
import { ConnectorError } from "../../src/base/errors.ts";
import { flow, type Made, makeMq, request, until } from "../support/mq.ts";
import { type NatsLogin, NatsServer } from "../support/nats.ts";
import { PASSWORD, withServer } from "../support/own-server.ts";
import { serviceTest } from "../support/services.ts";
import { type Options, withBench } from "./nats-support.ts";

/** How a start ends: `connected`, or the message of a permanent error. */
async function started(options: Options): Promise<string> {
  const { connector } = await makeMq({ driver: "nats", ...options }, "events");
  try {
    await connector.start();
    return connector.health() ?? "connected";
  } catch (error) {
    if (!(error instanceof ConnectorError) || !error.permanent) throw error;
    return error.message;
  } finally {
    await connector.close();
  }
}

/** What a connector says to each of its options. */
async function each(cases: readonly (readonly [Options, string | RegExp])[]): Promise<void> {
  const found = await Promise.all(cases.map(([options]) => started(options)));
  for (const [i, [options, expected]] of cases.entries()) {
    if (typeof expected === "string") assert.equal(found[i], expected, JSON.stringify(options));
    else assert.match(found[i], expected, JSON.stringify(options));
    assert.ok(!found[i].includes(PASSWORD) && !/S[UA][A-Z2-7]{50}/.test(found[i]), found[i]);
  }
}

const REFUSED = /^connector "events": cannot start: the broker \S+: it refuses the credentials/;

const encoded = encodeURIComponent(PASSWORD);

/** What each kind of server takes, and what it refuses. */
const logins: Readonly<
  Record<NatsLogin, (server: NatsServer) => readonly (readonly [Options, string | RegExp])[]>
> = {
  user: ({ url, port }) => [
    [{ url: [url], user: "weir", password: PASSWORD }, "connected"],
    [{ url: [url.replace("//", `//weir:${encoded}@`)] }, "connected"],
    [{ host: "127.0.0.1", port, user: "weir", password: PASSWORD }, "connected"],
    [{ url: [url], user: "weir", password: "wrong" }, REFUSED],
    [{ url: [url] }, REFUSED],
  ],
  token: ({ url }) => [
    [{ url: [url], token: PASSWORD }, "connected"],
    [{ url: [url.replace("//", `//${encoded}@`)] }, "connected"],
    [{ url: [url], token: "wrong" }, REFUSED],
  ],
  nkey: ({ url, seed }) => [
    [{ url: [url], nkey: seed }, "connected"],
    [{ url: [url], nkey: new TextDecoder().decode(createUser().getSeed()) }, REFUSED],
    // As long as a seed, but without its checksum.
    [{ url: [url], nkey: `SU${"A".repeat(56)}` }, /cannot use its nkey/],
  ],
  creds: ({ url, creds, strangerCreds, folder }) => [
    [{ url: [url], creds }, "connected"],
    [{ url: [url], creds: strangerCreds }, REFUSED],
    [{ url: [url], creds: `${folder}/none` }, /cannot read the file "\S+" of creds: there is no/],
    [{ url: [url], creds: `${folder}/nats.conf` }, /cannot use the file "\S+" of creds/],
  ],
};

for (const [login, cases] of Object.entries(logins)) {
  await serviceTest(
    "nats-server",
    `a server that wants a ${login} gets one, or ends the start`,
    () =>
      withServer(NatsServer.open({ login: login as NatsLogin }), (server) => each(cases(server))),
  );
}

await serviceTest(
  "nats-server",
  "a certificate is verified, and a wrong one ends the start",
  () =>
    withServer(NatsServer.open({ tls: "server" }), async ({ url, port, tls }) => {
      const ca = tls?.authority.ca;
      const named = `tls://localhost:${port}`;
      await each([
        [{ url: [url], tls: { ca } }, "connected"],
        [{ url: [named], tls: { ca } }, "connected"],
        [{ url: [url.replace("tls:", "nats:")], tls: { ca } }, "connected"],
        [{ url: [named], tls: { ca, server_name: "127.0.0.1" } }, "connected"],
        [{ url: [named], tls: { ca, server_name: "other.example" } }, /tls\.server_name/],
        [{ url: [url] }, /tls\.ca/],
        // The server demands TLS of who has not asked for it.
        [{ url: [url.replace("tls:", "nats:")] }, /tls\.ca/],
        [{ url: [url], tls: { ca: "/none.pem" } }, /cannot read the file "\/none.pem" of tls\.ca/],
      ]);
    }),
);

await serviceTest(
  "nats-server",
  "a server may want a certificate of its clients, or have no TLS",
  () =>
    withServer(NatsServer.open({ tls: "clients" }), async ({ url, tls }) => {
      const ca = tls?.authority.ca;
      const { cert, key } = tls?.client ?? {};
      await withServer(NatsServer.open(), (plain) =>
        each([
          [{ url: [url], tls: { ca, cert, key } }, "connected"],
          [
            { url: [url], tls: { ca } },
            /it wants a certificate of its clients: tls\.cert and tls\.key/,
          ],
          [{ url: [plain.url], tls: { ca } }, /server does not support 'tls'/],
        ]));
    }),
);

/** A user who may not publish and subscribe everywhere, and may use JetStream for one stream. */
const LIMITED = `authorization { users: [{
  user: weir, password: ${JSON.stringify(PASSWORD)}, permissions: {
    publish: { deny: ["secret.>", "$JS.API.STREAM.CREATE.DENIED"] }
    subscribe: { deny: ["secret.>"] }
  }
}] }`;

await serviceTest(
  "nats-server",
  "what a user may not do fails its flow, or shows in the health",
  () =>
    withServer(NatsServer.open({ settings: [LIMITED] }), async ({ url }) => {
      const login = { driver: "nats", url: [url], user: "weir", password: PASSWORD };
      const { connector, log } = await makeMq(login);
      connector.subscribe("secret.a", flow(() => {}));
      connector.subscribe("open.a", flow(() => {}));
      try {
        await connector.start();
        await connector.consume();
        await until("the refusal", () => connector.health() !== undefined);
        assert.match(String(connector.health()), /^may not subscribe to secret\.a: Permissions/);
        assert.equal(log.filter(([, text]) => /may not subscribe/.test(text)).length, 1);
        const results = await Promise.allSettled(
          ["secret.a", "open.a", "secret.b"].map(async (key) =>
            await connector.write(request(key, 1))
          ),
        );
        assert.deepEqual(results.map(({ status }) => status), [
          "rejected",
          "fulfilled",
          "rejected",
        ]);
        const [{ reason }] = results as readonly PromiseRejectedResult[];
        assert.match(reason.message, /could not publish "secret\.a": Permissions Violation/);
        assert.ok(reason.permanent);
        assert.equal(connector.counts().consumed, 1);
      } finally {
        await connector.close();
      }
      const stream = { name: "DENIED", subjects: ["denied.>"] };
      const message = await started({ ...login, stream });
      assert.match(message, /it refuses a permission: .*"\$JS\.API\.STREAM\.CREATE\.DENIED"/);
    }),
);

await serviceTest(
  "nats-server",
  "another server of the list takes over; what was published meanwhile is lost, and fails",
  () =>
    withServer(NatsServer.open(), (one) =>
      withServer(NatsServer.open(), async (other) => {
        const seen: unknown[] = [];
        const { connector, log } = await makeMq({ driver: "nats", url: [one.url, other.url] });
        connector.subscribe("a", flow(({ payload }) => seen.push(payload)));
        try {
          await connector.start();
          await connector.consume();
          await connector.write(request("a", 1));
          await until("the first", () => seen.length === 1);
          // Which of both it has is chance.
          for (const server of [one, other]) {
            await server.stop();
            // What fails meanwhile is for the sender to repeat.
            const published = async () => await connector.write(request("a", server.port));
            await until("the other one", () => published().then(() => true, () => false));
            await server.start();
          }
          await until("the others", () => [one.port, other.port].every((n) => seen.includes(n)));
          await one.stop();
          await other.stop();
          await until("the end", () => connector.health() !== undefined);
          await assert.rejects(async () => await connector.write(request("a", 3)), isAway);
          await one.start();
          await until("the return", () => connector.health() === undefined);
          const { gaps } = connector.counts();
          // Each loss is one, and each is logged.
          assert.ok(gaps >= 2 && gaps <= 4, `${gaps} gaps`);
          for (
            const words of [/is away; reconnecting: /, / is back$/, /is subscribed again; what was/]
          ) {
            assert.equal(
              log.filter(([, text]) => words.test(text)).length,
              gaps,
              `${words} ${log}`,
            );
          }
        } finally {
          await connector.close();
        }
      })),
);

function isAway(error: unknown): boolean {
  return error instanceof ConnectorError && !error.permanent && /is away: /.test(error.message);
}

await serviceTest(
  "nats-server",
  "a broker that is away at the start is tried until it is there",
  () =>
    withServer(NatsServer.open(), async (server) => {
      await server.stop();
      const seen: unknown[] = [];
      const made: Made[] = [];
      for (const stream of [undefined, { name: "S", subjects: ["s.>"] }, { name: "T" }]) {
        const { connector, log } = await makeMq({
          driver: "nats",
          url: [server.url],
          ...(stream !== undefined && { stream, queue: { name: "q" } }),
        });
        made.push({ connector, log });
        connector.subscribe("s.a", flow(({ payload }) => seen.push(payload)));
        await connector.start();
        await connector.consume();
        assert.match(
          String(connector.health()),
          /^the broker \S+ is away: connect ECONNREFUSED|refused/,
        );
      }
      try {
        await server.start();
        const healths = () => made.map(({ connector }) => connector.health());
        const missing = 'the stream "T" does not exist; write its subjects, and it is made';
        const words = `failed to declare what it needs in JetStream: ${missing}`;
        await until("two of them", () => healths().join("; ") === `; ; ${words}`);
        // The log names it when it is still missing after a second.
        await until("its warning", () => made[2].log.some(([, text]) => text === words));
        assert.deepEqual(made[2].log.filter(([, text]) => text === words).length, 1);
        await withBench(server.url, async ({ manager }) => {
          await manager.streams.add({ name: "T", subjects: ["t"] });
        });
        await until("all", () => healths().join("") === "");
        await made[1].connector.write(request("s.a", 1));
        await until("both flows", () => seen.length === 2);
        // It was never subscribed before.
        assert.equal(made[0].connector.counts().gaps, 0);
      } finally {
        for (const { connector } of made) await connector.close();
      }
    }),
);

test("a server that refuses a client which it had accepted says why, once", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(`INFO ${JSON.stringify({ server_id: "S", version: "2.10.0", proto: 1 })}\r\n`);
    socket.on("data", (bytes) => {
      if (!bytes.toString().includes("PING")) return;
      if (sockets.length === 1) socket.write("PONG\r\n");
      else socket.end("-ERR 'Authorization Violation'\r\n");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { connector, log } = await makeMq({ driver: "nats", url: [`nats://127.0.0.1:${port}`] });
  try {
    await connector.start();
    sockets[0].destroy();
    const words = "it refuses the credentials: Authorization Violation";
    await until("its reason", () => connector.health()?.endsWith(words) === true);
    await until("the third try", () => sockets.length > 2);
    const texts = log.map(([level, text]) => `${level} ${text.replace(/:\d+/, "")}`);
    assert.match(texts[0], /^warn the broker 127.0.0.1 is away; reconnecting: /);
    assert.deepEqual(texts.slice(1), [
      `error the broker 127.0.0.1 refuses the connection; tries again: ${words}`,
    ]);
  } finally {
    await connector.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
