/**
 * Runs faults against a server in a process of its own that is at work for others, and then checks
 * what the list of faults demands of every one: (A) others got every message once, in order, bytes
 * intact; (D) a client that lost something can see it, by the end of its connection; (E) connections,
 * rooms, timers and descriptors are where they were, every client that was let in has had its one
 * `disconnect`, and the log has no error. The process still runs, and has written no uncaught error.
 *
 * ```ts
 * fault("binary → 1003", { attributes: 'max_message_size = "1KB"' }, async (t) => {
 *   const client = await t.open(); // joins the room; or t.connect() for a bare TCP connection
 *   client.send({ opcode: 2 });
 *   const { frames, ended } = await client.rest();
 * });
 * ```
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type HandshakeOptions, handshakeText, type Response } from "../support/socket-client.ts";
import { closeCode, flows, websocket } from "../support/socket-contract.ts";
import type { Host } from "../support/socket-hosts.ts";
import { pause } from "../support/socket-probe.ts";
import { FrameClient } from "./client.ts";
import { parsers } from "./hosts.ts";
import { Listener, ROOM } from "./listener.ts";
import type { Held } from "./server/functions.ts";
import { type RemoteProbe, RemoteServer } from "./server/remote.ts";
import { within } from "./within.ts";

/** What a fault works with. */
export interface Fault {
  readonly host: Host;
  readonly port: number;
  readonly server: RemoteServer;
  readonly probe: RemoteProbe;
  /** Ends the server, but not its process. */
  close(): Promise<void>;
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

/**
 * Registers faults that run side by side against one server, a test for each of them. The hosts, too,
 * run side by side, each in a process of its own.
 */
export function faults(options: FaultOptions, bodies: Readonly<Record<string, FaultBody>>): void {
  let started: ReadonlyMap<Host, Promise<Verdict>> | undefined;
  for (const host of parsers) {
    for (const entry of Object.keys(bodies)) {
      test(`${host.name}: ${entry}`, async () => {
        started ??= new Map(parsers.map((each) => [each, runFaults(each, options, bodies)]));
        const { failures, afterwards } = await started.get(host) as Verdict;
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
  const run = async (): Promise<void> => {
    const config = `${websocket(options.attributes)}${flows}${options.blocks ?? ""}`;
    const server = await RemoteServer.start(host, config);
    const stage = new Stage(host, server);
    try {
      await stage.gather();
      const idle = await server.held();
      await stage.talk();
      await Promise.all(
        Object.entries(bodies).map(([entry, body]) =>
          body(stage).catch((error) => void failures.set(entry, error))
        ),
      );
      await stage.check(options.ends ?? false);
      if (!options.ends) await isAsBefore(server, idle);
    } catch (error) {
      // What this one has left must not be counted against the next.
      stage.leave();
      await server.kill();
      throw error;
    }
    stage.leave();
    await server.close();
    await within("timers at the end", async () => (await server.held()).timers.length, 0);
    const { errors: expected } = options;
    const errors = (await server.log()).filter(({ level }) =>
      level === "error" || level === "fatal"
    )
      .map(({ text }) => text);
    assert.deepEqual(errors.filter((error) => expected?.test(error) !== true), []);
    assert.equal(errors.length > 0, expected !== undefined);
  };
  try {
    await run();
    return { failures, afterwards: undefined };
  } catch (afterwards) {
    return { failures, afterwards };
  }
}

/** Waits until timers and descriptors are where they were. */
async function isAsBefore(server: RemoteServer, idle: Held): Promise<void> {
  let timers: readonly string[] = [];
  const look = async (): Promise<number> => (timers = settled(await server.held())).length;
  await within("timers", look, settled(idle).length, () => timers);
  let descriptors: readonly string[] = [];
  const count = async (): Promise<number> => {
    ({ descriptors } = await server.held());
    return descriptors.length;
  };
  const before = idle.descriptors.join("\n");
  await within("descriptors", count, idle.descriptors.length, () => [...descriptors, before]);
}

/** One server, the clients that do nothing wrong, and those of the faults. */
class Stage implements Fault {
  readonly host: Host;
  readonly server: RemoteServer;
  readonly #others: Listener[] = [];
  readonly #clients: FrameClient[] = [];
  readonly #members: Listener[] = [];
  readonly #sent: () => Promise<number>;
  #opened = 0;
  #sentBeforeTheEnd: number | undefined;

  constructor(host: Host, server: RemoteServer) {
    this.host = host;
    this.server = server;
    this.#sent = () => server.remote.sent();
  }

  get port(): number {
    return this.server.port;
  }

  get probe(): RemoteProbe {
    return this.server.probe;
  }

  async close(): Promise<void> {
    this.#sentBeforeTheEnd ??= await this.#sent();
    await this.server.close();
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
    if (member) this.#members.push(await Listener.join(client, this.#sent));
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
      const listener = await Listener.join(client, this.#sent);
      listener.listen();
      this.#others.push(listener);
    }
  }

  /** From now on the room gets messages. */
  async talk(): Promise<void> {
    await this.server.remote.talk(ROOM, EVERY);
  }

  /** Looks at A, at D, and at what of E the server counts. */
  async check(ended: boolean): Promise<void> {
    const sent = await this.server.remote.quiet();
    await this.probe.releaseAll();
    for (const listener of this.#others) {
      if (ended) await listener.ended(closeCode(this.host, 1001), this.#sentBeforeTheEnd ?? 0);
      else await listener.complete(sent);
    }
    for (const member of this.#members) await member.noHole(sent);
    for (const client of this.#clients) client.destroy();
    const left = ended ? 0 : OTHERS;
    await within("connections", async () => (await this.server.presence()).connections, left);
    assert.deepEqual(await this.server.presence(), {
      connections: left,
      rooms: ended ? 0 : 1,
      users: 0,
    });
    // Each of them once.
    const gone = this.#opened + (ended ? OTHERS : 0);
    const ends = async (): Promise<number> =>
      (await this.probe.targets()).filter((target) => target === "ended").length;
    await within("disconnect flows", ends, gone);
  }

  leave(): void {
    for (const { client } of this.#others) client.destroy();
    for (const client of this.#clients) client.destroy();
  }
}

/** The deadlines of a flow share one timer, which is left running when all have ended. */
function settled({ timers }: Held): readonly string[] {
  return timers.filter((timer) => !timer.includes("/src/base/deadlines.ts"));
}
