/** Servers under test: starting them on their core, their costs, and ending them. */
import type { Tool, Toolchain } from "../tests/support/toolchain.ts";
import type { Pinning } from "./pinning.ts";
import { cpuOf, memoryOf } from "./processes.ts";

/** A program under test. */
export interface ServerSpec {
  /** Its name in messages. */
  readonly name: string;
  /** Its runtime; without one, `args` begin with the program. */
  readonly runtime?: Tool;
  /** The runtime's arguments, relative to the repository; `{folder}` is that of its files. */
  readonly args: readonly string[];
  /** Files for its temporary folder, by name. */
  readonly files?: (port: number) => Readonly<Record<string, string>>;
  /** Environment variables beside those of the benchmark and `BENCH_PORT`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text on standard output when it is ready. By default it is ready when its port accepts connections. */
  readonly ready?: string;
  /** Makes the program before it is started. */
  readonly build?: () => Promise<unknown>;
  /** Runs on any core instead of core 0. */
  readonly unpinned?: boolean;
}

const startDeadline = 20_000;
const stopDeadline = 5_000;
const running = new Set<Server>();

/** Ends all servers, including those that are not ready yet. */
export async function endServers(): Promise<void> {
  await Promise.all([...running].map((server) => server[Symbol.asyncDispose]()));
}

/** A server that listens, in a process of its own. */
export class Server implements AsyncDisposable {
  /** How it was started. */
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

  /** The id of the server's process: taskset replaces itself with the program that it starts. */
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
   * @throws Error with the server's output, when it ends or is not ready within 20 seconds.
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

  /** The output of a server that has ended by itself; undefined where it is still running after 0.5 s. */
  async lastWords(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const moment = setTimeout(() => resolve(undefined), 500);
    const ended = await Promise.race([this.#child.status, promise]);
    clearTimeout(moment);
    return ended === undefined ? undefined : `it ended with ${ended.code}:\n${await this.#said}`;
  }

  /** Ends the process, with SIGKILL after 5 seconds. */
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

/** A free port. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Whether a port of 127.0.0.1 accepts connections. */
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

/** Resolves once the output contains a text. Reads on afterwards, so that the program never blocks on its output. */
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
