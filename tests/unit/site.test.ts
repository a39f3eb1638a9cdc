import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import type { HttpService } from "../../src/contract/connector.ts";
import { refuse } from "../../src/transport/handshake.ts";
import { createSite, type Site, type SiteOptions } from "../../src/runtime/site.ts";
import type { Upgrader } from "../../src/transport/handshake.ts";
import type {
  Handshake,
  HandshakeRequest,
  SocketEndpoint,
  SocketSession,
} from "../../src/transport/socket.ts";

const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const listen = { host: "127.0.0.1", port: 0 };

const session: SocketSession = {
  open() {},
  abandon() {},
  message() {},
  binary() {},
  ping() {},
  pong() {},
  flush() {},
  closing() {},
  close() {},
};

/** A service with one WebSocket path, and the handshakes that it was asked about. */
function socket(path: string, decide: () => Handshake | Promise<Handshake>) {
  const asked: HandshakeRequest[] = [];
  const endpoint: SocketEndpoint = {
    path,
    maxMessageSize: 1024,
    pingInterval: 30_000,
    accept(request) {
      asked.push(request);
      return decide();
    },
  };
  const service: HttpService = { listen, socket: endpoint };
  return { service, endpoint, asked };
}

const accept = (): Handshake => ({ accepted: true, protocol: "weir", session });

/** Stands for a runtime's upgrade, whose 101 no `Response` can have. */
const upgrader: Upgrader = {
  upgrade: (_request, env, { path }, { protocol }) =>
    new Response(`upgraded ${path} ${protocol} ${env}`, { status: 299 }),
  remoteAddress: (_request, env) => `address of ${env}`,
};

function site(services: readonly HttpService[], options: Partial<SiteOptions> = {}): Site {
  return createSite({ services, upgrader, health: { health: () => ({}) }, ...options });
}

function request(path: string, init: RequestInit = {}): Request {
  return new Request(`http://host${path}`, init);
}

async function answer(site: Site, path: string, init?: RequestInit): Promise<[number, string]> {
  const response = await site.fetch(request(path, init), "env");
  return [response.status, await response.text()];
}

test("a WebSocket path is upgraded with the decision of its endpoint, synchronously", () => {
  const { service, asked } = socket("/ws", accept);
  const response = site([service]).fetch(request("/ws?a=1", { headers: HANDSHAKE }), "env");
  assert.ok(response instanceof Response);
  assert.equal(response.status, 299);
  const [{ method, url, headers, remoteAddress }] = asked;
  assert.deepEqual([method, url.pathname, url.search], ["GET", "/ws", "?a=1"]);
  assert.equal(headers["sec-websocket-key"], HANDSHAKE["sec-websocket-key"]);
  assert.equal(remoteAddress, "address of env");
});

test("an asynchronous decision is awaited", async () => {
  const { service } = socket("/ws", () => Promise.resolve(accept()));
  assert.deepEqual(await answer(site([service]), "/ws", { headers: HANDSHAKE }), [
    299,
    "upgraded /ws weir env",
  ]);
});

test("a refusal becomes a plain response", async () => {
  const { service } = socket("/ws", () => refuse(503, "later", { "retry-after": "1" }));
  const response = await site([service]).fetch(request("/ws"));
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(await response.text(), "later\n");
});

test("the path is compared literally, after what URL does to it", async () => {
  const { service } = socket("/ws", accept);
  const cases: ReadonlyArray<readonly [path: string, status: number]> = [
    ["/ws", 299],
    ["/x/../ws", 299],
    ["/./ws", 299],
    ["/ws?x", 299],
    ["//ws", 404],
    ["/ws/", 404],
    ["/%77s", 404],
    ["/ws/../x", 404],
    ["/WS", 404],
    ["/ws2", 404],
    ["/x/ws", 404],
    ["/", 404],
  ];
  for (const [path, status] of cases) {
    assert.equal((await answer(site([service]), path, { headers: HANDSHAKE }))[0], status, path);
    assert.equal((await answer(site([service]), path, { method: "POST" }))[0], status, path);
  }
});

test("a path with a router's special characters is literal", async () => {
  for (const path of ["/:room", "/*", "/a/*", "/ws/:id"]) {
    const { service } = socket(path, accept);
    const made = site([service]);
    assert.equal((await answer(made, path))[0], 299);
    assert.equal((await answer(made, "/a/b"))[0], 404);
    assert.equal((await answer(made, "/ws/1"))[0], 404);
    const mounted = new Hono().route("/live", made.app);
    assert.equal((await mounted.request("/live/a/b")).status, 404, path);
    assert.equal((await mounted.request(`/live${path}`)).status, 299, path);
  }
});

test("without an upgrader the handshake is checked, and nothing is upgraded", async () => {
  const { service, asked } = socket("/ws", accept);
  const made = site([service], { upgrader: undefined });
  assert.equal((await answer(made, "/ws"))[0], 426);
  assert.equal((await answer(made, "/ws", { method: "POST" }))[0], 405);
  assert.equal((await answer(made, "/ws", { headers: HANDSHAKE }))[0], 501);
  assert.equal(asked.length, 0);
});

