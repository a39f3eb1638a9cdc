/** Starts processes of the three runtimes for one test, and leaves none of them behind. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needTool, type Tool } from "./toolchain.ts";

/** The three runtimes. */
export const runtimes: readonly Tool[] = ["deno", "bun", "node"];

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** The file of the `weir` command that starts fastest on a runtime. */
export function commandFile(runtime: Tool): string {
  return runtime === "deno" ? "src/cli-deno.ts" : "src/cli.ts";
}

/** Deno looks through all of `node_modules` at each start, unless somebody else has filled it. */
export const DENO_RUN: readonly string[] = ["run", "-A", "--node-modules-dir=manual"];

/** How long a process may take for anything that it must do, in milliseconds. */
const PATIENCE = 30_000;

/** Linux checks the permissions of files for a root that has no capabilities. */
const WITHOUT_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"];

/** How Deno, Node and Bun report an uncaught error. */
export const UNCAUGHT =
  /^error: Uncaught|^Node\.js v\d|^Bun v\d|[Uu]nhandled (?:rejection|'error')/m;

/** How a process ended, and its output. */
export interface Exit {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a process runs. */
export interface ProcessOptions {
  /** The working directory; the stage's folder by default. */
  readonly cwd?: string;
  /** Environment variables, added to those of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Makes it the leader of a process group of its own. */
  readonly leader?: boolean;
  /** Words before the command, such as `["nice"]`. */
  readonly before?: readonly string[];
  /** Starts a script so that permissions of files hold for it, even if root runs the tests. */
  readonly unprivileged?: boolean;
}

/** A process under test. */
export class Process {
  readonly pid: number;
  readonly exit: Promise<Exit>;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #leader: boolean;
  #ended = false;
  /** The test has asked it to end. */
  #stopping = false;
  #wake: (() => void) | undefined;

