/** The process that reads: what it runs, and how it is started. */
import process from "node:process";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";

/** One read. */
export interface ReadOrder {
  /** One statement, its values marked `?1` and so on. */
  readonly sql: string;
  /** Its values, in order. */
  readonly values: readonly SQLInputValue[];
  /** True where the first row is enough. */
  readonly first: boolean;
}

/** A row as `node:sqlite` returns it, with every integer as a bigint. */
export type RawRow = Readonly<Record<string, SQLOutputValue>>;

/** What a reader says: rows, any number of times, then that it is done or has failed. */
export type ReaderMessage =
  | { readonly rows: readonly RawRow[] }
  | { readonly done: true }
  | { readonly error: { readonly message: string; readonly errcode: number | undefined } };

/** What a reader must know. */
export interface ReaderOptions {
  /** The file of the database, absolute. */
  readonly database: string;
  /** How many milliseconds it waits for a lock. */
  readonly patience: number;
}

/**
 * The command of a reader, without the program's path. Undefined where this process can start none:
 * an executable that was compiled for Deno, or made of Node, has its application and nothing else,
 * which must not be started a second time.
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
  // An executable that was compiled for Bun is Bun itself with it.
  return { ...environment, BUN_BE_BUN: "1", DENO_NO_UPDATE_CHECK: "1" };
}

interface Standalone {
  readonly standalone?: boolean;
}

/**
 * All that a reader does. It is passed on as source text: a bundler, a package from a registry or a
 * compiled executable would have no file for it at a known place. So it may use its arguments and
 * `globalThis`, and nothing else of this module.
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
    statements.set(sql, statement);
    return statement;
  };
  const say = (message: ReaderMessage) => {
    if (process.connected) process.send?.(message);
  };
  const answer = ({ sql, values, first }: ReadOrder) => {
    const statement = statements.get(sql) ?? prepare(sql);
    // Not `iterate`: Deno's ends without a word where a row fails.
    const rows = first ? [statement.get(...values)] : statement.all(...values);
    // Many small messages, so that the receiver can do something else in between.
    for (let at = 0; at < rows.length; at += rowsOfMessage) {
      say({ rows: rows.slice(at, at + rowsOfMessage).filter((row) => row !== undefined) });
    }
    say({ done: true });
  };
  // A signal to all processes of a service is handled by the one that has started this one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  process.title = "weir reader";
  process.on("disconnect", () => process.exit());
  // Where the other process was killed in the middle of a message, Deno tells by this alone.
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
