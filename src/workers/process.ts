/** The process of one worker, as its supervisor sees it. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type BirpcReturn, createBirpc } from "birpc";
import { WORKER_ARGUMENT } from "../server/host.ts";
import type { SupervisorFunctions, WorkerFunctions } from "./messages.ts";

/** How a process ended, in words. */
export type Ending = string;

/** A process that runs a worker. */
export class WorkerProcess {
  /** What the worker can be asked to do. What is pending when it ends is rejected. */
  readonly functions: BirpcReturn<WorkerFunctions, SupervisorFunctions>;
  /** Resolves when it has ended, or could not be started. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;

  /** Starts it; `supervisor` serves what it asks for. `entry` is the URL of a runtime's entrypoint. */
  constructor(entry: string, supervisor: SupervisorFunctions) {
    const [program, ...args] = commandOf(entry);
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    this.functions = createBirpc<WorkerFunctions, SupervisorFunctions>(supervisor, {
      // The channel is gone before the news of it arrives.
      post: (message) => void (child.connected && child.send(message, ignore)),
      on: (hear) => void child.on("message", hear),
      timeout: -1,
    });
    this.ended = new Promise((resolve) => {
      child.on("error", (error) => {
        // Of one that runs, `exit` tells. Deno reports here a message that a killed one left unfinished.
        if (child.pid === undefined) resolve(`could not be started: ${error.message}`);
      });
      child.once("exit", (code, signal) => {
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    });
    void this.ended.then(() => this.functions.$close());
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Lets it go: a worker without a supervisor ends. */
  disconnect(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A message that could not be sent was for a worker that has ended, and `exit` tells of that. */
function ignore(): void {}

/** How this runtime starts an entrypoint. */
function commandOf(entry: string): string[] {
  const { execPath, execArgv, versions } = process;
  // Deno does not say which flags it has; DENO_V8_FLAGS reaches workers, as NODE_OPTIONS does on Node.
  if ("deno" in versions) return [execPath, "run", "-A", entry, WORKER_ARGUMENT];
  const flags = "bun" in versions ? ["--no-env-file"] : execArgv.filter(isForWorkers);
  return [execPath, ...flags, fileURLToPath(entry), WORKER_ARGUMENT];
}

/** Memory and garbage collection; a debugger's port or a script belong to one process alone. */
function isForWorkers(flag: string): boolean {
  return /^--(max-|min-|semi-|expose-gc|trace-|no-warnings|disable-warning|enable-source-maps)/
    .test(flag);
}
