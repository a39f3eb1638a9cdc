/**
 * A server in a process of its own, which a test drives. The process serves one configuration after
 * another; the tests of a file share it as long as it lives.
 */
import { type BirpcReturn, createBirpc } from "birpc";
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import type { Counts } from "../../../src/runtime/mod.ts";
import { DENO_RUN, UNCAUGHT } from "../../support/process.ts";
import type { Host } from "../../support/socket-hosts.ts";
import { until } from "../../support/socket-probe.ts";
import { needTool } from "../../support/toolchain.ts";
import { runtime } from "../stage.ts";
import type { Delivered, Held, LogLine, Memory, ServerFunctions } from "./functions.ts";

type Remote = BirpcReturn<ServerFunctions, Record<string, never>>;

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const flags = { deno: DENO_RUN, bun: ["--no-env-file"], node: [] };

/** The process, from its start to its end. */
class ServerProcess {
  readonly remote: Remote;
  readonly child: ChildProcess;
  #output = "";
  /** How it ended; undefined where it runs. */
  #end: string | undefined;

  constructor(command: string) {
    const child = spawn(command, [...flags[runtime], main], {
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new TextDecoder();
      stream?.on("data", (bytes: Uint8Array) => {
        this.#output += decoder.decode(bytes, { stream: true });
      });
    }
    this.remote = createBirpc<ServerFunctions, Record<string, never>>({}, {
      post: (call) => {
        if (!child.connected) throw new Error(`the server's process has ended\n${this.#output}`);
        // That it could not be sent is told by the end of the process.
        child.send(call, () => {});
      },
      on: (hear) => void child.on("message", hear),
      serialize: (call) => JSON.stringify(call),
      deserialize: (text) => readResult(text),
      timeout: -1,
    });
    child.once("exit", (code, signal) => {
      this.#end = signal ?? `exit code ${code}`;
      this.remote.$close(new Error(`the server's process ended: ${this.#end}\n${this.#output}`));
    });
  }

  get isAlive(): boolean {
    return this.#end === undefined;
  }

  /** It runs, and nothing in it was thrown that was not caught. */
  assertSound(): void {
    assert.equal(this.#end, undefined, `the server's process ended\n${this.#output}`);
    assert.doesNotMatch(this.#output, UNCAUGHT, "the server's process has an uncaught error");
  }

  async kill(): Promise<void> {
    if (!this.isAlive) return;
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }
}

/** An error of the server arrives as its parts. */
function readResult(text: string): unknown {
  const call = JSON.parse(text);
  if (call.e !== undefined) {
    call.e = Object.assign(new Error(call.e.message), { name: call.e.name });
  }
  return call;
}

/** The processes that the tests of this file share, one for each host. */
const processes = new Map<Host, Promise<ServerProcess>>();

async function start(): Promise<ServerProcess> {
  const started = new ServerProcess(await needTool(runtime));
  await started.remote.warmUp();
  return started;
}

async function findProcess(host: Host): Promise<ServerProcess> {
  const found = await processes.get(host);
  if (found?.isAlive) return found;
  const started = start();
  processes.set(host, started);
  return await started;
}

after(async () => {
  for (const started of processes.values()) await (await started).kill();
});

/** A start that failed. */
export interface Failed {
  readonly error: { readonly name: string; readonly message: string };
  /** What the connectors of type `steps` were called with, in order. */
  readonly steps: readonly string[];
}

/** A configuration that is served. */
export class RemoteServer {
  readonly host: Host;
  readonly port: number;
  readonly probe: RemoteProbe;
  readonly remote: Remote;
  readonly #process: ServerProcess;

  private constructor(host: Host, port: number, running: ServerProcess) {
    this.host = host;
    this.port = port;
    this.#process = running;
    this.remote = running.remote;
    this.probe = new RemoteProbe(running.remote);
  }

  /** Serves a configuration. Rejects with the error of a start that failed. */
  static async start(host: Host, config: string): Promise<RemoteServer> {
    const found = await findProcess(host);
    const result = await found.remote.start(host.name, config);
    if ("error" in result) {
      throw Object.assign(new Error(result.error.message), { name: result.error.name });
    }
    return new RemoteServer(host, result.port, found);
  }

  /** Serves a configuration that cannot start; returns why, and what its connectors were called with. */
  static async fail(host: Host, config: string): Promise<Failed> {
    const { remote } = await findProcess(host);
    const result = await remote.start(host.name, config);
    assert.ok("error" in result, "it has started");
    return { error: result.error, steps: await remote.steps() };
  }

  /** How many descriptors its process has open while it serves nothing. */
  static async idleDescriptors(host: Host): Promise<number> {
    return (await (await findProcess(host)).remote.held()).descriptors.length;
  }

  /** The id of its process. */
  get pid(): number {
    return this.#process.child.pid ?? 0;
  }

  /** Ends it, and fails where its process has ended or has written an uncaught error. */
  async close(): Promise<void> {
    if (this.#process.isAlive) await this.remote.close();
    this.#process.assertSound();
  }

  /** Ends the process, too: what a test left in it reaches no other test. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  counts(): Promise<Counts> {
    return this.remote.counts();
  }

  /** The counts of the connector "ws" that fall when clients leave. */
  async presence(): Promise<Presence> {
    const { connections, rooms, users } = (await this.counts()).ws;
    return { connections, rooms, users };
  }

  sendToRoom(room: string, data: unknown): Promise<number> {
    return this.remote.sendToRoom(room, data);
  }

  sendToUser(user: string, data: unknown): Promise<number> {
    return this.remote.sendToUser(user, data);
  }

  log(): Promise<readonly LogLine[]> {
    return this.remote.log();
  }

  held(): Promise<Held> {
    return this.remote.held();
  }

  memory(collect = false): Promise<Memory> {
    return this.remote.memory(collect);
  }
}

/** The connections, rooms and users of a connector. */
export interface Presence {
  readonly connections: number;
  readonly rooms: number;
  readonly users: number;
}

/** The connector of type `probe` in the server's process. */
export class RemoteProbe {
  readonly #remote: Remote;

  constructor(remote: Remote) {
    this.#remote = remote;
  }

  /** From now on each delivery waits for `releaseAll`. */
  async hold(): Promise<void> {
    await this.#remote.hold();
  }

  /** Lets everything go that waits, and holds nothing from now on. */
  async releaseAll(): Promise<void> {
    await this.#remote.release();
  }

  /** What a delivery to a target returns to its flow from now on. */
  async setResult(target: string, value: unknown): Promise<void> {
    await this.#remote.setResult(target, value);
  }

  deliveries(): Promise<readonly Delivered[]> {
    return this.#remote.deliveries();
  }

  /** The payloads, in order. */
  async payloads(): Promise<unknown[]> {
    return (await this.deliveries()).map(({ payload }) => payload);
  }

  /** The targets, in order. */
  async targets(): Promise<(string | undefined)[]> {
    return (await this.deliveries()).map(({ target }) => target);
  }

  /** Waits until there are `count` deliveries. */
  async received(count: number): Promise<void> {
    await until(`${count} deliveries`, async () => (await this.deliveries()).length >= count);
  }
}
