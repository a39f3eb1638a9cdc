/** A process that reads from an SQLite database: what it runs, and how it is started and ended. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { CannotStartError, ReadBrokenError } from "./errors.ts";

/** One read. */
export interface ReadOrder {
  /** One statement, its values marked `?1` and so on. */
  readonly sql: string;
  /** Its values, in order. */
  readonly values: readonly SQLInputValue[];
  /** True where the first row is enough. */
  readonly first: boolean;
}

/** Rows as `node:sqlite` returns them, with every integer as a bigint. */
export interface RawRows {
  /** The names of their columns. */
  readonly names: readonly string[];
  /** The values of each. */
  readonly rows: readonly (readonly SQLOutputValue[])[];
}

/** A message of a reader: rows, any number of times, then `done` or an error. */
export type ReaderMessage =
  | RawRows
  | { readonly done: true }
  | { readonly error: { readonly message: string; readonly errcode: number | undefined } };

/** What a reader is started with. */
export interface ReaderOptions {
  /** The file of the database, absolute. */
  readonly database: string;
  /** How many milliseconds it waits for a lock. */
  readonly patience: number;
}

/**
 * The command of a reader, without the program's path. Undefined if this process can start none: an
 * executable that was compiled with Deno or made of Node can only run its application, which must not
 * be started a second time.
 */
export function readerCommand(options: ReaderOptions): readonly string[] | undefined {
  const program = `(${read})(${JSON.stringify(options)})`;
  if ("deno" in process.versions) {
    const { Deno } = globalThis as { readonly Deno?: { readonly build?: Standalone } };
    if (Deno?.build?.standalone === true) return undefined;
    const url = `data:text/javascript,${encodeURIComponent(program)}`;
    return ["run", "--no-config", "--no-lock", "--allow-read", "--allow-write", url];
  }
  if ("bun" in process.versions) return ["--no-env-file", "--no-install", "-e", program];
  if (process.getBuiltinModule("node:sea")?.isSea()) return undefined;
  return ["-e", program];
}

/** The environment of a reader. */
export function readerEnvironment(): NodeJS.ProcessEnv {
  // A process that only reads needs nothing of what NODE_OPTIONS loads into this one.
  const { NODE_OPTIONS: _, ...environment } = process.env;
  // With it, an executable that was compiled with Bun acts as Bun.
  return { ...environment, BUN_BE_BUN: "1", DENO_NO_UPDATE_CHECK: "1" };
}

interface Standalone {
  readonly standalone?: boolean;
}

/**
 * The program of a reader. It is passed on as source text, since a bundle, a package from a registry or
 * a compiled executable has no file for it at a known path. So it uses its arguments and `globalThis`
 * alone, and nothing else of this module.
 */
function read({ database, patience }: ReaderOptions): void {
  const rowsOfMessage = 200;
  const { process } = globalThis;
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  let connection: InstanceType<typeof DatabaseSync> | undefined;
  const statements = new Map<string, ReturnType<InstanceType<typeof DatabaseSync>["prepare"]>>();
  const prepare = (sql: string) => {
    connection ??= new DatabaseSync(database, {
      readOnly: true,
      timeout: patience,
      enableDoubleQuotedStringLiterals: false,
    });
    const statement = connection.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    statements.set(sql, statement);
    return statement;
  };
  const say = (message: ReaderMessage) => {
    if (process.connected) process.send?.(message);
  };
  const answer = ({ sql, values, first }: ReadOrder) => {
    const statement = statements.get(sql) ?? prepare(sql);
    // Not `iterate`: on Deno it ends without an error if a row fails.
    const run = () => first ? [statement.get(...values)] : statement.all(...values);
    // Rows as lists, and their names afterwards: on Deno `all` itself has the columns as they were before
    // somebody has changed the table, and lacks those that are new until it is called again.
    let rows: SQLOutputValue[][];
    let names: string[];
    do {
      rows = run().filter((row) => row !== undefined) as unknown as SQLOutputValue[][];
      names = statement.columns().map(({ name }) => name);
    } while (rows.length > 0 && rows[0].length < names.length);
    // Many small messages, so that the receiver can do other work in between.
    for (let at = 0; at < rows.length; at += rowsOfMessage) {
      say({ names, rows: rows.slice(at, at + rowsOfMessage) });
    }
    say({ done: true });
  };
  // The process that has started this one handles a signal to all processes of a service.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  process.title = "weir reader";
  process.on("disconnect", () => process.exit());
  // On Deno this is the only event if the other process was killed in the middle of a message.
  process.on("error", () => process.exit());
  process.on("message", (order) => {
    try {
      answer(order as ReadOrder);
    } catch (error) {
      const { message, errcode } = error as Error & { readonly errcode?: number };
      say({ error: { message, errcode } });
    }
  });
}

/** Receives what a read returns. */
export interface ReadListener {
  /** Some of the rows, in order. */
  rows(rows: RawRows): void;
  /** That was all. */
  done(): void;
  /** It failed, or its process ended. */
  failed(error: Error): void;
}

/** The readers that have not ended: they must not outlive this process. */
const living = new Set<Reader>();

/** A process that reads. It keeps this process running only while it reads. */
export class Reader {
  /** How many reads it has begun. */
  reads = 0;
  readonly #child: ChildProcess;
  readonly #onEnd: (reader: Reader) => void;
  #listener: ReadListener | undefined;
  #ended = false;
  #killed = false;

  /**
   * Starts it; `onEnd` is called once, when it has ended or could not be started.
   *
   * @throws {CannotStartError} It may not be started; some runtimes report that later.
   * @throws {ReadBrokenError} It cannot be started now; some runtimes report that later.
   */
  constructor(options: ReaderOptions, onEnd: (reader: Reader) => void) {
    this.#onEnd = onEnd;
    this.#child = start(options);
    this.#child.on("message", (message) => this.#hear(message as ReaderMessage));
    this.#child.on("error", (error) => {
      // A process that runs emits `exit`.
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

  /** False if it could not be started: on Deno its methods must not be called then. */
  get #runs(): boolean {
    return this.#child.pid !== undefined;
  }

  /** True if it has nothing to do. */
  get idle(): boolean {
    return this.#listener === undefined && !this.#killed && !this.#ended;
  }

  /** Reads; it must be idle. */
  read(order: ReadOrder, listener: ReadListener): void {
    this.reads++;
    this.#listener = listener;
    this.#hold(true);
    // Sending fails if the process has ended, which emits `exit`.
    if (this.#runs) this.#child.send(order, () => {});
  }

  /** Ends it at once, also in the middle of a read: `node:sqlite` cannot interrupt one. */
  kill(): void {
    this.#killed = true;
    this.#listener = undefined;
    // This process waits for its end, which takes a few milliseconds.
    this.#hold(true);
    if (this.#runs) this.#child.kill("SIGKILL");
  }

  #hear(message: ReaderMessage): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    if ("rows" in message) return listener.rows(message);
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
    // Bun has neither; its channel ends with the process.
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
      // An inherited descriptor would stay open if the child outlived this process.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced",
      env: readerEnvironment(),
      // Not in the project's folder, where a file such as bunfig.toml could run other code.
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
