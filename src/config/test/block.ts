/** What the blocks of a test have in common: a place, a label, and values that are plain data. */
import * as v from "valibot";
import type { ProblemCode } from "../../base/problem.ts";
import { isObject } from "../../base/json.ts";
import { nameBlocks, type NamedBlock, type ReadContext } from "../../contract/fields.ts";
import { type Places, placesOf } from "../../contract/places.ts";
import type { TestPlace } from "../../model/test.ts";
import { type ValueSchema, valueSchema } from "../../contract/value-schema.ts";
import { type Block, type Body, positionOf } from "../../hcl/tree.ts";

/** What a block was read as, and the block, whose position is the order of steps. */
export interface Placed<T> {
  readonly block: Block;
  readonly value: T;
}

/** The place of a block, for reports. */
export function placeOf({ headerSpan }: Block): TestPlace {
  return positionOf(headerSpan);
}

/** The blocks of one kind with their labels, which several may share. */
export function labelled(body: Body, kind: string, context: ReadContext): readonly NamedBlock[] {
  const { subject, report } = context;
  return body.blocks
    .filter(({ type }) => type === kind)
    .flatMap((block) => nameBlocks([block], kind, `${subject}: `, report));
}

/** The same surroundings for what is inside one block. */
export function within(context: ReadContext, kind: string, label?: string): ReadContext {
  const named = label === undefined ? kind : `${kind} "${label}"`;
  return { ...context, subject: `${context.subject}, ${named}` };
}

/** Reports an attribute, if it is there. */
export function refuse(
  values: object,
  name: string,
  problem: {
    readonly code: ProblemCode;
    readonly message: string;
    readonly hint?: string;
  },
  { subject, report }: ReadContext,
): void {
  const places: Places = placesOf(values);
  if (!places.has(name)) return;
  report({ ...problem, span: places.nameOf(name), message: `${subject} ${problem.message}` });
}

/** Any value. */
export function anything(): ValueSchema<unknown> {
  return valueSchema("any value", v.unknown());
}

/** A list of texts. */
export function texts(): ValueSchema<readonly string[]> {
  const message = "must be a list of texts";
  return valueSchema("list of texts", v.array(v.string(message), message));
}

/** An object of any values. */
export function object(): ValueSchema<Readonly<Record<string, unknown>>> {
  return valueSchema(
    "object",
    v.custom<Readonly<Record<string, unknown>>>(isObject, "must be an object: { name = value }"),
  );
}

/** An object of texts; numbers and booleans become theirs. */
export function textMap(): ValueSchema<Readonly<Record<string, string>>> {
  return valueSchema(
    "object of texts",
    v.pipe(
      v.custom<Readonly<Record<string, unknown>>>(isObject, "must be an object: { name = value }"),
      v.check(
        (all) => Object.values(all).every((one) => isScalar(one)),
        "must have texts as its values",
      ),
      v.transform((all) =>
        Object.fromEntries(Object.entries(all).map(([name, one]) => [name, String(one)]))
      ),
    ),
  );
}

/** An IP address. */
export function address(): ValueSchema<string> {
  const message = "must be an IP address";
  return valueSchema("IP address", v.pipe(v.string(message), v.ip(message)));
}

/** What a frame's `id` may be. */
export function frameId(): ValueSchema<string | number> {
  const message = "must be a whole number or text";
  return valueSchema(
    "number or text",
    v.union([v.string(), v.pipe(v.number(), v.integer())], message),
  );
}

/** Names in lower case, as HTTP compares them. */
export function lowerCase<T>(
  headers: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function isScalar(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}
