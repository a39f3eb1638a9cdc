/** A database's own client and Weir read what the other one writes: one row, a column of each type. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import type { Stored, Subject } from "./subject.ts";

/** One value of one type, as each side has it. */
export interface Typed {
  /** The type of the column. */
  readonly type: string;
  /** What the client inserts, as SQL. */
  readonly sql: string;
  /** What Weir reads then, and what it writes to make the same. */
  readonly value: unknown;
  /** What Weir writes where that is not what it reads. */
  readonly written?: unknown;
  /** What the client shows, by whomever it was written. */
  readonly text: string;
  /** Makes of the column's name what the client is asked for; the column itself by default. */
  readonly show?: (column: string) => string;
}

/** Runs statements in the database's client; gives what it prints. */
export type Client = (script: string) => Promise<string>;

/** Runs a program with a standard input; gives its output. */
export async function ask(
  program: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const running = promisify(execFile)(program, [...args], {
    env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
  });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

const MARK = "--8<--";

/** The statement that makes the table. */
export function tableOf(types: readonly Typed[]): string {
  const columns = types.map(({ type }, i) => `c${i} ${type}`);
  return `CREATE TABLE typed (id INTEGER PRIMARY KEY, ${columns.join(", ")});`;
}

/** Both write the row, and both read both. */
export async function interoperate(
  subject: Subject,
  client: Client,
  types: readonly Typed[],
): Promise<void> {
  const columns = types.map((_, i) => `c${i}`);
  await client(
    `INSERT INTO typed (id, ${columns.join(", ")})
    VALUES (1, ${types.map(({ sql }) => sql).join(", ")});`,
  );
  const written = types.map(({ value, written = value }, i) => [`c${i}`, written]);
  const returned = await subject.write({
    target: "typed",
    payload: { id: 2, ...Object.fromEntries(written) },
  }) as Stored;
  const rows = await subject.table("typed", "id");
  for (const [id, row] of [[1, rows[0]], [2, rows[1]], [2, returned]] as const) {
    assert.deepEqual(
      types.map(({ type }, i) => [type, row[`c${i}`]]),
      types.map(({ type, value }) => [type, value]),
      `what Weir reads of row ${id}`,
    );
  }
  for (const id of [1, 2]) {
    const questions = types.map(({ show = (column) => column }, i) =>
      `SELECT ${show(`c${i}`)} FROM typed WHERE id = ${id};\nSELECT '${MARK}';\n`
    );
    const texts = (await client(questions.join(""))).split(`\n${MARK}\n`);
    assert.deepEqual(
      types.map(({ type }, i) => [type, texts[i]]),
      types.map(({ type, text }) => [type, text]),
      `what the client reads of row ${id}`,
    );
  }
}
