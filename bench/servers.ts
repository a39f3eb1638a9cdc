/** The servers that are compared, and how one is started and ended. */
import type { Tool, Toolchain } from "../tests/support/toolchain.ts";
import type { Pinning } from "./pinning.ts";

/** One program under test. */
export interface ServerSpec {
  /** What it is called in options and tables. */
  readonly name: string;
  /** Its runtime. */
  readonly runtime: Tool;
  /** Whether ratios of its runtime are taken against it. */
  readonly baseline: boolean;
  /** The runtime's arguments, relative to the repository. */
  readonly args: readonly string[];
}

/** All servers, in the order in which they take their turns. */
export const servers: readonly ServerSpec[] = [
  {
    name: "node-ws",
    runtime: "node",
    baseline: true,
    args: ["bench/baselines/node-ws.ts"],
  },
  {
    name: "weir-node",
    runtime: "node",
    baseline: false,
    args: ["src/node.ts", "run", "bench/fanout"],
  },
  {
    name: "deno-native",
    runtime: "deno",
    baseline: true,
    args: ["run", "-A", "bench/baselines/deno-native.ts"],
  },
  {
    name: "deno-ws",
    runtime: "deno",
    baseline: false,
    args: ["run", "-A", "bench/baselines/deno-ws.ts"],
  },
  {
    name: "weir-deno",
    runtime: "deno",
    baseline: false,
    args: ["run", "-A", "src/deno.ts", "run", "bench/fanout"],
  },
  {
    name: "bun-publish",
    runtime: "bun",
    baseline: true,
    args: ["bench/baselines/bun-publish.ts"],
  },
  {
    name: "weir-bun",
    runtime: "bun",
    baseline: false,
    args: ["--no-env-file", "src/bun.ts", "run", "bench/fanout"],
  },
];

const startDeadline = 20_000;
const stopDeadline = 5_000;

/** A server that listens, in a process of its own. */
export class Server implements AsyncDisposable {
  /** What runs. */
  readonly spec: ServerSpec;
  /** Its port on 127.0.0.1. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<string>;

  private constructor(spec: ServerSpec, port: number, child: Deno.ChildProcess) {
    this.spec = spec;
    this.port = port;
    this.#child = child;
    this.#output = new Response(child.stderr).text();
  }

  /** Its process: taskset becomes the program that it starts, so this is the runtime itself. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Starts a server and waits until its port answers.
   *
   * @throws Error with what the server said, when it ends or does not listen within 20 seconds.
   */
  static async start(spec: ServerSpec, tools: Toolchain, pinning: Pinning): Promise<Server> {
    const port = freePort();
    const [program, ...args] = pinning.server([tools[spec.runtime], ...spec.args]);
    const child = new Deno.Command(program, {
      args,
      cwd: new URL("..", import.meta.url),
      env: { BENCH_PORT: String(port) },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const server = new Server(spec, port, child);
    let ended = false;
    const status = child.status.then(() => ended = true);
    for (const deadline = Date.now() + startDeadline; Date.now() < deadline && !ended;) {
      if (await answers(port)) return server;
      await Promise.race([sleep(50), status]);
    }
    await server[Symbol.asyncDispose]();
    throw new Error(`${spec.name} does not listen on port ${port}:\n${await server.#output}`);
  }

  /** Ends the process, by force after 5 seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    end(this.#child, "SIGTERM");
    const force = setTimeout(() => end(this.#child, "SIGKILL"), stopDeadline);
    await this.#child.status;
    clearTimeout(force);
    await this.#output;
  }
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // Deno throws this for a process that has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
