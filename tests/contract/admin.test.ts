/** The admin port as programs, attackers among them, see it over the network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectorError } from "../../src/base/errors.ts";
import { openAdminPort } from "../../src/server/admin-port.ts";
import { type AdminSource, createAdminSite } from "../../src/server/admin-site.ts";
import { loadHost } from "../../src/server/host.ts";
import { type ServeOptions, type Service, startService } from "../../src/server/mod.ts";
import type { StatusReport } from "../../src/server/status.ts";
import { VERSION } from "../../src/base/version.ts";
import { freePort } from "../support/ports.ts";
import {
  openSilent,
  type RawAnswer,
  type RawRequest,
  rawRequest,
  sendText,
} from "../support/raw-http.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const WS = 'connector "ws" {\n  type = "websocket"\n  port = 0\n}\n';

/** Serves a configuration whose `service` block has these lines. */
async function serve(lines: string, options: Partial<ServeOptions> = {}): Promise<Service> {
  const host = await loadHost();
  const config = `service {\n  name = "chat"\n  version = "1.2"\n${lines}\n}\n${WS}`;
  const { workers: _, ...own } = options;
  return await startService(config, { ...host.options, ...own }, host.listen);
}

async function withService<T>(
  lines: string,
  look: (ask: (request: RawRequest) => Promise<RawAnswer>, service: Service) => Promise<T>,
): Promise<T> {
  const service = await serve(lines);
  const port = service.admin?.port ?? 0;
  try {
    return await look((request) => rawRequest(port, request), service);
  } finally {
    await service.close();
  }
}

/** A source that a test answers for. */
function sourceWith(more: Partial<AdminSource> = {}): AdminSource {
  return { health: () => ({}), status: () => ({} as StatusReport), ...more };
}

async function withSource<T>(
  source: AdminSource,
  look: (port: number) => Promise<T>,
  token?: string,
): Promise<T> {
  const { listen } = await loadHost();
  const admin = await openAdminPort({ host: "127.0.0.1", port: 0, token }, source, listen);
  try {
    return await look(admin.address.port);
  } finally {
    await admin.close();
  }
}

test("health and status are on the admin port, and not on the ports of connectors", async () => {
  await withService("  admin_port = 0", async (ask, { admin, ports }) => {
    assert.equal(admin?.url, `http://127.0.0.1:${admin?.port}`);
    const bodies = {
      "/health/live": { status: "ok", name: "chat", version: "1.2" },
      "/health/ready": { status: "ok" },
      "/health/serving": { status: "ok" },
    };
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await ask({ path });
      assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, body], path);
      assert.equal(answer.headers["content-type"], "application/json");
      const head = await ask({ path, method: "HEAD" });
      assert.deepEqual([head.status, head.body], [200, ""], path);
      assert.equal((await rawRequest(ports.ws, { path })).status, 404, path);
    }
    const status = JSON.parse((await ask({ path: "/status" })).body);
    assert.deepEqual([status.state, status.weir, status.flows], ["ready", VERSION, []]);
    assert.deepEqual(status.service, { name: "chat", version: "1.2" });
    assert.deepEqual(status.connectors, [{ name: "ws", type: "websocket", ready: true }]);
    assert.equal(status.counts.ws.connections, 0);
    const metrics = await ask({ path: "/metrics" });
    assert.equal(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.match(metrics.body, /^weir_websocket_connections\{connector="ws"\} 0$/m);
    for (const path of ["/", "/reload", "/health", "/health/live/", "/../status"]) {
      assert.equal((await ask({ path })).status, path === "/../status" ? 200 : 404, path);
    }
  });
});

test("without an admin port, health stays on the ports of connectors", async () => {
  const service = await serve("");
  assert.equal(service.admin, undefined);
  const answer = await rawRequest(service.ports.ws, { path: "/health/ready" });
  assert.equal(answer.status, 200);
  await service.close();
});

test("an answer is for its asker alone, and the connection ends with it", async () => {
  await withService("  admin_port = 0", async (ask, { admin }) => {
    for (const path of ["/health/ready", "/nothing"]) {
      const { headers } = await ask({ path });
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["cross-origin-resource-policy"], "same-origin");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["access-control-allow-origin"], undefined);
    }
    // What is sent ahead is not answered.
    const one = `GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n`;
    const received = await sendText(admin?.port ?? 0, one.repeat(3));
    assert.equal(received.match(/HTTP\/1\.1 200/g)?.length, 1, received);
  });
});

