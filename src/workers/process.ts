/** The process of a worker, started and called by the supervisor. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type BirpcReturn, createBirpc } from "birpc";
import { WORKER_ARGUMENT } from "../server/host.ts";
import { denoFlags, nodeFlags } from "./flags.ts";
import type { SupervisorFunctions, WorkerFunctions } from "./protocol.ts";

/** A process that runs a worker. */
export class WorkerProcess {
  /** Calls the worker. Calls that are pending when it ends reject. */
  readonly functions: BirpcReturn<WorkerFunctions, SupervisorFunctions>;
  /** Resolves when the process has ended or could not be started, with the reason. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  /** Starts it. `supervisor` has the functions that the worker can call. */
  constructor([program, ...args]: readonly string[], supervisor: SupervisorFunctions) {
    const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    this.functions = createBirpc<WorkerFunctions, SupervisorFunctions>(supervisor, {
      // The channel closes before the exit is reported.
      post: (message) => void (child.connected && child.send(message, ignore)),
      on: (receive) => void child.on("message", receive),
      timeout: -1,
    });
    this.ended = new Promise((resolve) => {
      child.on("error", (error) => {
        // Deno also reports here that a killed process left a message unfinished; `exit` follows.
        if (child.pid === undefined) resolve(`could not be started: ${error.message}`);
      });
      child.once("exit", (code, signal) => {
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    });
    void this.ended.then(() => this.functions.$close());
  }

  /** Undefined if the process could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Asks the worker to end. The connection stays open until then: on Deno, a worker may not notice that
   * it was closed while one of its messages was unread.
   */
  end(): void {
    // A worker that has ended already cannot be asked.
    this.functions.end.asEvent().catch(ignore);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** A message cannot be sent if the worker has ended, which `exit` reports. */
function ignore(): void {}

/** The command that runs the module with this URL as a worker on this runtime. */
export function workerCommand(module: string): readonly string[] {
  const { execPath, versions } = process;
  if ("deno" in versions) {
    return [execPath, "run", "-A", ...denoFlags(module), module, WORKER_ARGUMENT];
  }
  const flags = "bun" in versions ? ["--no-env-file"] : nodeFlags();
  return [execPath, ...flags, fileURLToPath(module), WORKER_ARGUMENT];
}
