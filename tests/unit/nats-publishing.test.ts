/** What is published on NATS without a stream, while the connection is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkListener, NatsLink } from "../../src/connectors/mq/drivers/nats/connection.ts";
import { Flusher } from "../../src/connectors/mq/drivers/nats/publishing.ts";

/** A flusher on a connection whose flush nobody answers, and the listener that it has given. */
function make(): { readonly flusher: Flusher; readonly listener: LinkListener; asked(): number } {
  let listener: LinkListener | undefined;
  let asked = 0;
  const client = {
    publish: () => undefined,
    flush: () => {
      asked++;
      return new Promise<void>(() => undefined);
    },
  };
  const link = {
    need: () => client,
    listen: (one: LinkListener) => listener = one,
  } as unknown as NatsLink;
  const flusher = new Flusher(link);
  assert.ok(listener !== undefined);
  return { flusher, listener, asked: () => asked };
}

const LOST = /^Error: the connection was lost before the broker answered: it answers no pings$/;

test("a flush that waits when the connection is lost fails at once", async () => {
  const { flusher, listener, asked } = make();
  const sent = [1, 2].map(() => flusher.send("a", new Uint8Array(), undefined));
  const failed = Promise.all(sent.map((one) => assert.rejects(one, LOST)));
  while (asked() === 0) await new Promise((resolve) => setImmediate(resolve));
  listener.lost?.("it answers no pings");
  await failed;
});

test("what is published in the turn in which the connection is lost fails", async () => {
  const { flusher, listener } = make();
  const sent = flusher.send("a", new Uint8Array(), undefined);
  listener.lost?.("it answers no pings");
  await assert.rejects(sent, LOST);
});
