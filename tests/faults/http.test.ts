/** The entries of "HTTP" in the list of faults that need no patience. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Stage, Weir } from "../support/process.ts";
import { handshakeText } from "../support/socket-client.ts";
import { openClient } from "../support/talk.ts";
import { FrameClient } from "./client.ts";
import { post, serveFiles } from "./http.ts";
import { processFault, runtime } from "./stage.ts";

const MB = 1024 ** 2;

/** The status that each of several requests gets. */
async function statuses(
  { port }: Weir,
  requests: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, number>>> {
  const entries = Object.entries(requests).map(async ([name, text]) => {
    const client = await FrameClient.connect(port);
    client.write(text);
    const { status } = await client.response();
    client.destroy();
    return [name, status] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** All of these requests get one status. */
async function allGet(weir: Weir, status: number, requests: Readonly<Record<string, string>>) {
  const expected = Object.keys(requests).map((name) => [name, status]);
  assert.deepEqual(await statuses(weir, requests), Object.fromEntries(expected));
}

/** How often the flow `echo` has run. */
async function runs({ port }: Weir): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/runs`);
  return (await response.json()).runs;
}

processFault("two Host headers → 400, and no flow runs", async (stage) => {
  const weir = await serveFiles(stage);
  const client = await openClient(weir);
  const twice = "Host: a.example\r\nHost: b.example\r\n";
  const equal = "Host: localhost\r\nhost: localhost\r\n";
  await allGet(weir, 400, {
    "health": `GET /health/live HTTP/1.1\r\n${twice}\r\n`,
    "a flow": `POST /echo HTTP/1.1\r\n${twice}Content-Length: 0\r\n\r\n`,
    "a file": `GET /hello.txt HTTP/1.1\r\n${twice}\r\n`,
    "nothing": `GET /nothing HTTP/1.1\r\n${twice}\r\n`,
    "a handshake": handshakeText("/ws").replace("Host: localhost\r\n", twice),
    "equal ones": `GET /health/live HTTP/1.1\r\n${equal}\r\n`,
    "equal ones of a handshake": handshakeText("/ws").replace("Host: localhost\r\n", equal),
    "none": "GET /health/live HTTP/1.1\r\n\r\n",
  });
  assert.equal(await runs(weir), 0);
  assert.equal((await client.ask({ type: "ping", id: 1 })).type, "pong");
  client.destroy();
});

processFault(
  "two Content-Length, or a length and chunks → 400, and no flow runs",
  async (stage) => {
    const weir = await serveFiles(stage);
    const chunks = "2\r\n{}\r\n0\r\n\r\n";
    await allGet(weir, 400, {
      "two lengths": post("Content-Length: 2\r\nContent-Length: 3\r\n", "{} "),
      "two equal lengths": post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
      "two lengths in one": post("Content-Length: 2, 2\r\n", "{}"),
      "a length and chunks": post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", chunks),
      "chunks and a length": post("Transfer-Encoding: chunked\r\nContent-Length: 12\r\n", chunks),
      "two codings": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks),
      "an unknown coding": post("Transfer-Encoding: gzip\r\n", "{}"),
      "a negative length": post("Content-Length: -2\r\n", "{}"),
      "a length with a sign": post("Content-Length: +2\r\n", "{}"),
      "a length that is no decimal": post("Content-Length: 0x2\r\n", "{}"),
      "a length beyond 64 bits": post("Content-Length: 99999999999999999999\r\n", "{}"),
      "a space behind the name": post("Content-Length : 2\r\n", "{}"),
      "a chunk that is none": post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
    });
    assert.equal(await runs(weir), 0);
  },
);

processFault(
  "a body shorter or longer than declared → runs no flow, or is a bad request",
  async (stage) => {
    const weir = await serveFiles(stage);
    const shorter = post("Content-Length: 20\r\n", "{}");
    const [ended, reset] = [
      await FrameClient.connect(weir.port),
      await FrameClient.connect(weir.port),
    ];
    ended.socket.end(shorter);
    reset.write(shorter);
    await Promise.all([ended.gone, openClient(weir).then((client) => client.destroy())]);
    reset.reset();
    const longer = await FrameClient.connect(weir.port);
    longer.write(post("Content-Length: 2\r\n", "{}what is no request\r\n\r\n"));
    await longer.gone;
    // The body that is right has its answer; on Bun, a client that goes on before it loses the answer.
    const answers = longer.text().match(/HTTP\/1.1 \d+/g) ?? [];
    assert.deepEqual(answers, ["HTTP/1.1 201", "HTTP/1.1 400"].slice(2 - answers.length));
    assert.ok(answers.length === 2 || runtime === "bun", answers.join());
    // Only the body of the right length is one.
    assert.ok(await runs(weir) <= 1);
  },
);

processFault("a 1 GB body → 413 before it is read", async (stage) => {
  const weir = await serveFiles(stage);
  const client = await FrameClient.connect(weir.port);
  client.write(post(`Content-Length: ${1024 ** 3}\r\n`, ""));
  assert.equal((await client.response()).status, 413);
  // It is not kept for a body that nobody wants.
  await client.gone;
  assert.equal(await runs(weir), 0);
});

processFault("endless chunks → 413, and not read further", async (stage) => {
  const weir = await serveFiles(stage);
  const client = await FrameClient.connect(weir.port);
  client.write(post("Transfer-Encoding: chunked\r\n", ""));
  const chunk = Buffer.from(`10000\r\n${" ".repeat(65_536)}\r\n`);
  let sent = 0;
  const more = (): void => {
    while (!client.ended && sent < 512 * MB) {
      sent += chunk.length;
      if (!client.socket.write(chunk)) return void client.socket.once("drain", more);
    }
  };
  more();
  await client.gone;
  assert.ok(sent < 256 * MB, `it took ${sent / MB} MB`);
  // The end of a connection that is written to may come before its last bytes.
  assert.match(client.text(), /^(?:$|HTTP\/1.1 413 )/);
  assert.equal(await runs(weir), 0);
});

processFault(
  "bodies that never come → hold no shutdown up: 503, and the process ends",
  async (stage) => {
    const weir = await serveFiles(stage);
    const bodies = {
      "nothing": post("Content-Length: 100\r\n", ""),
      "a part": post("Content-Length: 100\r\n", '{"a":'),
      "no chunk": post("Transfer-Encoding: chunked\r\n", ""),
      "a chunk": post("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n"),
    };
    const waiting = await Promise.all(
      Object.entries(bodies).map(async ([name, text]) => {
        const client = await FrameClient.connect(weir.port);
        client.write(text);
        return [name, client] as const;
      }),
    );
    // Served after them, so they have been read.
    assert.equal(await runs(weir), 0);
    const told = performance.now();
    weir.signal("SIGTERM");
    for (const [name, client] of waiting) {
      const { status, headers } = await client.response();
      assert.deepEqual([name, status, headers.get("connection")], [name, 503, "close"]);
      await client.gone;
    }
    const { code, stderr } = await weir.ended();
    assert.equal(code, 0, stderr);
    // With `shutdown_timeout` at its 30 s they would hold it for most of that.
    assert.ok(performance.now() - told < 10_000, "it waited for bodies");
    assert.doesNotMatch(stderr, /\[ERR\]/);
  },
);

processFault("FIFO, device, outward symbolic link in static → 404", async (stage) => {
  const weir = await serveFiles(stage);
  await addOddFiles(stage);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  // More than a runtime has threads for files: one that opens a FIFO is lost.
  for (let i = 0; i < 6; i++) await allGet(weir, 404, { "a FIFO": get("/fifo") });
  await allGet(weir, 404, {
    "a device": get("/zero"),
    "a folder whose index is a FIFO": get("/folder/"),
    "a link out of the folder": get("/passwd"),
    "a link to the folder above": get("/above/live.hcl"),
    "a file in a folder outside": get("/etc/passwd"),
    "a link to nothing": get("/nowhere"),
    "a link to itself": get("/itself"),
    "a hidden file": get("/.secret"),
    "the way up": get("/../live.hcl"),
    "the way up, encoded": get("/%2e%2e/live.hcl"),
  });
  await allGet(weir, 200, {
    "a file": get("/hello.txt"),
    "a link within the folder": get("/inward.txt"),
    "an index": get("/pages/"),
    "an index behind a link": get("/linked/"),
  });
});

/** What is no file, or none of the folder. */
async function addOddFiles(stage: Stage): Promise<void> {
  const folder = join(stage.folder, "public");
  await promisify(execFile)("mkfifo", [join(folder, "fifo")]);
  await mkdir(join(folder, "folder"));
  await promisify(execFile)("mkfifo", [join(folder, "folder/index.html")]);
  await mkdir(join(folder, "pages"));
  await writeFile(join(folder, "pages/index.html"), "pages");
  await writeFile(join(folder, ".secret"), "secret");
  const links = {
    "zero": "/dev/zero",
    "passwd": "/etc/passwd",
    "above": "..",
    "etc": "/etc",
    "nowhere": "nothing.txt",
    "itself": "itself",
    "inward.txt": "hello.txt",
    "linked": "pages",
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(folder, name));
}
