/**
 * Reads the messages of the server's plugin `pgoutput`, version 1 of its protocol.
 *
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * Not `pg-logical-replication`: its parser reads values with the parsers of `pg`, makes no difference
 * between a column that is null and one that was not sent, and brings 16 packages; its service has no
 * deadlines, and stops with its socket destroyed, which can lose the last acknowledgement.
 */
import type { Buffer } from "node:buffer";
import { setField } from "../../../../../base/json.ts";
import { messageOf, quoted } from "../../../../../base/shown.ts";
import type { Change, ChangeSink } from "../../../changes/feed.ts";
import type { ChangeKind } from "../../../changes/operation.ts";
import { readTime } from "./lsn.ts";

/** A table as the server describes it before its first change, and after each change of its shape. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
}

/** A column of a relation. */
export interface Column {
  readonly name: string;
  /** The OID of its type. */
  readonly type: number;
  /** Whether it is part of what identifies a row. */
  readonly key: boolean;
}

/** A relation whose changes flows want. */
interface Known {
  /** As flows see it. */
  readonly table: string;
  readonly columns: readonly Decoded[];
}

interface Decoded extends Column {
  /** Undefined where the text is the value. */
  readonly decode: ((text: string) => unknown) | undefined;
}

/** What a decoder asks. */
export interface DecoderContext {
  /** How flows call a relation; undefined where no flow wants its changes. */
  tableOf(relation: Relation): string | undefined;
  /** How the text of a type is read; undefined where the text is the value. */
  decoderOf(type: number): ((text: string) => unknown) | undefined;
}

/** A row, and what it lacks. */
interface Tuple {
  readonly row: Record<string, unknown>;
  readonly unchanged: readonly string[];
}

const NONE: readonly string[] = Object.freeze([]) as readonly string[];

/** Of one stream: a stream describes each relation anew. */
export class Decoder {
  readonly #context: DecoderContext;
  readonly #relations = new Map<number, Known>();
  #committedAt = "";
  /** True from the beginning of a transaction to its end. */
  inTransaction = false;

  /** Reads nothing yet. */
  constructor(context: DecoderContext) {
    this.#context = context;
  }

  /** The types of the columns, if the message describes a relation that flows want. */
  typesOf(message: Buffer): readonly number[] {
    if (message[0] !== RELATION) return [];
    const { relation } = readRelation(new Reader(message, 1));
    if (this.#context.tableOf(relation) === undefined) return [];
    return relation.columns.map(({ type }) => type);
  }

  /**
   * Reads a message, which begins at `lsn` in the log, and passes on what it says. Keeps nothing of
   * the bytes.
   *
   * @throws {Error} It is not one of the protocol.
   */
  read(message: Buffer, lsn: string, sink: Sink): void {
    const reader = new Reader(message, 1);
    switch (message[0]) {
      case BEGIN:
        // After the place of the commit.
        this.#committedAt = readTime(message, 9);
        this.inTransaction = true;
        return;
      case COMMIT:
        // After flags and the place of the commit itself.
        this.inTransaction = false;
        return sink.end(message.readBigUInt64BE(10));
      case RELATION:
        return this.#learn(reader);
      case INSERT:
      case UPDATE:
      case DELETE:
        return this.#change(KINDS[message[0]], reader, lsn, sink);
      case ORIGIN:
      case TYPE:
      case TRUNCATE:
      case MESSAGE:
        return;
      default:
        throw new Error(`the server sent a message of the kind ${message[0]}, which is not known`);
    }
  }

  #learn(reader: Reader): void {
    const { oid, relation } = readRelation(reader);
    const table = this.#context.tableOf(relation);
    if (table === undefined) return void this.#relations.delete(oid);
    const columns = relation.columns.map((column) => ({
      ...column,
      decode: this.#context.decoderOf(column.type),
    }));
    this.#relations.set(oid, { table, columns });
  }

  #change(operation: ChangeKind, reader: Reader, lsn: string, sink: Sink): void {
    const known = this.#relations.get(reader.uint32());
    if (known === undefined) return;
    const named = { operation, table: known.table, lsn, committedAt: this.#committedAt };
    let change: Change;
    try {
      change = { ...named, ...readRows(operation, reader, known) };
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      return sink.unreadable(named, error.message);
    }
    sink.change(change, reader.size);
  }
}

