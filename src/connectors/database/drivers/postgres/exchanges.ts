/** What is sent to the server and answered at once: a "Submittable" of `pg`. */
import type { Connection, FieldDef } from "pg";
import type { Result, Row } from "../../driver.ts";
import { isAnswer } from "./answers.ts";
import type { Prepared } from "./messages.ts";
import type { PostgresStatement } from "./statement.ts";

/** The connection of a client, with what its types leave out. */
export interface Wire extends Connection {
  /** Ends a COPY from the client with an error. */
  sendCopyFail(message: string): void;
}

/** The types of a statement's parameters and its columns. */
export interface Description {
  readonly parameters: readonly number[];
  /** Undefined where it returns no rows. */
  readonly fields: readonly FieldDef[] | undefined;
}

/**
 * Sends messages that end with a Sync. `pg` calls its methods with the answers. It does not call
 * `handleReadyForQuery` after an error, so that the connection's own event is used.
 */
abstract class Exchange {
  /** Resolves when the server is ready for the next one, or the connection is lost. */
  readonly done: Promise<void>;
  /** What the server refused, or how the connection was lost. */
  error: unknown;
  readonly #wire: Wire;
  readonly #bytes: Uint8Array;
  #resolve!: () => void;

  /** Sends nothing before `submit`. */
  constructor(wire: Wire, bytes: Uint8Array) {
    this.#wire = wire;
    this.#bytes = bytes;
    this.done = new Promise((resolve) => this.#resolve = resolve);
  }

  /** Called by `pg` when the connection is free. */
  submit(): void {
    this.#wire.stream.write(this.#bytes);
  }

  /** Called by `pg` where all went well. */
  handleReadyForQuery(): void {
    this.#resolve();
  }

  /** Called by `pg` with an error of the server, or when the connection is lost. */
  handleError(error: unknown): void {
    this.error ??= error;
    if (!isAnswer(error)) return this.#resolve();
    // After a fatal error the connection ends. Its severity is in the server's language.
    const wire = this.#wire;
    const settle = () => {
      wire.off("readyForQuery", settle);
      wire.off("end", settle);
      this.#resolve();
    };
    wire.on("readyForQuery", settle);
    wire.on("end", settle);
  }

  /** Ends it without an answer. */
  abandon(error: unknown): void {
    this.error ??= error;
    this.#resolve();
  }

  /** Refuses COPY FROM STDIN. The server has ignored the Sync that came with it. */
  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail("COPY FROM STDIN cannot be used here");
    wire.sync();
  }

  /** Ignores what COPY TO STDOUT sends. */
  handleCopyData(): void {}
}

/** Parses a statement and asks for its types. */
export class Preparation extends Exchange {
  readonly #parameters: number[] = [];
  #fields: readonly FieldDef[] | undefined;

  /** The types, once it is done. */
  get description(): Description {
    return { parameters: this.#parameters, fields: this.#fields };
  }

  /** Called by the connection's event, which `pg` does not pass on. */
  readonly onParameters = ({ dataTypeIDs }: { readonly dataTypeIDs: readonly number[] }): void => {
    this.#parameters.push(...dataTypeIDs);
  };

  /** Called by `pg` with the columns. */
  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    this.#fields = fields;
  }
}

/** A statement of a batch. */
export interface Execution {
  readonly statement: PostgresStatement;
  readonly prepared: Prepared;
}

const NO_ROWS: Result = [];

/** Runs statements in the transaction that the Sync ends. */
export class Batch extends Exchange {
  /** Of the statements that have been completed, in order. */
  readonly results: Result[] = [];
  readonly #executions: readonly Execution[];
  #rows: Row[] = [];

  /** `bytes` has these executions. */
  constructor(wire: Wire, bytes: Uint8Array, executions: readonly Execution[]) {
    super(wire, bytes);
    this.#executions = executions;
  }

  /** Called by `pg` with a row. */
  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const { statement, prepared } = this.#executions[this.results.length];
    if (statement.rows === "none") return;
    if (statement.rows === "first" && this.#rows.length > 0) return;
    this.#rows.push(toRow(prepared, fields));
  }

  /** Called by `pg` when a statement has been completed. */
  handleCommandComplete({ text }: { readonly text: string }): void {
    const { statement, prepared } = this.#executions[this.results.length];
    if (statement.rows === "none") this.#complete(NO_ROWS);
    else if (prepared.columns !== undefined) this.#complete(this.#rows);
    else this.#complete({ changes: changesOf(text), last_insert_id: null });
  }

  /** Called by `pg` where only the first row was asked for. */
  handlePortalSuspended(): void {
    this.#complete(this.#rows);
  }

  /** Called by `pg` for a statement that is empty. */
  handleEmptyQuery(): void {
    this.#complete({ changes: 0, last_insert_id: null });
  }

  #complete(result: Result): void {
    this.results.push(result);
    if (this.#rows.length > 0) this.#rows = [];
  }
}

function toRow({ columns = [], decoders }: Prepared, fields: readonly (string | null)[]): Row {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) {
    const name = columns[index];
    const text = fields[index];
    const decode = decoders[index];
    const value = text === null || decode === undefined ? text : decoded(text, decode);
    // An assignment would set the prototype.
    if (name === "__proto__") Object.defineProperty(row, name, { value, ...PLAIN });
    else row[name] = value;
  }
  return row;
}

/** The write is committed whatever happens here, so a text that cannot be read stays one. */
function decoded(text: string, decode: (text: string) => unknown): unknown {
  try {
    return decode(text);
  } catch {
    return text;
  }
}

const PLAIN = { configurable: true, enumerable: true, writable: true };

/** The number at the end of `INSERT 0 5`; 0 for a statement that changes no rows. */
function changesOf(tag: string): number {
  const number = Number(tag.slice(tag.lastIndexOf(" ") + 1));
  return Number.isSafeInteger(number) ? number : 0;
}