test("the order: sockets, routes, health, files, 404", async () => {
  const { service } = socket("/ws", accept);
  const routes: HttpService = {
    listen,
    routes(app) {
      for (const path of ["/ws", "/health/live", "/route"]) {
        app.all(path, (c) => c.text(`route ${path}`));
      }
    },
  };
  const files: HttpService = { listen, files: "/files" };
  const made = site([files, routes, service], {
    serveFiles: (root) => async (c, next) => {
      if (c.req.path === "/missing") return await next();
      return c.text(`${root}${c.req.path}`);
    },
  });
  assert.equal((await answer(made, "/ws"))[1], "upgraded /ws weir env");
  assert.equal((await answer(made, "/route"))[1], "route /route");
  assert.equal((await answer(made, "/health/live"))[1], "route /health/live");
  assert.equal((await answer(made, "/health/ready"))[1], '{"status":"ok"}');
  assert.equal((await answer(made, "/index.html"))[1], "/files/index.html");
  assert.equal((await answer(made, "/missing"))[0], 404);
  // An Upgrade header changes nothing where no socket is.
  assert.equal((await answer(made, "/route", { headers: HANDSHAKE }))[1], "route /route");
});

test("files are not served without serveFiles", async () => {
  const made = site([{ listen, files: "/files" }]);
  assert.equal((await answer(made, "/index.html"))[0], 404);
});

test("health: serving as long as clients can be served, whatever is away", async () => {
  let serving = true;
  const made = site([], {
    health: { health: () => ({ mq: "is away" }), serving: () => serving },
  });
  assert.deepEqual(await answer(made, "/health/serving"), [200, '{"status":"ok"}']);
  serving = false;
  assert.deepEqual(await answer(made, "/health/serving"), [503, '{"status":"unavailable"}']);
  assert.equal((await answer(site([]), "/health/serving"))[0], 200);
});

test("health: live if it responds, ready if all connectors are healthy", async () => {
  let health: Readonly<Record<string, string>> = {};
  const made = site([], { health: { health: () => health } });
  assert.deepEqual(await answer(made, "/health/live"), [200, '{"status":"ok"}']);
  assert.deepEqual(await answer(made, "/health/ready"), [200, '{"status":"ok"}']);
  // Which connectors, but not why: reasons name hosts and files.
  health = { db: "is down at 10.0.0.1", mq: "is away" };
  assert.deepEqual(await answer(made, "/health/live"), [200, '{"status":"ok"}']);
  assert.deepEqual(await answer(made, "/health/ready"), [
    503,
    '{"status":"unavailable","connectors":["db","mq"]}',
  ]);
  health = {};
  assert.equal((await answer(made, "/health/ready"))[0], 200);
  assert.equal((await answer(made, "/health/ready", { method: "HEAD" }))[0], 200);
  assert.equal((await answer(made, "/health/ready", { method: "POST" }))[0], 404);
  assert.equal((await answer(made, "/health"))[0], 404);
});

test("endpoints are found by their paths", () => {
  const [a, b] = [socket("/a", accept), socket("/b", accept)];
  const made = site([a.service, { listen }, b.service]);
  assert.deepEqual(made.endpoints, [a.endpoint, b.endpoint]);
  assert.equal(made.endpoint("/b"), b.endpoint);
  for (const path of ["/", "/a/", "a", "", "__proto__", "/__proto__"]) {
    assert.equal(made.endpoint(path), undefined, path);
  }
});

test("everything is below the prefix that it is mounted at", async () => {
  const { service, asked } = socket("/ws", accept);
  const routes: HttpService = {
    listen,
    routes: (app) => void app.get("/r", (c) => c.text("route")),
  };
  const host = new Hono();
  host.get("/ws", (c) => c.text("the host's own"));
  host.route("/live", site([service, routes]).app);
  const get = (path: string) =>
    host.request(`http://host${path}`, { headers: HANDSHAKE }, { e: 1 });
  assert.equal(await (await get("/ws")).text(), "the host's own");
  assert.equal((await get("/live/ws")).status, 299);
  assert.equal(asked[0].url.pathname, "/live/ws");
  assert.equal(await (await get("/live/r")).text(), "route");
  assert.equal((await get("/live/health/live")).status, 200);
  for (const path of ["/live//ws", "/live/ws/", "/live/%77s", "/live/x/ws", "/livews"]) {
    assert.equal((await get(path)).status, 404, path);
  }
});

test("a request target that is not a URL is a bad request", async () => {
  const { service } = socket("/ws", accept);
  for (const url of ["*", "", "//", "http://", "/ws"]) {
    // As Deno hands it over.
    const odd = { url, method: "GET", headers: new Headers() } as Request;
    assert.equal((await site([service]).fetch(odd)).status, 400, url);
  }
});
