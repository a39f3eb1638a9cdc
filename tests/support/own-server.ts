/** A server of a test's own: a process that is stopped, killed, frozen and started again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { keptPort } from "./ports.ts";
import { Process } from "./process.ts";
import { familyOf, untilStopped } from "./programs.ts";
import { pause } from "./socket-probe.ts";

/** How long a server may take to start or to stop, in milliseconds. */
const PATIENCE = 60_000;

/** The password of a server's users, which needs escapes in an address. */
export const PASSWORD = "S3cret/of:test@";

/** Where a server is. */
export interface Site {
  /** A folder of this server alone. */
  readonly folder: string;
  /** Where its clients find it, also after it was started again. */
  readonly port: number;
}

/** One server. It does not run yet. */
export abstract class OwnServer {
  readonly folder: string;
  readonly port: number;
  #process: Process | undefined;
  #frozen: readonly number[] = [];

  constructor({ folder, port }: Site) {
    this.folder = folder;
    this.port = port;
  }

  /** The command that runs it in the foreground. */
  protected abstract command(): readonly string[];
  /** Whether it takes connections; `output` is what it has printed so far. */
  protected abstract ready(output: string): boolean | Promise<boolean>;
  /** The signal that ends it at once and in good order. */
  protected abstract readonly stopSignal: NodeJS.Signals;

  /** Environment variables of its own. */
  protected environment(): Readonly<Record<string, string>> {
    return {};
  }

  /** Lets go of the test's own connections. */
  protected letGo(): void | Promise<void> {}

  /** Its process; undefined where it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What it has printed since it was started last, such as its log. */
  get log(): string {
    return this.#process?.output ?? "";
  }

  /** Starts it, also again; resolves when it takes connections. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const [program, ...args] = this.command();
    const child = new Process(program, args, { cwd: this.folder, env: this.environment() });
    this.#process = child;
    const deadline = performance.now() + PATIENCE;
    while (!await this.ready(child.output)) {
      if (child.endedByItself || performance.now() > deadline) {
        await this.kill();
        throw new Error(`the server does not start:\n${child.output}`);
      }
      await pause(20);
    }
  }

  /** Ends it as an operator does who does not wait for clients. */
  async stop(): Promise<void> {
    this.thaw();
    this.#process?.signal(this.stopSignal);
    await this.#process?.ended(PATIENCE);
    this.#process = undefined;
    await this.letGo();
  }

  /** Ends all its processes without a warning. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child !== undefined) {
      signal(await familyOf(child.pid), "SIGKILL");
      await child.kill();
    }
    this.#process = undefined;
    this.#frozen = [];
    await this.letGo();
  }

  /** Stops it and starts it. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops its processes where they are; its sockets stay open and say nothing. */
  async freeze(): Promise<void> {
    if (this.#process === undefined) return;
    // One that starts processes goes first: it starts none while the others are looked for.
    signal([this.#process.pid], "SIGSTOP");
    this.#frozen = await familyOf(this.#process.pid);
    signal(this.#frozen, "SIGSTOP");
    await untilStopped(this.#frozen);
  }

  /** Lets it go on. */
  thaw(): void {
    signal(this.#frozen, "SIGCONT");
    this.#frozen = [];
  }

  /** Runs where it does not run, and goes on where it is frozen. */
  async ensure(): Promise<void> {
    this.thaw();
    await this.start();
  }

  /** Ends it and removes everything that belongs to it. */
  async end(): Promise<void> {
    try {
      await this.kill();
    } finally {
      await this.clear();
    }
  }

  /** Removes what is on the disk. */
  protected async clear(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

/**
 * Makes a folder and a port, and the server that `make` puts there, and starts it. Nothing is left
 * where that fails.
 */
export async function openAt<S extends OwnServer>(
  name: string,
  make: (site: Site) => S | Promise<S>,
): Promise<S> {
  const folder = await mkdtemp(join(tmpdir(), `weir-${name}-`));
  try {
    const server = await make({ folder, port: await keptPort() });
    await server.start();
    return server;
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** Calls `run` with a server, and removes it afterwards. */
export async function withServer<S extends { end(): Promise<void> }, T>(
  opening: Promise<S>,
  run: (server: S) => Promise<T>,
): Promise<T> {
  const server = await opening;
  try {
    return await run(server);
  } finally {
    await server.end();
  }
}

/**
 * The words before a command that end it with this process, which may have no time to stop it. Only
 * Linux knows such a thing.
 */
export const WITH_US: readonly string[] = process.platform === "linux"
  ? ["setpriv", "--pdeathsig", "KILL", "--"]
  : [];

/** One that has ended meanwhile gets no signal. */
function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ESRCH") throw error;
    }
  }
}
