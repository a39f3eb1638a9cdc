/** The values of a write: whether its table can take one of those that a field can have. */
import type { KnownValue } from "../../../base/known-value.ts";
import { quoted, shown } from "../../../base/shown.ts";
import type { NamedField } from "../../../contract/probe.ts";
import type { Details, Refusal } from "../driver.ts";
import type { Insertion } from "./inserted.ts";
import type { DatabaseRequest, FoundProblem } from "./request.ts";
import { samplesOf, wordsOf } from "./samples.ts";

/** A column that a field of a request is written to. */
export interface WrittenColumn {
  readonly table: string;
  readonly column: string;
  /** What says so. */
  readonly attribute: "target" | "query";
  /** Whether it is NOT NULL. */
  readonly needsValue: boolean;
  /** Whether it has a value where a row has none. */
  readonly hasDefault: boolean;
}

/** The problem of a field of whose values none can be stored; undefined where one may be. */
export function wrongValue(
  { name, values }: NamedField,
  { table, column: written, attribute, needsValue, hasDefault }: WrittenColumn,
  details: Details,
): FoundProblem | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const column = `column ${quoted(written)} of table ${quoted(table)}`;
  const place = { code: "refused-value", attribute, field: name, atValue: true } as const;
  const samples = values.flatMap(samplesOf);
  const others = samples.filter((value) => value !== null && value !== undefined);
  if (others.length < samples.length && !needsValue) return undefined;
  if (others.length === 0) {
    return {
      ...place,
      message: `cannot write null to ${column}, which is NOT NULL`,
      hint: hasDefault ? "leave it out: the column has a default" : "write a value",
    };
  }
  const refusals: Refusal[] = [];
  for (const value of others) {
    const refusal = details.refusal(table, written, value);
    if (refusal === undefined) return undefined;
    refusals.push(refusal);
  }
  const [{ reason, hint }] = refusals;
  return {
    ...place,
    message: `cannot write to ${column}: its value is ${listOf(values)}, which ${reason}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function listOf(values: readonly KnownValue[]): string {
  return [...new Set(values.map(inWords))].join(" or ");
}

function inWords(known: KnownValue): string {
  if ("kind" in known) return wordsOf(known.kind);
  const { value } = known;
  if (typeof value === "string") return quoted(value);
  return shown(typeof value === "object" ? JSON.stringify(value) : value);
}

/** The problems of the parameters of a query that are all that a column gets. */
export function wrongParameters(
  { named, options: { params = {} } }: DatabaseRequest,
  { table, values }: Insertion,
  details: Details,
): readonly FoundProblem[] {
  const [notNull, required] = [details.notNull(table), details.required(table)];
  return values.flatMap(({ parameter, column }) => {
    // What the `params` of a `to` say comes before the payload.
    const field = Object.hasOwn(params, parameter)
      ? undefined
      : named.find(({ name }) => name === parameter);
    if (field === undefined) return [];
    const needsValue = notNull.includes(column);
    const hasDefault = needsValue && !required.includes(column);
    const written = { table, column, attribute: "query" as const, needsValue, hasDefault };
    return wrongValue(field, written, details) ?? [];
  });
}