test("attacker: without a token, only this machine by its own names", async () => {
  await withService("  admin_port = 0", async (ask, { admin }) => {
    const status = async (host: string) =>
      (await ask({ path: "/status", headers: { host } })).status;
    const port = admin?.port;
    const own = ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:1", "[::1]:65535"];
    for (const host of [...own, `127.0.0.1:${port}`]) assert.equal(await status(host), 200, host);
    // Such as a name whose server of names answers 127.0.0.1: DNS rebinding.
    const foreign = [
      ...["evil.test", `evil.test:${port}`, "localhost.evil.test", "evil-localhost", "localhost."],
      ...["127.0.0.1.evil.test", "127.0.0.1.", "127.0.0.2", "0.0.0.0", "::1", "[::]", "2130706433"],
      ...["localhost@evil.test", "localhost:x", "localhost:123456", "localhost, evil.test"],
      ...["127.1", "[::ffff:127.0.0.1]"],
    ];
    for (const host of foreign) {
      // Bun refuses a list of hosts before.
      assert.ok([400, 421].includes(await status(host)), host);
    }
    const answer = await ask({ path: "/health/live", headers: { host: "evil.test" } });
    assert.deepEqual(JSON.parse(answer.body), {
      error: {
        code: "wrong_host",
        message: "without admin_token, ask localhost, 127.0.0.1 or [::1]",
      },
    });
    // The rule is first: it does not tell which paths there are.
    assert.equal((await ask({ path: "/x", headers: { host: "evil.test" } })).status, 421);
    const old = await sendText(port ?? 0, "GET /status HTTP/1.0\r\n\r\n");
    assert.match(old, /^HTTP\/1\.[01] (?:400|421) /);
    const two = "GET /status HTTP/1.1\r\nhost: localhost\r\nhost: evil.test\r\n\r\n";
    assert.match(await sendText(port ?? 0, two), /^HTTP\/1\.1 400 /);
  });
});

test("attacker: no token, a wrong one, one of another length", async () => {
  await withService(`  admin_port = 0\n  admin_token = "${TOKEN}"`, async (ask) => {
    const status = async (authorization?: string, path = "/status") => {
      const headers = authorization === undefined ? undefined : { authorization };
      const answer = await ask({ path, ...(headers && { headers }) });
      assert.ok(!answer.body.includes(TOKEN));
      return [answer.status, answer.headers["www-authenticate"]];
    };
    const needed = [401, 'Bearer realm="weir"'];
    for (const path of ["/health/live", "/health/ready", "/status", "/metrics", "/", "/nothing"]) {
      assert.deepEqual(await status(undefined, path), needed, path);
    }
    for (const text of ["", "Bearer", "Bearer ", TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN} x`]) {
      assert.deepEqual(await status(text), needed, text);
    }
    const wrong = [401, 'Bearer realm="weir", error="invalid_token"'];
    const tokens = [
      ...[`${TOKEN.slice(0, -1)}0`, `${TOKEN}0`, TOKEN.slice(0, -1), TOKEN.toUpperCase()],
      ...["x", "x".repeat(4_000), `${TOKEN},${TOKEN}`, "undefined"],
    ];
    for (const token of tokens) assert.deepEqual(await status(`Bearer ${token}`), wrong, token);
    for (const text of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `Bearer  ${TOKEN} `]) {
      assert.deepEqual(await status(text), [200, undefined], text);
    }
    // A token in the URL would be in the logs of proxies.
    assert.deepEqual(await status(undefined, `/status?token=${TOKEN}`), needed);
    // With a token the name of the host is free, as behind a proxy.
    const headers = { authorization: `Bearer ${TOKEN}`, host: "admin.example.com" };
    assert.equal((await ask({ path: "/status", headers })).status, 200);
  });
});

test("attacker: another origin may neither change anything nor open a stream", async () => {
  await withService("  admin_port = 0", async (ask, { admin }) => {
    const host = `localhost:${admin?.port}`;
    const post = async (headers: Readonly<Record<string, string>>, method = "POST") =>
      (await ask({ path: "/reload", method, headers: { host, ...headers } })).status;
    const foreign = [
      ...["http://evil.test", "null", `http://localhost`, `http://127.0.0.1:${admin?.port}`],
      ...[`ftp://${host}`, `http://${host}/`, `http://${host}.evil.test`, "", "localhost", host],
      `http://${host}, http://evil.test`,
    ];
    for (const origin of foreign) assert.equal(await post({ origin }), 403, origin);
    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
      assert.equal(await post({ origin: "http://evil.test" }, method), 403, method);
    }
    // No browser leaves both out where a page of another origin asks.
    for (const site of ["cross-site", "same-site", "same-origin", "none"]) {
      assert.equal(await post({ "sec-fetch-site": site }), 403, site);
    }
    // 404: the rules let it pass, and there is no such path yet.
    assert.equal(await post({}), 404);
    assert.equal(await post({ origin: `http://${host}` }), 404);
    assert.equal(await post({ origin: `http://${host}`, "sec-fetch-site": "same-origin" }), 404);

    const get = async (headers: Readonly<Record<string, string>>) =>
      (await ask({ path: "/status", headers: { host, ...headers } })).status;
    const stream = { accept: "text/event-stream" };
    assert.equal(await get({ ...stream, origin: "http://evil.test" }), 403);
    assert.equal(await get({ ...stream, "sec-fetch-site": "cross-site" }), 403);
    assert.equal(await get({ ...stream, origin: `http://${host}` }), 200);
    assert.equal(await get(stream), 200);
    const upgrade = { connection: "upgrade", upgrade: "websocket" };
    assert.equal(await get({ ...upgrade, origin: "http://evil.test" }), 403);
    // A GET of a page: it is answered, but the page is not let see the answer.
    assert.equal(await get({ origin: "http://evil.test", "sec-fetch-site": "cross-site" }), 200);
  });
});

