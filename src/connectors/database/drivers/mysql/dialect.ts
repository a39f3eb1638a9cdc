/** How SQL is written for MySQL and MariaDB. */
import type { Dialect } from "../../driver.ts";
import { inSchema } from "../../statements.ts";
import { RefusedError } from "./errors.ts";
import { toBound } from "./values.ts";

/**
 * Around the number of a value in a text that is prepared. The server's own `?` could not be told from
 * one in a string or a comment, and would not say which value it takes. No statement can have this
 * character.
 */
const MARK = "\0";

/** A text between its placeholders, and the values that these take, by their index. */
export interface Template {
  /** One more than there are `positions`. */
  readonly pieces: readonly string[];
  readonly positions: readonly number[];
}

/** Quotes a name. */
export function quoteName(name: string): string {
  if (name.includes(MARK)) {
    throw new RefusedError(`the name ${JSON.stringify(name)} has a NUL character`);
  }
  return `\`${name.replaceAll("`", "``")}\``;
}

/** The dialect. MariaDB returns the rows of an INSERT and a DELETE; the driver reads the others back. */
export const dialect: Dialect = {
  syntax: "mysql",
  quoteName,
  quoteTable: inSchema(quoteName),
  placeholder: (position) => `${MARK}${position}${MARK}`,
  defaultRow: "() VALUES ()",
  // The driver says itself whether a statement returns its rows.
  returning: "",
  // A key of InnoDB holds 3072 bytes, and that of a row two of these. Bytes are compared as they are: with
  // the case, the accents and the spaces at the end of a text.
  keyType: "VARBINARY(1536)",
  // TEXT ends at 64 KB.
  longTextType: "LONGTEXT CHARACTER SET utf8mb4",
  indexInTable: true,
  upsert(_keys, set) {
    const assignments = set.map((column) => `${quoteName(column)} = VALUES(${quoteName(column)})`);
    return ` ON DUPLICATE KEY UPDATE ${assignments.join(", ")}`;
  },
  bind: toBound,
};

/**
 * Splits a text at its placeholders.
 *
 * @throws {RefusedError} It has a NUL character of its own.
 */
export function splitTemplate(sql: string): Template {
  const parts = sql.split(MARK);
  const pieces = parts.filter((_, index) => index % 2 === 0);
  const positions = parts.filter((_, index) => index % 2 === 1).map((text) => Number(text) - 1);
  const valid = parts.length % 2 === 1 && positions.every((n) => Number.isInteger(n) && n >= 0);
  if (!valid) throw new RefusedError("the SQL has a NUL character");
  return { pieces, positions };
}
