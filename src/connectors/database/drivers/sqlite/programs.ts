/** Whether a query may take long, by the program that SQLite compiles it into. */
import type { DatabaseSync } from "node:sqlite";

/**
 * Instructions whose time does not depend on how many rows there are. None of them advances a cursor,
 * so a program that has no others has no loop: it runs each of them at most once. `EXPLAIN` returns
 * the same programs on all three runtimes. Where an instruction is not in this list, such as one of
 * a later SQLite, the query only takes the way to another process.
 */
const QUICK = new Set(
  `Init Halt Transaction Goto Once BeginSubrtn Return Close
   OpenRead ReopenIdx SeekRowid NotExists Found NotFound SeekGE SeekGT SeekLE SeekLT
   IdxGE IdxGT IdxLE IdxLT IdxRowid DeferredSeek Rowid Column Offset NullRow ResultRow
   Integer Int64 Real String8 Blob Null Variable Copy SCopy Move RealAffinity Affinity Cast
   If IfNot IfPos IfNullRow DecrJumpZero IsNull NotNull IsTrue IsType MustBeInt ZeroOrNull
   Eq Ne Lt Le Gt Ge ElseEq And Or Not Add Subtract Multiply Divide Remainder Concat CollSeq
   BitAnd BitOr BitNot ShiftLeft ShiftRight AggStep AggFinal Function PureFunc`.split(/\s+/),
);

/** Functions whose time grows no faster than their values; that of `like` and `trim` grows faster. */
const QUICK_FUNCTIONS = new Set(
  `abs coalesce count date datetime ifnull iif json json_array json_extract json_object -> ->>
   json_type json_valid julianday length lower max min nullif octet_length quote round sign
   sqlite_version strftime substr substring sum time total typeof unicode unixepoch upper`
    .split(/\s+/),
);

/** Functions whose result depends on the connection that they run on. */
const OF_CONNECTION = new Set(["changes", "last_insert_rowid", "total_changes"]);

/**
 * Whether a query that only reads may take long: it has a loop (it scans, sorts, or finds rows by
 * anything but all columns of a primary key or of a unique index) or calls a function that may. One
 * that reads what only its own connection has, a temporary table or a database that is attached,
 * does not count: no other connection could answer it.
 */
export function mayTakeLong(database: DatabaseSync, sql: string): boolean {
  const program = explain(database, sql);
  if (program.some(isOfConnection)) return false;
  return program.some(({ opcode, p4 }) =>
    !QUICK.has(opcode) || (isCall(opcode) && !QUICK_FUNCTIONS.has(nameOf(p4)))
  );
}

interface Instruction {
  readonly opcode: string;
  readonly p1: number;
  readonly p4: string | null;
}

function explain(database: DatabaseSync, sql: string): readonly Instruction[] {
  try {
    return database.prepare(`EXPLAIN ${sql}`).all() as unknown as readonly Instruction[];
  } catch {
    // It has been compiled already, so it is an EXPLAIN itself, which runs nothing.
    return [];
  }
}

function isOfConnection({ opcode, p1, p4 }: Instruction): boolean {
  // Database 0 is the file, 1 has the temporary tables, the others are attached.
  if (opcode === "Transaction") return p1 !== 0;
  return isCall(opcode) && OF_CONNECTION.has(nameOf(p4));
}

function isCall(opcode: string): boolean {
  return ["Function", "PureFunc", "AggStep"].includes(opcode);
}

/** The name in such as `upper(1)`. */
function nameOf(p4: string | null): string {
  return p4?.replace(/\(-?\d+\)$/, "") ?? "";
}
