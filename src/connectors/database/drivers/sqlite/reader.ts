/** A process that reads from an SQLite database, one read after the other. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import {
  type RawRow,
  readerCommand,
  readerEnvironment,
  type ReaderMessage,
  type ReaderOptions,
  type ReadOrder,
} from "./reader-program.ts";
import { CannotStartError, ReadBrokenError } from "./errors.ts";

/** Receives what a read returns. */
export interface ReadListener {
  /** Some of the rows, in order. */
  rows(rows: readonly RawRow[]): void;
  /** That was all. */
  done(): void;
  /** It failed, or its process ended. */
  failed(error: Error): void;
}

/** Those of this process that have not ended: they must not outlive it. */
const living = new Set<Reader>();

/** A process that reads. It never keeps this one from ending, unless it is at work. */
export class Reader {
  /** How many reads it has been given. */
  reads = 0;
  readonly #child: ChildProcess;
  readonly #onEnd: (reader: Reader) => void;
  #listener: ReadListener | undefined;
  #ended = false;
  #killed = false;

  /**
   * Starts it; `onEnd` is called once, when it has ended or could not be started.
   *
   * @throws {CannotStartError} It may not be started; some runtimes find that out later.
   * @throws {ReadBrokenError} It cannot be started now; some runtimes find that out later, too.
   */
  constructor(options: ReaderOptions, onEnd: (reader: Reader) => void) {
    this.#onEnd = onEnd;
    this.#child = start(options);
    this.#child.on("message", (message) => this.#hear(message as ReaderMessage));
    this.#child.on("error", (error) => {
      // Of one that runs, `exit` tells.
      if (!this.#runs) this.#end(notStarted(error));
    });
    this.#child.on("exit", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : signal;
      this.#end(new ReadBrokenError(`the process that reads has ended (${how})`));
    });
    if (living.size === 0) process.on("exit", killAll);
    living.add(this);
    this.#hold(false);
  }

  /** False where it could not be started: then it has nothing that could be called, on Deno. */
  get #runs(): boolean {
    return this.#child.pid !== undefined;
  }

  /** True where nothing is to be done. */
  get idle(): boolean {
    return this.#listener === undefined && !this.#killed && !this.#ended;
  }

  /** Reads; it must be idle. */
  read(order: ReadOrder, listener: ReadListener): void {
    this.reads++;
    this.#listener = listener;
    this.#hold(true);
    // What cannot be sent is for a process that has ended, and `exit` tells of that.
    if (this.#runs) this.#child.send(order, () => {});
  }

  /** Ends it at once, in the middle of a read or not: SQLite itself cannot be interrupted. */
  kill(): void {
    this.#killed = true;
    this.#listener = undefined;
    // Its end is waited for; that takes a few milliseconds.
    this.#hold(true);
    if (this.#runs) this.#child.kill("SIGKILL");
  }

  #hear(message: ReaderMessage): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    if ("rows" in message) return listener.rows(message.rows);
    this.#listener = undefined;
    this.#hold(false);
    if ("done" in message) return listener.done();
    const { message: text, errcode } = message.error;
    listener.failed(Object.assign(new Error(text), { errcode }));
  }

  #hold(held: boolean): void {
    if (!this.#runs) return;
    const { channel } = this.#child;
    if (held) this.#child.ref();
    else this.#child.unref();
    // Bun has neither; its channel goes with the process.
    if (held) channel?.ref?.();
    else channel?.unref?.();
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    living.delete(this);
    if (living.size === 0) process.off("exit", killAll);
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.failed(error);
    this.#onEnd(this);
  }
}

function start(options: ReaderOptions): ChildProcess {
  const command = readerCommand(options);
  if (command === undefined) throw new CannotStartError("an executable cannot start itself again");
  try {
    return spawn(process.execPath, command, {
      // A descriptor of this process would stay open if the child outlived it.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced",
      env: readerEnvironment(),
      // Not in the project's folder, where a file such as bunfig.toml could have more code run.
      cwd: "/",
    });
  } catch (error) {
    throw notStarted(error as Error);
  }
}

function notStarted(
  error: Error & { readonly code?: unknown },
): CannotStartError | ReadBrokenError {
  const { name, code, message } = error;
  // Deno without --allow-run or --allow-env, and Node's --permission.
  const forbidden = name === "NotCapable" || code === "ERR_ACCESS_DENIED";
  if (forbidden) return new CannotStartError(message);
  return new ReadBrokenError(`the process that reads could not be started: ${message}`);
}

function killAll(): void {
  for (const reader of living) reader.kill();
}
