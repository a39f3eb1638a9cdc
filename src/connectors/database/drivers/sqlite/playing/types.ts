/** The declared types of columns, as the database that is played would know them. */
import type { Syntax } from "../../../driver.ts";

/** What a column holds. */
export type Kind =
  | { readonly name: "boolean" | "integer" | "double" | "json" | "bytes" | "date" | "text" }
  /** `digits` after the decimal point; undefined for as many as a value has. */
  | { readonly name: "numeric"; readonly digits: number | undefined }
  /** `digits` of a second are kept, and `shown` of them are shown: three or six where undefined. */
  | { readonly name: "timestamp"; readonly digits: number; readonly shown: number | undefined }
  | { readonly name: "list"; readonly of: Kind };

const POSTGRES: Readonly<Record<string, Exclude<Kind["name"], "list">>> = {
  ...names("boolean", "bool boolean"),
  ...names("integer", "smallint int2 integer int int4 bigint int8"),
  ...names("double", "real float4 float float8 double"),
  ...names("numeric", "numeric decimal"),
  ...names("json", "json jsonb"),
  ...names("bytes", "bytea"),
  ...names("timestamp", "timestamptz timestamp"),
  ...names("date", "date"),
};

const MYSQL: typeof POSTGRES = {
  ...names("integer", "tinyint smallint mediumint int integer bigint bool boolean year"),
  ...names("double", "float double real"),
  ...names("numeric", "decimal numeric dec fixed"),
  ...names("json", "json"),
  ...names("bytes", "binary varbinary tinyblob blob mediumblob longblob"),
  ...names("timestamp", "timestamp datetime"),
  ...names("date", "date"),
};

/** What a column of a declared type holds; undefined for a column that is computed. */
export function kindOf(declared: string | null, syntax: Syntax): Kind | undefined {
  if (declared === null || declared === "") return undefined;
  const type = declared.toLowerCase();
  const bracket = type.indexOf("[");
  if (bracket > 0 && syntax === "postgres") {
    return { name: "list", of: kindOf(type.slice(0, bracket), syntax) ?? { name: "text" } };
  }
  const [, word = "", , digits] = /^(\w+)[^(]*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?/.exec(type) ??
    [];
  const table = syntax === "mysql" ? MYSQL : POSTGRES;
  const name = Object.hasOwn(table, word) ? table[word] : "text";
  const first = /\(\s*(\d+)/.exec(type)?.[1];
  if (name === "numeric") {
    // MySQL takes DECIMAL for DECIMAL(10, 0), PostgreSQL for any number of digits.
    const most = digits ?? (first !== undefined || syntax === "mysql" ? 0 : undefined);
    return { name, digits: most === undefined ? undefined : Number(most) };
  }
  if (name === "timestamp") {
    const digits = Number(first ?? (syntax === "mysql" ? 0 : 6));
    // MySQL shows as many as the column has.
    return { name, digits, shown: syntax === "mysql" ? Math.max(3, digits) : undefined };
  }
  return { name };
}

function names<N extends string>(kind: N, types: string): Readonly<Record<string, N>> {
  return Object.fromEntries(types.split(" ").map((type) => [type, kind]));
}
