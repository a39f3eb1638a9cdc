import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Connector, FlowEvent, FlowHandler } from "../../src/contract/connector.ts";
import { websocketConnector } from "../../src/connectors/websocket/mod.ts";
import { FlowError } from "../../src/base/errors.ts";
import type { Handshake, Peer, SocketFeatures } from "../../src/transport/socket.ts";
import { recorder } from "../support/log.ts";

/** A flow on `connect`, and the events that it was run for. */
function door(handler: Partial<FlowHandler>): FlowHandler & { readonly ran: FlowEvent[] } {
  const ran: FlowEvent[] = [];
  return {
    flow: "door",
    ran,
    takes: () => true,
    run(event) {
      ran.push(event);
      return { response: undefined, result: undefined };
    },
    ...handler,
  };
}

/** A connector at work, without any server. */
async function hub(handlers: readonly FlowHandler[], clock: Clock = systemClock) {
  const log = recorder();
  const options = {
    port: 0,
    host: "127.0.0.1",
    path: "/ws",
    ping_interval: 30_000,
    pong_timeout: 10_000,
    max_message_size: 1024,
    max_connections: 1,
    max_rooms: 8,
    concurrency: 1,
    room: [],
  };
  const connector: Connector = await websocketConnector.create(options, {
    name: "ws",
    logger: log.logger,
    clock,
    constants: {},
    lookUp: () => ({}),
  });
  for (const handler of handlers) connector.subscribe?.("connect", handler);
  const accept = (query = ""): Handshake | Promise<Handshake> | undefined =>
    connector.http?.socket?.accept({
      method: "GET",
      url: new URL(`http://localhost/ws${query}`),
      headers: {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AQIDBAUGBwgJCgsMDQ4PEA==",
      },
      remoteAddress: null,
    });
  return { connector, log, accept };
}

/** A clock whose hands a test moves. */
class HandClock implements Clock {
  readonly #tasks = new Map<() => void, number>();
  #time = 0;

  now(): number {
    return this.#time;
  }

  elapsed(): number {
    return this.#time;
  }

  after(milliseconds: number, task: () => void): () => void {
    this.#tasks.set(task, this.#time + milliseconds);
    return () => this.#tasks.delete(task);
  }

  get waiting(): number {
    return this.#tasks.size;
  }

  pass(milliseconds: number): void {
    this.#time += milliseconds;
    for (const [task, due] of this.#tasks) {
      if (due <= this.#time && this.#tasks.delete(task)) task();
    }
  }
}

const FEATURES: SocketFeatures = {
  ping: false,
  terminate: false,
  pause: false,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};

const peer: Peer = { send: () => 0, close: () => {}, bufferedAmount: 0 };

test("handshake: a decision that waits for nothing is not a promise", async () => {
  const refused = new FlowError("door", "rejected", { message: "not you" });
  const flows = [
    [],
    [door({})],
    [door({ accept: () => {} }), door({ takes: () => false, accept: () => assert.fail() })],
  ];
  for (const handlers of flows) {
    const { accept, connector } = await hub(handlers);
    const decision = accept();
    assert.ok(decision !== undefined && !(decision instanceof Promise) && decision.accepted);
    decision.session.open(peer, FEATURES);
    if (handlers.length > 0) assert.equal(handlers[0].ran[0].operation, "connect");
    decision.session.close(1000, "");
    await connector.drain?.();
  }
  const { accept } = await hub([
    door({}),
    door({
      accept() {
        throw refused;
      },
    }),
  ]);
  assert.deepEqual(accept(), {
    ...{ accepted: false, status: 403, message: "not you", headers: {} },
    code: "rejected",
  });
});

test("handshake: the flows run for the event that they were asked about", async () => {
  const asked: FlowEvent[] = [];
  const flow = door({ accept: (event) => void asked.push(event) });
  const { accept, connector } = await hub([flow]);
  const decision = await accept("?user_id=ann&color=red");
  assert.ok(decision?.accepted);
  assert.deepEqual(flow.ran, []);
  decision.session.open(peer, FEATURES);
  await connector.drain?.();
  assert.equal(flow.ran[0], asked[0]);
  assert.deepEqual([asked.length, flow.ran.length], [1, 1]);
  assert.deepEqual(asked[0].payload, { user_id: "ann", color: "red" });
  decision.session.close(1000, "");
  await connector.drain?.();
});

test("handshake: after ten seconds it gets 503, and a later decision changes nothing", async () => {
  const clock = new HandClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const flow = door({ accept: () => promise });
  const { accept, connector } = await hub([flow], clock);
  const decision = accept();
  assert.ok(decision instanceof Promise);
  clock.pass(9_999);
  assert.equal(await Promise.race([decision, "undecided"]), "undecided");
  clock.pass(1);
  assert.deepEqual(await decision, {
    accepted: false,
    status: 503,
    message: "the decision took too long",
    headers: { "retry-after": "1" },
  });
  resolve();
  await connector.drain?.();
  assert.deepEqual(flow.ran, []);
  // It holds no slot.
  const next = await accept();
  assert.ok(next?.accepted);
  assert.equal(clock.waiting, 0);
  next.session.abandon();
});

test("handshake: drain waits for decisions, and a shutdown lets no client in", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { accept, connector } = await hub([door({ accept: () => promise })]);
  const decision = accept();
  await connector.stop?.();
  let drained = false;
  const drain = connector.drain?.().then(() => drained = true);
  await new Promise((done) => setTimeout(done, 5));
  assert.equal(drained, false);
  resolve();
  await drain;
  const told = await decision;
  assert.ok(told !== undefined && !told.accepted);
  assert.deepEqual([told.status, told.message], [503, "the server is shutting down"]);
});

test("handshake: a bug lets no client in; it is logged, and not sent", async () => {
  const bug = new TypeError("secret");
  const fail = (): never => {
    throw bug;
  };
  const broken: Partial<FlowHandler>[] = [
    { takes: fail },
    { accept: fail },
    { accept: () => Promise.reject(bug) },
  ];
  for (const handler of broken) {
    const { accept, log } = await hub([door(handler)]);
    const told = await accept();
    assert.ok(told !== undefined && !told.accepted);
    assert.equal(told.status, 500);
    const [, ref] = /^the handshake failed \(ref ([0-9a-f]{8})\)$/.exec(told.message) ?? [];
    assert.equal(log.records.length, 1);
    assert.deepEqual(log.records[0].properties, { ref, error: bug });
  }
});
