/** What `weir health` makes of URLs and of the answers of servers. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { findProblem, health, parseUrl } from "../../src/commands/health.ts";
import { UsageError } from "../../src/commands/arguments.ts";

const LIMIT = 20_000;

test("health: a URL without a path is that of the readiness check", () => {
  const cases = [
    ["http://localhost:3000", "http://localhost:3000/health/ready"],
    ["http://localhost:3000/", "http://localhost:3000/health/ready"],
    ["HTTPS://Live.Example.com", "https://live.example.com/health/ready"],
    ["http://localhost/#here", "http://localhost/health/ready"],
    ["http://localhost/?a=1", "http://localhost/health/ready?a=1"],
    ["http://localhost:3000/health/live", "http://localhost:3000/health/live"],
    ["http://localhost/live/health/ready", "http://localhost/live/health/ready"],
    ["http://[::1]:80/", "http://[::1]/health/ready"],
  ];
  for (const [text, href] of cases) assert.equal(parseUrl(text).href, href, text);
});

test("health: a URL that cannot be asked is a usage error", async () => {
  const needs = "health needs an http or https URL such as http://localhost:3000, not ";
  const credentials = "health sends no user and no password; remove them from the URL";
  const cases = [
    ["", `${needs}""`],
    ["localhost:3000", `${needs}"localhost:3000"`],
    ["3000", `${needs}"3000"`],
    ["/health/ready", `${needs}"/health/ready"`],
    ["http://", `${needs}"http://"`],
    ["http://localhost:99999", `${needs}"http://localhost:99999"`],
    ["ws://localhost:3001/ws", `${needs}"ws://localhost:3001/ws"`],
    ["file:///etc/passwd", `${needs}"file:///etc/passwd"`],
    ["data:text/plain,ok", `${needs}"data:text/plain,ok"`],
    ["a\nb\u202e", `${needs}"a\\nb\\u202e"`],
    ["http://ada@localhost", credentials],
    ["http://ada:secret@localhost", credentials],
  ];
  for (const [url, message] of cases) {
    const running = health({ name: "health", url, timeout: "5s", token: undefined });
    await assert.rejects(running, { name: "UsageError", message });
  }
  for (const timeout of ["", "5", "-1s", "0s", "99d", "1us", "soon"]) {
    const running = health({ name: "health", url: "http://localhost", timeout, token: undefined });
    await assert.rejects(running, UsageError, timeout);
  }
});

/** Calls `use` with the URL of a server that lets `respond` answer each client. */
async function withServer(
  respond: (socket: Socket) => void,
  use: (url: URL) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => respond(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/health/ready`));
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function foreign(status: number): string {
  return `this is not the health check of a Weir server, but an answer with the status ${status}`;
}

test("health: what an answer means", async () => {
  const away = (names: string) => `${names} cannot serve; the log of the server says why`;
  const unavailable = (connectors: string) => {
    return answer("503 x", `{"status":"unavailable","connectors":${connectors}}`);
  };
  const cases: ReadonlyArray<readonly [answer: string, problem: string | undefined]> = [
    [answer("200 OK", '{"status":"ok"}'), undefined],
    [answer("200 OK", '{"status":"ok","name":"chat","version":"1"}'), undefined],
    [unavailable('["db"]'), away('connector "db"')],
    [unavailable('["db","a \\n\\"b"]'), away('connectors "db", "a \\n\\"b"')],
    [unavailable('"db"'), foreign(503)],
    [answer("503 x", "busy"), foreign(503)],
    [answer("503 x", '{"status":"ok"}'), foreign(503)],
    [answer("200 OK", "<h1>ok</h1>"), foreign(200)],
    [answer("200 OK", ""), foreign(200)],
    [answer("200 OK", "null"), foreign(200)],
    [answer("200 OK", '"ok"'), foreign(200)],
    [answer("200 OK", '[{"status":"ok"}]'), foreign(200)],
    [answer("200 OK", `{"status":"ok","more":"${"x".repeat(70_000)}"}`), foreign(200)],
    [answer("404 Not Found", '{"status":"ok"}'), foreign(404)],
    ["HTTP/1.1 302 x\r\nlocation: /health/live\r\ncontent-length: 0\r\n\r\n", foreign(302)],
  ];
  for (const [text, problem] of cases) {
    await withServer((socket) => socket.end(text), async (url) => {
      assert.equal(await findProblem(url, LIMIT), problem, text.slice(0, 100));
    });
  }
});

test("health: a body without an end is not read to its end", async () => {
  const flood = (socket: Socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const more = () => {
      while (socket.writable && socket.write("x".repeat(10_000)));
    };
    socket.on("drain", more);
    more();
  };
  await withServer(flood, async (url) => {
    assert.equal(await findProblem(url, LIMIT), foreign(200));
  });
});

test("health: a server that gives no whole answer", async () => {
  const half = answer("200 OK", '{"status":"ok"}').slice(0, -3);
  const late = "there was no answer within 200 ms";
  for (const text of ["", "HTTP/1.1 200 OK\r\n", half]) {
    await withServer((socket) => socket.write(text), async (url) => {
      assert.equal(await findProblem(url, 200), late, text);
    });
  }
  for (const text of ["", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n", half]) {
    await withServer((socket) => socket.end(text), async (url) => {
      assert.match(await findProblem(url, LIMIT) ?? "ready", /^the request failed: \S.+$/, text);
    });
  }
});

test("health: nobody is there", async () => {
  let closed: URL | undefined;
  await withServer(() => {}, (url) => Promise.resolve(void (closed = url)));
  assert.ok(closed !== undefined);
  assert.equal(await findProblem(closed, LIMIT), "nothing listens on this port");
  const nowhere = new URL("http://no-such-host.invalid/");
  assert.equal(await findProblem(nowhere, LIMIT), "there is no such host");
});