test("attacker: with a token, the origin counts as well", async () => {
  await withService(`  admin_port = 0\n  admin_token = "${TOKEN}"`, async (ask) => {
    const authorization = `Bearer ${TOKEN}`;
    const post = async (headers: Readonly<Record<string, string>>) =>
      (await ask({ path: "/reload", method: "POST", headers })).status;
    const host = "admin.example.com";
    assert.equal(await post({ authorization, host, origin: "http://evil.test" }), 403);
    assert.equal(await post({ authorization, host, origin: "https://admin.example.com" }), 404);
    assert.equal(await post({ authorization, host, origin: "https://admin.example.com:444" }), 403);
    assert.equal(await post({ authorization, host, "sec-fetch-site": "cross-site" }), 404);
    assert.equal(await post({ authorization, host }), 404);
    assert.equal(await post({ host, origin: "https://admin.example.com" }), 401);
  });
});

test("metrics are served as the source has them; one that fails is in the log alone", async () => {
  let fails = false;
  const metrics = (): Promise<string> =>
    fails ? Promise.reject(new Error("secret reason")) : Promise.resolve("# HELP a b\na 1\n");
  await withSource(sourceWith({ metrics }), async (port) => {
    const answer = await rawRequest(port, { path: "/metrics" });
    assert.deepEqual([answer.status, answer.body], [200, "# HELP a b\na 1\n"]);
    assert.equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    fails = true;
    const failed = await rawRequest(port, { path: "/metrics" });
    assert.equal(failed.status, 500);
    assert.ok(!failed.body.includes("secret"), failed.body);
  });
});

test("more than 64 requests at the same time are refused, and later ones are answered", async () => {
  const { promise: release, resolve } = Promise.withResolvers<string>();
  const { promise: full, resolve: fill } = Promise.withResolvers<void>();
  let begun = 0;
  const metrics = (): Promise<string> => {
    if (++begun === 64) fill();
    return release;
  };
  await withSource(sourceWith({ metrics }), async (port) => {
    const waiting = Array.from({ length: 64 }, () => rawRequest(port, { path: "/metrics" }));
    await full;
    const refused = await rawRequest(port, { path: "/health/live" });
    assert.deepEqual([refused.status, refused.headers["retry-after"]], [503, "1"]);
    resolve("a 1\n");
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
    assert.equal((await rawRequest(port, { path: "/health/live" })).status, 200);
  });
});

