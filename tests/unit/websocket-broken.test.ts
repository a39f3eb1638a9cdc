/** Sockets that throw when they are used: nothing of that reaches the other connections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, reset } from "@logtape/logtape";
import { rest, withWorkers } from "../support/worker-runtimes.ts";

function connector(attributes: string): string {
  return `
    connector "ws" {
      type = "websocket"
      port = 0
      ${attributes}
    }
  `;
}

/** Three clients, the second of which breaks. */
async function withBroken(
  attributes: string,
  act: (clients: Clients) => Promise<void>,
): Promise<void> {
  const errors: string[] = [];
  await configure({
    reset: true,
    sinks: { errors: ({ message }) => void errors.push(message.map(String).join("")) },
    loggers: [
      { category: "weir", lowestLevel: "error", sinks: ["errors"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await withWorkers(1, connector(attributes), async ({ runtime, open }) => {
      const clients = [await open("a"), await open("b"), await open("c")];
      await act({ runtime, clients });
      await rest();
      const { connections, closed_failed } = runtime.counts().ws;
      assert.deepEqual([connections, closed_failed, errors.length], [2, 1, 1]);
      assert.match(errors[0], /^the socket of .+ failed: .*broken/);
    });
  } finally {
    await reset();
  }
}

type Opened = Parameters<Parameters<typeof withWorkers>[2]>[0];

interface Clients {
  readonly runtime: Opened["runtime"];
  readonly clients: readonly Awaited<ReturnType<Opened["open"]>>[];
}

for (const policy of ["disconnect", "drop_oldest"]) {
  const attributes = `slow_client {\n policy = "${policy}"\n }`;

  test(`a socket that throws when it is sent to: the others get all, ${policy}`, async () => {
    await withBroken(attributes, async ({ runtime, clients }) => {
      clients[1].error = new Error("broken");
      for (const text of ["one", "two"]) {
        await runtime.broadcast({ text });
        await rest();
      }
      assert.deepEqual(clients.map((client) => client.texts()), [["one", "two"], [], [
        "one",
        "two",
      ]]);
      // The second was sent to those that are left.
      assert.equal(runtime.counts().ws.undelivered, 1);
    });
  });

  test(`a socket that throws within a broadcast over its limit, ${policy}`, async () => {
    await withBroken(attributes, async ({ runtime, clients }) => {
      clients[1].error = new Error("broken");
      // The second no longer fits the queue beside the first, and is flushed where it is queued.
      const texts = ["x", "y"].map((letter) => letter.repeat(600_000));
      const sent = texts.map((text) => runtime.broadcast({ text }));
      assert.deepEqual(await Promise.all(sent), [3, 2]);
      await rest();
      assert.deepEqual(clients.map((client) => client.texts()), [texts, [], texts]);
    });
  });
}

test("a socket that throws when it is closed: the others are closed as well", async () => {
  await withWorkers(1, connector(""), async ({ runtime, open }) => {
    const clients = [await open("a"), await open("b"), await open("c")];
    clients[1].error = new Error("broken");
    await runtime.close();
    const told = [1001, "the server is shutting down"];
    assert.deepEqual(clients.map(({ ended }) => ended), [told, undefined, told]);
    assert.equal(runtime.counts().ws.connections, 0);
  });
});