const BEGIN = 0x42;
const COMMIT = 0x43;
const DELETE = 0x44;
const INSERT = 0x49;
const MESSAGE = 0x4d;
const ORIGIN = 0x4f;
const RELATION = 0x52;
const TRUNCATE = 0x54;
const UPDATE = 0x55;
const TYPE = 0x59;

const KINDS: Readonly<Record<number, ChangeKind>> = {
  [INSERT]: "INSERT",
  [UPDATE]: "UPDATE",
  [DELETE]: "DELETE",
};

/** What comes before a row: the new one, all of the old one, or its key. */
const NEW = 0x4e;
const OLD = 0x4f;
const KEY = 0x4b;

function readRelation(reader: Reader): { readonly oid: number; readonly relation: Relation } {
  const oid = reader.uint32();
  const schema = reader.text();
  const name = reader.text();
  reader.byte(); // The replica identity: what of the old row comes says the same.
  const columns: Column[] = [];
  for (let left = reader.uint16(); left > 0; left--) {
    const key = (reader.byte() & 1) === 1;
    const column = reader.text();
    columns.push({ name: column, key, type: reader.uint32() });
    reader.uint32(); // The modifier of the type, such as a length.
  }
  // Tables of the server itself have no schema here.
  return { oid, relation: { schema: schema === "" ? "pg_catalog" : schema, name, columns } };
}

function readRows(
  operation: ChangeKind,
  reader: Reader,
  { columns }: Known,
): Pick<Change, "row" | "old" | "unchanged"> {
  let kind = reader.byte();
  let old: Record<string, unknown> | null = null;
  if (kind === OLD || kind === KEY) {
    old = readTuple(reader, columns, kind === KEY, null).row;
    if (operation === "DELETE") return { row: old, old, unchanged: NONE };
    kind = reader.byte();
  }
  if (kind !== NEW) throw new Error(`a row of the kind ${kind} is not known`);
  const { row, unchanged } = readTuple(reader, columns, false, old);
  return { row, old, unchanged };
}

/** With `keyOnly` the other columns are null in the message, and left out here. */
function readTuple(
  reader: Reader,
  columns: readonly Decoded[],
  keyOnly: boolean,
  old: Record<string, unknown> | null,
): Tuple {
  const row: Record<string, unknown> = {};
  let unchanged: string[] | undefined;
  const count = reader.uint16();
  for (let index = 0; index < count; index++) {
    const { name, key, decode } = columns[index];
    const kind = reader.byte();
    if (kind === NULL) {
      if (!keyOnly || key) setField(row, name, null);
    } else if (kind === TEXT) {
      const text = reader.sized();
      setField(row, name, decode === undefined ? text : valueOf(text, decode, name));
    } else if (kind === UNCHANGED) {
      if (old !== null && Object.hasOwn(old, name)) setField(row, name, old[name]);
      else (unchanged ??= []).push(name);
    } else throw new Error(`a value of the kind ${kind} is not known`);
  }
  return { row, unchanged: unchanged ?? NONE };
}

function valueOf(text: string, decode: (text: string) => unknown, column: string): unknown {
  try {
    return decode(text);
  } catch (error) {
    const message = `its column ${quoted(column)} cannot be read: ${messageOf(error)}`;
    throw new ValueError(message, { cause: error });
  }
}

/** One value cannot be read; what follows it can. */
class ValueError extends Error {
  override readonly name = "ValueError";
}

const NULL = 0x6e;
const TEXT = 0x74;
/** A large value that the update did not touch, and that the server did not read for that reason. */
const UNCHANGED = 0x75;

/** Reads a message from its start to its end. */
class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** All of the message, in bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  uint16(): number {
    const value = this.#bytes.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** Up to the next zero. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new Error("a name has no end");
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** A length, and so many bytes of text. */
  sized(): string {
    const length = this.uint32();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error("a value is cut off");
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }
}

type Sink = Pick<ChangeSink, "change" | "unreadable" | "end">;