test("clients that say nothing do not keep others out for longer than ten seconds", async () => {
  await withSource(sourceWith(), async (port) => {
    const silent = await Promise.all(Array.from({ length: 256 }, () => openSilent(port)));
    const [crowded] = await Promise.allSettled([rawRequest(port, { path: "/health/live" })]);
    const answered = crowded.status === "fulfilled" && crowded.value.status === 200;
    // Bun cannot limit the number of connections.
    assert.equal(answered, "Bun" in globalThis);
    const ends = silent.map((socket) => {
      socket.on("error", () => {});
      socket.resume();
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await Promise.all(ends);
    assert.equal((await rawRequest(port, { path: "/health/live" })).status, 200);
  });
});

test("a head that is too long is refused", async () => {
  await withSource(sourceWith(), async (port) => {
    const answer = await rawRequest(port, { headers: { x: "x".repeat(70_000) } }).catch(() => ({
      status: 0,
    }));
    // Some close the connection before the client has sent all of it.
    assert.ok([0, 400, 431].includes(answer.status), String(answer.status));
    assert.equal((await rawRequest(port, { path: "/health/live" })).status, 200);
  });
});

test("while it starts and while it ends, the admin port says so", async () => {
  const { resolve: release, promise: released } = Promise.withResolvers<void>();
  const { resolve: end, promise: ended } = Promise.withResolvers<void>();
  const { defineConnector } = await import("../../src/contract/definition.ts");
  const slow = defineConnector({
    fields: {},
    create: () => ({ start: () => released, health: () => undefined, drain: () => ended }),
  });
  const port = await freePort();
  const starting = serve(`  admin_port = ${port}\n}\nconnector "slow" {\n  type = "slow"`, {
    connectors: { slow },
  });
  const ask = async (path: string): Promise<[number, Record<string, unknown>]> => {
    const { status, body } = await rawRequest(port, { path });
    return [status, JSON.parse(body)];
  };
  const state = async () => {
    const [, { state, reasons }] = await ask("/status");
    return [state, reasons];
  };
  // The port opens before anything is started.
  for (;;) {
    const open = await ask("/health/live").catch(() => undefined);
    if (open !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const unready = [503, { status: "unavailable", connectors: ["runtime"] }];
  assert.deepEqual(await ask("/health/ready"), unready);
  assert.equal((await ask("/health/serving"))[0], 503);
  assert.deepEqual(await state(), ["starting", ["is starting"]]);
  release();
  const service = await starting;
  assert.deepEqual(await ask("/health/ready"), [200, { status: "ok" }]);
  assert.equal((await ask("/health/serving"))[0], 200);
  assert.deepEqual(await state(), ["ready", []]);
  const closing = service.close();
  assert.deepEqual(await ask("/health/ready"), unready);
  assert.equal((await ask("/health/serving"))[0], 503);
  assert.equal((await ask("/health/live"))[0], 200);
  assert.deepEqual(await state(), ["shutting_down", ["shutting down"]]);
  end();
  await closing;
  await assert.rejects(rawRequest(port));
});

test("a connector that cannot serve is named, with the reason for operators", async () => {
  const { defineConnector } = await import("../../src/contract/definition.ts");
  let reason: string | undefined = "the broker 10.0.0.1 is away";
  const away = defineConnector({ fields: {}, create: () => ({ health: () => reason }) });
  const service = await serve('  admin_port = 0\n}\nconnector "mq" {\n  type = "away"', {
    connectors: { away },
  });
  const port = service.admin?.port ?? 0;
  const ready = await rawRequest(port, { path: "/health/ready" });
  assert.deepEqual(JSON.parse(ready.body), { status: "unavailable", connectors: ["mq"] });
  const status = JSON.parse((await rawRequest(port, { path: "/status" })).body);
  assert.equal(status.state, "not_ready");
  assert.deepEqual(status.connectors[0], { name: "mq", type: "away", ready: false, reason });
  assert.equal((await rawRequest(port, { path: "/health/serving" })).status, 200);
  reason = undefined;
  assert.equal((await rawRequest(port, { path: "/health/ready" })).status, 200);
  await service.close();
});

test("a port that is in use is an error that names the admin port", async () => {
  const first = await serve("  admin_port = 0");
  const port = first.admin?.port;
  await assert.rejects(serve(`  admin_port = ${port}`), (error: ConnectorError) => {
    assert.equal(error.code, "cannot-listen");
    assert.equal(
      error.message,
      `the admin port cannot listen on 127.0.0.1:${port}: the port is in use; stop the program ` +
        "that uses it, or choose another port with --admin-port",
    );
    return true;
  });
  await first.close();
});

test("the option adminPort replaces the port of the configuration, which must have one", async () => {
  const port = await freePort();
  const service = await serve("  admin_port = 1", { adminPort: port });
  assert.equal(service.admin?.port, port);
  await service.close();
  await assert.rejects(serve("", { adminPort: 0 }), {
    name: "TypeError",
    message: "adminPort: the configuration has no admin_port",
  });
});

test("the site of the admin port answers a target that is no URL", async () => {
  const site = createAdminSite(sourceWith(), undefined);
  const odd = { url: "*", method: "GET", headers: new Headers() } as Request;
  assert.equal((await site.fetch(odd)).status, 400);
});
