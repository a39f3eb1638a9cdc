/**
 * Runs faults against a server that is at work for others, and then looks at what the list of faults demands
 * of every one: (A) others got every message once, in order, bytes intact; (D) whoever lost something
 * can see it, by the end of its connection; (E) connections, rooms, timers and descriptors are where
 * they were, every client that was let in has had its one `disconnect`, and the log has no error. An
 * unhandled rejection fails the test in every test runner.
 *
 * ```ts
 * fault("binary → 1003", { attributes: 'max_message_size = "1KB"' }, async (t) => {
 *   const client = await t.open(); // joins the room; or t.connect() for a bare TCP connection
 *   client.send({ opcode: 2 });
 *   const { frames, ended } = await client.rest();
 * });
 * ```
 */
import { configureSync } from "@logtape/logtape";
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import type { Runtime } from "../../src/runtime.ts";
import { type HandshakeOptions, handshakeText, type Response } from "../support/socket-client.ts";
import { closeCode, flows, websocket } from "../support/socket-contract.ts";
import type { Host, RunningHost } from "../support/socket-hosts.ts";
import { pause, Probe } from "../support/socket-probe.ts";
import { FrameClient } from "./client.ts";
import { parsers } from "./hosts.ts";
import { Listener, message, ROOM } from "./listener.ts";
import { presence } from "./presence.ts";
import { TimerLedger, uncounted } from "./timers.ts";
import { within } from "./within.ts";

/** What a fault works with. */
export interface Fault {
  readonly host: Host;
  readonly port: number;
  readonly running: RunningHost;
  readonly runtime: Runtime;
  readonly probe: Probe;
  /** A TCP connection that has said nothing yet. */
  connect(): Promise<FrameClient>;
  /**
   * A client on `/ws`. As a member, which it is by default, it gets the room's messages, too: their
   * numbers are checked, and `next` leaves them out.
   */
  open(target?: string, options?: OpenOptions): Promise<FrameClient>;
  /** So many more clients were let in than `open` knows of. */
  opened(count: number): void;
  /** The answer to a request on a connection of its own. */
  request(target: string, options?: HandshakeOptions): Promise<Response>;
}

/** How a client opens. */
export interface OpenOptions {
  /** False: it joins no room. */
  readonly member?: boolean;
  /** Packets to be sent in the place of a plain handshake; then it joins no room. */
  readonly bytes?: readonly Uint8Array[];
}

/** Where and how faults run. */
export interface FaultOptions {
  /** More attributes of the websocket connector. */
  readonly attributes?: string;
  /** More blocks of the configuration. */
  readonly blocks?: string;
  /** The fault ends the server: others are told so by 1001, after all that was sent before. */
  readonly ends?: boolean;
  /** What the server must log as errors, and nothing else. It must log none by default. */
  readonly errors?: RegExp;
}

/** A fault: what is done to the server, and what must come of it. */
export type FaultBody = (fault: Fault) => Promise<void>;

/** So many clients do nothing wrong. */
const OTHERS = 3;
/** A message to all of them every so many milliseconds. */
const EVERY = 10;

/** Registers one fault, on every host, with a server of its own. */
export function fault(entry: string, options: FaultOptions, body: FaultBody): void {
  faults(options, { [entry]: body });
}

/** Registers faults that run side by side against one server, a test for each of them. */
export function faults(options: FaultOptions, bodies: Readonly<Record<string, FaultBody>>): void {
  for (const host of parsers) {
    let started: Promise<Verdict> | undefined;
    for (const entry of Object.keys(bodies)) {
      test(`${host.name}: ${entry}`, async () => {
        const { failures, afterwards } = await (started ??= runFaults(host, options, bodies));
        const failure = failures.get(entry) ?? afterwards;
        if (failure !== undefined) throw failure;
      });
    }
  }
}

/** What became of faults that ran side by side. */
interface Verdict {
  /** The error of each that failed. */
  readonly failures: ReadonlyMap<string, unknown>;
  /** What was not as it must be after all of them. */
  readonly afterwards: unknown;
}

async function runFaults(
  host: Host,
  options: FaultOptions,
  bodies: Readonly<Record<string, FaultBody>>,
): Promise<Verdict> {
  const failures = new Map<string, unknown>();
  const errors = recordErrors();
  const timers = new TimerLedger();
  const run = async (): Promise<void> => {
    const probe = new Probe();
    const config = `${websocket(options.attributes)}${flows}${options.blocks ?? ""}`;
    const running = await host.start(config, { connectors: probe.connectors });
    const stage = new Stage(host, running, probe);
    try {
      await stage.gather();
      const idle = { timers: settled(timers).length, descriptors: await descriptors() };
      stage.talk();
      await Promise.all(
        Object.entries(bodies).map(([entry, body]) =>
          body(stage).catch((error) => void failures.set(entry, error))
        ),
      );
      await stage.check(options.ends ?? false);
      if (!options.ends) {
        await within("timers", () => settled(timers).length, idle.timers, () => settled(timers));
        await within("descriptors", descriptors, idle.descriptors);
      }
    } finally {
      stage.leave();
      await running.close();
    }
    await within("timers at the end", () => timers.pending().length, 0, () => timers.pending());
    const { errors: expected } = options;
    assert.deepEqual(errors.filter((error) => expected?.test(error) !== true), []);
    assert.equal(errors.length > 0, expected !== undefined);
  };
  try {
    await run();
    return { failures, afterwards: undefined };
  } catch (afterwards) {
    return { failures, afterwards };
  } finally {
    timers.stop();
  }
}

