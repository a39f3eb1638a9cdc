/** Several workers with their runtimes within one process, and clients without a network. */
import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Cluster } from "../../src/contract/cluster.ts";
import type { Model } from "../../src/model/mod.ts";
import { assembleRuntime } from "../../src/runtime/mod.ts";
import type { RuntimeCore } from "../../src/runtime/core.ts";
import type { Batch, Peer, SocketEndpoint, SocketSession } from "../../src/transport/socket.ts";
import { looseClock } from "./loose-clock.ts";
import { type LinkedMember, settled, TestCluster } from "./cluster.ts";

/** Milliseconds in which every answer comes; a client that gets none waits as long. */
const ANSWERS_WITHIN = 3_000;

const FEATURES = {
  ping: false,
  terminate: true,
  pause: false,
  frameLimits: false,
  closeCodes: true,
  handshakeChecks: true,
};

const HANDSHAKE = {
  host: "localhost",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "d2VpciB0ZXN0IGNsaWVudA==",
};

/** A client of one worker. */
export class FakeClient implements Peer {
  /** What its socket holds, as it says. */
  bufferedAmount = 0;
  /** What every use of it throws; undefined for nothing. */
  error: Error | undefined;
  /** How the server closed it. */
  ended: readonly [code: number, reason: string] | undefined;
  #heard: unknown[] = [];
  readonly #session: SocketSession;

  /** Connects, as this user. */
  constructor(session: SocketSession) {
    this.#session = session;
    session.open(this, FEATURES);
  }

  send({ frames }: Batch): number {
    if (this.error !== undefined) throw this.error;
    this.#heard.push(...frames.map(({ text }) => JSON.parse(text)));
    return this.bufferedAmount;
  }

  close(code: number, reason: string): void {
    if (this.error !== undefined) throw this.error;
    this.ended = [code, reason];
    this.#session.close(code, reason);
  }

  terminate(): void {
    if (this.error !== undefined) throw this.error;
    this.#session.close(1006, "");
  }

  /** Sends a frame. */
  tell(frame: Readonly<Record<string, unknown>>): void {
    this.#session.message(JSON.stringify(frame));
  }

  /** How many messages it has got since it was last asked for them. */
  get heard(): number {
    return this.#heard.length;
  }

  /** Its connection ends with a code; by default without a word. */
  cut(code = 1006): void {
    this.#session.close(code, "");
  }

  /** Leaves. */
  leave(): void {
    this.#session.close(1000, "");
  }

  /**
   * Sends a frame; returns all that it has got once nothing more comes. A frame with an `id` has an
   * answer, which is waited for: how many turns that takes depends on how far it travels.
   */
  async ask(frame: Readonly<Record<string, unknown>>): Promise<unknown[]> {
    this.tell(frame);
    await rest();
    const { id } = frame;
    if (id !== undefined) {
      const deadline = performance.now() + ANSWERS_WITHIN;
      const isAnswered = () => this.#heard.some((one) => (one as { id?: unknown }).id === id);
      while (!isAnswered() && performance.now() < deadline) await settled();
      await rest();
    }
    return this.take();
  }

  /** Sends a message with this data. */
  say(data: Readonly<Record<string, unknown>>): Promise<unknown[]> {
    return this.ask({ type: "message", data });
  }

  /** What it has got since it was last asked. */
  take(): unknown[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  /** The texts of the messages among them. */
  texts(): unknown[] {
    return this.take().map((message) => (message as { readonly data: TextData }).data.text);
  }
}

interface TextData {
  readonly text?: unknown;
}

/** The text of a configuration, or what has been read of it. */
export type Config = string | Model;

/** A runtime whose connector "ws" has clients. */
export interface ServingRuntime {
  readonly runtime: RuntimeCore;
  /** Connects a client; `query` may have more than its `user_id`. */
  open(user: string, query?: string): Promise<FakeClient>;
}

/** A worker whose connector "ws" has clients. */
export interface RunningWorker extends LinkedMember, ServingRuntime {}

/** Lets everything happen that is under way between workers. */
export async function rest(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await settled();
}

/** Starts a runtime, which is one of several where it has a cluster. */
export async function startRuntime(
  config: Config,
  cluster?: Cluster,
  clock: Clock = systemClock,
): Promise<ServingRuntime> {
  const runtime = await assembleRuntime(config, { clock, ...(cluster && { cluster }) });
  await runtime.start();
  await runtime.consume();
  return {
    runtime,
    open: (user, query) => openClient(runtime.services.get("ws")?.socket, user, query),
  };
}

/** Connects a client to an endpoint; `query` may have more than its `user_id`. */
export async function openClient(
  endpoint: SocketEndpoint | undefined,
  user: string,
  query = "",
): Promise<FakeClient> {
  const url = new URL(`http://localhost/ws?user_id=${encodeURIComponent(user)}&${query}`);
  const request = { method: "GET", url, headers: HANDSHAKE, remoteAddress: null };
  const handshake = await endpoint?.accept(request);
  assert.ok(handshake?.accepted);
  return new FakeClient(handshake.session);
}

/** Time that passes ten times slower, so that a busy machine does what it has to do before a deadline. */
export const slowClock: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed() / 10,
  after: (milliseconds, task) => systemClock.after(milliseconds * 10, task),
};

/** Runs `act` with `count` workers. A list has the configuration of each. */
export async function withWorkers(
  count: number,
  config: Config | readonly Config[],
  act: (...workers: RunningWorker[]) => Promise<void>,
  clock: Clock = looseClock,
): Promise<void> {
  const cluster = new TestCluster(clock);
  const workers: RunningWorker[] = [];
  for (let n = 0; n < count; n++) {
    const worker = cluster.add();
    const own = config instanceof Array ? config[n] : config as Config;
    workers.push({ ...worker, ...await startRuntime(own, worker.member, clock) });
  }
  try {
    await act(...workers);
  } finally {
    await Promise.all(workers.map(({ runtime }) => runtime.close()));
  }
}