  /** Starts it. */
  constructor(command: string, args: readonly string[], options: ProcessOptions) {
    const { leader = false } = options;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: "pipe",
      detached: leader,
    });
    assert.ok(child.pid !== undefined, `cannot start ${command}`);
    this.pid = child.pid;
    this.#child = child;
    this.#leader = leader;
    // It may have ended before it has read everything.
    child.stdin.on("error", () => {});
    const decoders = [new TextDecoder(), new TextDecoder()];
    child.stdout.on("data", (bytes: Uint8Array) => {
      this.stdout += decoders[0].decode(bytes, { stream: true });
      this.#wake?.();
    });
    child.stderr.on("data", (bytes: Uint8Array) => {
      this.stderr += decoders[1].decode(bytes, { stream: true });
    });
    this.exit = new Promise((resolve) => {
      child.on("close", (code, signal) => {
        this.#ended = true;
        this.#wake?.();
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** True where it ended although the test did not ask it to. */
  get endedByItself(): boolean {
    return this.#ended && !this.#stopping;
  }

  /** Standard output and standard error, for messages. */
  get output(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** Waits until its standard output matches; fails where the process ends first. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found !== null) return found;
      const left = deadline - performance.now();
      if (this.#ended || left <= 0) {
        const why = this.#ended ? "the process ended" : "timed out";
        throw new Error(`${why} while the test waited for ${pattern}:\n${this.output}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  /** Writes a value to its standard input, as one line of JSON. */
  tell(value: unknown): void {
    // Readers of lines end one at these two characters as well.
    const line = JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll(
      "\u2029",
      "\\u2029",
    );
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Writes text to its standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Sends it a signal. A leader's whole group gets it, as from a terminal. */
  signal(name: NodeJS.Signals): void {
    this.#stopping = true;
    process.kill(this.#leader ? -this.pid : this.pid, name);
  }

  /** Waits for its end. After `limit` milliseconds it kills the process and fails. */
  async ended(limit: number = PATIENCE): Promise<Exit> {
    this.#stopping = true;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.signal("SIGKILL");
    }, limit);
    const exit = await this.exit;
    clearTimeout(timer);
    if (late) throw new Error(`no end after ${limit} ms:\n${this.output}`);
    return exit;
  }

  /** Kills it if it still runs. */
  async kill(): Promise<void> {
    if (!this.#ended) this.signal("SIGKILL");
    await this.exit;
  }
}

/** A Weir process that is ready. */
export interface Weir extends Process {
  /** Such as `ws://localhost:40123/ws`. */
  readonly addresses: readonly string[];
  /** The port of its first address. */
  readonly port: number;
}

/** The processes and the folder of one test on one runtime. */
export class Stage {
  readonly runtime: Tool;
  /** A folder of this test alone. */
  readonly folder: string;
  readonly #processes: Process[] = [];

  /** @ignore Use `stageTest`, `onAllRuntimes` or `openStage`. */
  constructor(runtime: Tool, folder: string) {
    this.runtime = runtime;
    this.folder = folder;
  }

  /** Copies a folder of `tests/fixtures` into the stage's folder, so that it may write beside it. */
  async copy(fixture: string): Promise<string> {
    const folder = join(this.folder, fixture);
    await cp(join(root, "tests/fixtures", fixture), folder, { recursive: true });
    return folder;
  }

  /** Starts a TypeScript file of this repository. */
  async script(
    path: string,
    args: readonly string[] = [],
    options: ProcessOptions = {},
  ): Promise<Process> {
    const before: Readonly<Record<Tool, readonly string[]>> = {
      deno: DENO_RUN,
      bun: ["--no-env-file"],
      node: [],
    };
    const command = [
      ...(options.unprivileged && process.getuid?.() === 0 ? WITHOUT_CAPABILITIES : []),
      await needTool(this.runtime),
      ...before[this.runtime],
      join(root, path),
      ...args,
    ];
    return this.command(command[0], command.slice(1), options);
  }

  /** Starts any program. */
  command(command: string, args: readonly string[], options: ProcessOptions = {}): Process {
    const [program, ...words] = [...options.before ?? [], command, ...args];
    const child = new Process(program, words, { cwd: this.folder, ...options });
    this.#processes.push(child);
    return child;
  }

  /** Runs the `weir` command until it ends. */
  async weir(args: readonly string[], options: ProcessOptions = {}): Promise<Exit> {
    return await (await this.script(commandFile(this.runtime), args, options)).ended();
  }

  /** Starts the `weir` command with `run` and waits until it is ready. */
  async run(args: readonly string[], options: ProcessOptions = {}): Promise<Weir> {
    return await ready(await this.script(commandFile(this.runtime), ["run", ...args], options));
  }

  /** Fails where a process has ended by itself or has written an uncaught error. */
  assertSound(): void {
    for (const child of this.#processes) {
      assert.ok(!child.endedByItself, `a process ended by itself:\n${child.output}`);
      assert.doesNotMatch(child.output, UNCAUGHT, "a process has an uncaught error");
    }
  }

  /** Kills the processes that still run and removes the folder. */
  async end(): Promise<void> {
    await Promise.all(this.#processes.map((child) => child.kill()));
    await rm(this.folder, { recursive: true });
  }
}

/** Waits for a process that is a Weir server. */
export async function ready(child: Process): Promise<Weir> {
  const [, list] = await child.says(/^.+ is ready in \d+ ms(?: with \d+ workers)?: (.*)\n/m);
  const addresses = list.split("  ").filter((address) => URL.canParse(address));
  const port = Number(addresses.length === 0 ? 0 : new URL(addresses[0]).port);
  return Object.assign(child, { addresses, port });
}

/** Registers one test for each runtime. */
export function stageTest(name: string, run: (stage: Stage) => Promise<void>): void {
  for (const runtime of runtimes) {
    test(`${name}, on ${runtime}`, async () => await withStage(runtime, run));
  }
}

/** Runs on all runtimes at once, for tests that wait most of the time. */
export async function onAllRuntimes(run: (stage: Stage) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(runtimes.map((runtime) => withStage(runtime, run)));
  const failures = results.flatMap((result, index) => {
    if (result.status === "fulfilled") return [];
    const { reason } = result;
    const text = reason instanceof Error ? reason.stack ?? reason.message : String(reason);
    return [`on ${runtimes[index]}: ${text}`];
  });
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

/** Creates a stage; the caller must end it. */
export async function openStage(runtime: Tool): Promise<Stage> {
  // macOS names its temporary folder by a link.
  return new Stage(runtime, await realpath(await mkdtemp(join(tmpdir(), "weir-e2e-"))));
}

/** Runs on one runtime with a stage, which it ends. */
export async function withStage(
  runtime: Tool,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await openStage(runtime);
  try {
    await run(stage);
  } finally {
    await stage.end();
  }
}
