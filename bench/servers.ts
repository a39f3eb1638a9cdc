/** A program under test: how it is started on its core, what it costs, and how it is ended. */
import type { Tool, Toolchain } from "../tests/support/toolchain.ts";
import type { Pinning } from "./pinning.ts";
import { cpuOf, memoryOf } from "./processes.ts";

/** A program under test. */
export interface ServerSpec {
  /** What it is called in messages. */
  readonly name: string;
  /** Its runtime; without one, `args` begin with the program. */
  readonly runtime?: Tool;
  /** The runtime's arguments, relative to the repository; `{folder}` is that of its files. */
  readonly args: readonly string[];
  /** The files that it wants in a folder of its own, by their names. */
  readonly files?: (port: number) => Readonly<Record<string, string>>;
  /** Its environment beside that of the benchmark; `BENCH_PORT` is there without being named. */
  readonly env?: Readonly<Record<string, string>>;
  /** A piece of the line on standard output that says it is ready; by default its port must answer. */
  readonly ready?: string;
  /** Makes the program before it is started. */
  readonly build?: () => Promise<unknown>;
  /** Runs on whatever core is free instead of the server's core. */
  readonly unpinned?: boolean;
}

const startDeadline = 20_000;
const stopDeadline = 5_000;
const running = new Set<Server>();

/** Ends all servers, also those that are not ready yet. */
export async function endServers(): Promise<void> {
  await Promise.all([...running].map((server) => server[Symbol.asyncDispose]()));
}

/** A server that listens, in a process of its own. */
export class Server implements AsyncDisposable {
  /** What runs. */
  readonly spec: ServerSpec;
  /** Its port on 127.0.0.1. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string | undefined;
  readonly #said: Promise<string>;

  private constructor(
    spec: ServerSpec,
    port: number,
    child: Deno.ChildProcess,
    folder: string | undefined,
  ) {
    running.add(this);
    this.spec = spec;
    this.port = port;
    this.#child = child;
    this.#folder = folder;
    this.#said = new Response(child.stderr).text();
  }

  /** Its process: taskset becomes the program that it starts, so this is the runtime itself. */
  get pid(): number {
    return this.#child.pid;
  }

  /** CPU seconds of the process, all its threads and all its children, since their start. */
  cpu(): Promise<number> {
    return cpuOf(this.pid);
  }

  /** Heaps and stacks of the process and all its children, in bytes. */
  memory(): Promise<number> {
    return memoryOf(this.pid);
  }

  /**
   * Starts a server and waits until it is ready.
   *
   * @throws Error with what the server said, when it ends or is not ready within 20 seconds.
   */
  static async start(spec: ServerSpec, tools: Toolchain, pinning: Pinning): Promise<Server> {
    await spec.build?.();
    const port = freePort();
    const folder = await keepFiles(spec.files?.(port));
    const own = spec.args.map((text) => text.replaceAll("{folder}", folder ?? ""));
    const command = spec.runtime === undefined ? own : [tools[spec.runtime], ...own];
    const [program, ...args] = spec.unpinned ? pinning.free(command) : pinning.server(command);
    const child = new Deno.Command(program, {
      args,
      cwd: new URL("..", import.meta.url),
      env: { BENCH_PORT: String(port), ...spec.env },
      stdin: "null",
      stdout: spec.ready === undefined ? "null" : "piped",
      stderr: "piped",
    }).spawn();
    const server = new Server(spec, port, child, folder);
    const over = new AbortController();
    const late = setTimeout(() => over.abort(), startDeadline);
    child.status.then(() => over.abort());
    const isOver = new Promise<false>((resolve) => over.signal.onabort = () => resolve(false));
    const isReady = spec.ready === undefined
      ? untilAnswers(port, over.signal)
      : untilSaid(child.stdout, spec.ready);
    const ready = await Promise.race([isReady, isOver]);
    clearTimeout(late);
    if (ready) return server;
    over.abort();
    await server[Symbol.asyncDispose]();
    throw new Error(`${spec.name} is not ready on port ${port}:\n${await server.#said}`);
  }

  /** What it said before it ended by itself; undefined where it still runs a moment later. */
  async lastWords(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const moment = setTimeout(() => resolve(undefined), 500);
    const ended = await Promise.race([this.#child.status, promise]);
    clearTimeout(moment);
    return ended === undefined ? undefined : `it ended with ${ended.code}:\n${await this.#said}`;
  }

  /** Ends the process, by force after 5 seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    end(this.#child, "SIGTERM");
    const force = setTimeout(() => end(this.#child, "SIGKILL"), stopDeadline);
    await this.#child.status;
    clearTimeout(force);
    await this.#said;
    if (!running.delete(this) || this.#folder === undefined) return;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function keepFiles(
  files: Readonly<Record<string, string>> | undefined,
): Promise<string | undefined> {
  if (files === undefined) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  return folder;
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Whether something listens on a port of 127.0.0.1. */
async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function untilAnswers(port: number, over: AbortSignal): Promise<boolean> {
  while (!over.aborted) {
    if (await answers(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** Reads on after the line has come, so that the program never waits for its output. */
function untilSaid(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  line: string,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let text = "";
  let found = false;
  output.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write(chunk) {
        if (found) return;
        text += chunk;
        if (!text.includes(line)) return;
        found = true;
        text = "";
        resolve(true);
      },
    }),
  ).then(() => resolve(false), () => resolve(false));
  return promise;
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // Deno throws this for a process that has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}
