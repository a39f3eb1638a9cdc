/** The values of a write: whether its table can take one of those that a field can have. */
import type { KnownValue } from "../../../base/known-value.ts";
import { quoted, shown } from "../../../base/shown.ts";
import type { NamedField } from "../../../contract/probe.ts";
import type { Details, Refusal } from "../driver.ts";
import type { FoundProblem } from "./request.ts";
import { samplesOf, wordsOf } from "./samples.ts";

/** A column that a field of a request is written to. */
export interface WrittenColumn {
  readonly table: string;
  /** Whether it is NOT NULL. */
  readonly needsValue: boolean;
  /** Whether it has a value where a row has none. */
  readonly hasDefault: boolean;
}

/** The problem of a field of whose values none can be stored; undefined where one may be. */
export function wrongValue(
  { name, values }: NamedField,
  { table, needsValue, hasDefault }: WrittenColumn,
  details: Details,
): FoundProblem | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const column = `column ${quoted(name)} of table ${quoted(table)}`;
  const place = { code: "refused-value", attribute: "target", field: name, atValue: true } as const;
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
    const refusal = details.refusal(table, name, value);
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