/** One server, the clients that do nothing wrong, and those of the faults. */
class Stage implements Fault {
  readonly host: Host;
  readonly running: RunningHost;
  readonly probe: Probe;
  readonly #others: Listener[] = [];
  readonly #clients: FrameClient[] = [];
  readonly #members: Listener[] = [];
  #talking: ReturnType<typeof setInterval> | undefined;
  #sent = 0;
  #opened = 0;
  #sentBeforeTheEnd: number | undefined;

  constructor(host: Host, running: RunningHost, probe: Probe) {
    this.host = host;
    this.running = {
      ...running,
      close: () => {
        this.#sentBeforeTheEnd ??= this.#sent;
        return running.close();
      },
    };
    this.probe = probe;
  }

  get port(): number {
    return this.running.port;
  }

  get runtime(): Runtime {
    return this.running.runtime;
  }

  async connect(): Promise<FrameClient> {
    const client = await FrameClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  async open(target = "/ws", options: OpenOptions = {}): Promise<FrameClient> {
    const { bytes, member = bytes === undefined } = options;
    const client = await this.connect();
    if (bytes === undefined) await client.open(this.host.mount + target);
    else {
      for (const packet of bytes) {
        client.write(packet);
        await pause(1);
      }
      assert.equal((await client.response()).status, 101);
    }
    this.opened(1);
    if (member) this.#members.push(await Listener.join(client, () => this.#sent));
    return client;
  }

  opened(count: number): void {
    this.#opened += count;
  }

  async request(target: string, options?: HandshakeOptions): Promise<Response> {
    const client = await this.connect();
    client.write(handshakeText(this.host.mount + target, options));
    const response = await client.response();
    if (response.status === 101) this.opened(1);
    client.destroy();
    return response;
  }

  /** Lets the others in. */
  async gather(): Promise<void> {
    for (let i = 0; i < OTHERS; i++) {
      const client = await FrameClient.connect(this.port);
      await client.open(`${this.host.mount}/ws`);
      const listener = await Listener.join(client, () => this.#sent);
      listener.listen();
      this.#others.push(listener);
    }
  }

  /** From now on the room gets messages. */
  talk(): void {
    this.#talking = uncounted.setInterval(() => {
      void this.runtime.sendToRoom(ROOM, message(this.#sent++));
    }, EVERY);
  }

  /** Looks at A, at D, and at what of E the server counts. */
  async check(ended: boolean): Promise<void> {
    uncounted.clearInterval(this.#talking);
    this.probe.releaseAll();
    for (const listener of this.#others) {
      if (ended) await listener.ended(closeCode(this.host, 1001), this.#sentBeforeTheEnd ?? 0);
      else await listener.complete();
    }
    for (const member of this.#members) await member.noHole();
    for (const client of this.#clients) client.destroy();
    const left = ended ? 0 : OTHERS;
    await within("connections", () => presence(this.runtime).connections, left);
    assert.deepEqual(presence(this.runtime), {
      connections: left,
      rooms: ended ? 0 : 1,
      users: 0,
    });
    // Each of them once.
    const gone = this.#opened + (ended ? OTHERS : 0);
    const ends = (): number => this.probe.targets.filter((target) => target === "ended").length;
    await within("disconnect flows", ends, gone);
  }

  leave(): void {
    uncounted.clearInterval(this.#talking);
    this.probe.releaseAll();
    for (const { client } of this.#others) client.destroy();
    for (const client of this.#clients) client.destroy();
  }
}

/** Collects what the server logs as an error. */
function recordErrors(): readonly string[] {
  const errors: string[] = [];
  configureSync({
    reset: true,
    sinks: { errors: ({ message }) => void errors.push(message.map(String).join("")) },
    loggers: [
      { category: ["weir"], lowestLevel: "error", sinks: ["errors"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["errors"] },
    ],
  });
  return errors;
}

/** The deadlines of a flow share one timer, which is left running when all have ended. */
function settled(timers: TimerLedger): readonly string[] {
  return timers.pending().filter((timer) => !timer.includes("/src/flow/deadlines.ts"));
}

/** The descriptors that this process has open. */
async function descriptors(): Promise<number> {
  return (await readdir("/dev/fd")).length;
}
