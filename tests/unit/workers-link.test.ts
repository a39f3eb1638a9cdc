/** The sockets of the workers' link. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import type { Backplane } from "../../src/contract/backplane.ts";
import { encodeEmpty, Kind } from "../../src/cluster/hub/frames.ts";
import { WorkerLink } from "../../src/cluster/mod.ts";
import { LinkServer } from "../../src/workers/link-server.ts";
import { connectToHub, type LinkAddress } from "../../src/workers/link-socket.ts";
import { ManualClock } from "../support/clock.ts";
import { until } from "../support/mq.ts";

/** What happened at a server. */
interface Stage {
  readonly server: LinkServer;
  readonly clock: ManualClock;
  readonly broken: string[];
}

async function withServer(act: (stage: Stage) => Promise<void>): Promise<void> {
  const clock = new ManualClock();
  const broken: string[] = [];
  const onBroken = (instance: string, reason: string): void =>
    void broken.push(`${instance} ${reason}`);
  const server = new LinkServer({ clock, onLost: () => assert.fail("nothing is lost"), onBroken });
  await server.listen();
  try {
    await act({ server, clock, broken });
  } finally {
    await server.close();
  }
}

interface Linked {
  readonly link: Backplane;
  readonly heard: [string, Uint8Array][];
  readonly told: string[];
  members: readonly string[];
}

async function open(address: LinkAddress): Promise<Linked> {
  const link = new WorkerLink({ connect: (listener) => connectToHub(address, listener) });
  const linked: Linked = { link, heard: [], told: [], members: [] };
  await link.open({
    message: (topic, message) => void linked.heard.push([topic, message]),
    down: (reason) => void linked.told.push(reason),
    up: () => void linked.told.push("up"),
    members: (ids) => void (linked.members = ids),
  });
  return linked;
}

/** Connects as anybody can; resolves when it is connected. */
async function knock(path: string): Promise<{ socket: Socket; ended: Promise<unknown> }> {
  const socket = connect(path);
  socket.on("error", () => {});
  const ended = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.resume();
  return { socket, ended };
}

test("bytes of any size arrive as they are, and nobody changes them afterwards", () =>
  withServer(async ({ server }) => {
    const [a, b] = [await open(server.admit("a")), await open(server.admit("b"))];
    await b.link.subscribe(["x", "räume"]);
    const sizes = [0, 1, 100, 65_536, 5_000_000, 3, 700_000];
    const messages = sizes.map((size, n) => new Uint8Array(size).fill(n + 1));
    await Promise.all(messages.map((message, n) => a.link.publish(n % 2 ? "räume" : "x", message)));
    await until("all", () => b.heard.length === sizes.length);
    for (const [n, [topic, message]] of b.heard.entries()) {
      assert.equal(topic, n % 2 ? "räume" : "x");
      assert.equal(Object.getPrototypeOf(message), Uint8Array.prototype);
      assert.ok(message.length === sizes[n] && message.every((byte) => byte === n + 1), `${n}`);
    }
    assert.deepEqual([a.members, b.members], [["a", "b"], ["a", "b"]]);
    await Promise.all([a.link.close(), b.link.close()]);
  }));

test("one that closes its link is missed by nobody; one whose connection breaks is", () =>
  withServer(async ({ server, broken }) => {
    const [a, b, c] = [
      await open(server.admit("a")),
      await open(server.admit("b")),
      await open(server.admit("c")),
    ];
    await b.link.close();
    await until("b has left", () => a.members.length === 2);
    assert.deepEqual(broken, []);
    server.end("c");
    await until("c has left", () => a.members.length === 1);
    assert.deepEqual(broken, ["c has lost its connection"]);
    await until("c knows", () => c.told.length === 2);
    await assert.rejects(c.link.publish("x", new Uint8Array()), { name: "BackplaneError" });
    await a.link.close();
  }));

test("a stranger gets nothing: not without a key, not with a used one, not by waiting", () =>
  withServer(async ({ server, clock, broken }) => {
    const address = server.admit("a");
    const a = await open(address);
    const wrong = await knock(address.path);
    wrong.socket.write("0".repeat(32));
    await wrong.ended;
    const again = await knock(address.path);
    again.socket.write(address.key);
    await again.ended;
    const other = server.admit("b");
    server.end("b");
    const late = await knock(address.path);
    late.socket.write(other.key);
    await late.ended;
    const silent = await knock(address.path);
    silent.socket.write("half a key");
    await until("it is seen", () => clock.waiting > 0);
    await clock.advance(5_000);
    await silent.ended;
    assert.deepEqual([a.members, a.told, broken], [["a"], ["up"], []]);
    await a.link.close();
  }));

test("a worker that sends nonsense is reported; the others go on", () =>
  withServer(async ({ server, broken }) => {
    const a = await open(server.admit("a"));
    const address = server.admit("b");
    const { socket, ended } = await knock(address.path);
    socket.write(address.key);
    socket.write(encodeEmpty(Kind.open));
    await until("b is there", () => a.members.length === 2);
    socket.write("\xff".repeat(100));
    await ended;
    assert.match(
      broken.join(),
      /^b has sent nonsense: a frame of \d+ bytes is not one of this link$/,
    );
    await until("b has left", () => a.members.length === 1);
    assert.deepEqual(a.told, ["up"]);
    await a.link.close();
  }));

test("without a supervisor there is no link", async () => {
  const server = new LinkServer({
    clock: new ManualClock(),
    onLost() {},
    onBroken() {},
  });
  await assert.rejects(open(server.admit("a")), /cannot reach the supervisor/);
});

test("a worker whose supervisor ends is told", async () => {
  const told: string[] = [];
  await withServer(async ({ server }) => {
    const a = await open(server.admit("a"));
    a.told.length = 0;
    void until("its end", () => a.told.length === 1).then(() => told.push(...a.told));
  });
  await until("it is told", () => told.length === 1);
  assert.deepEqual(told, ["has lost its connection"]);
});
