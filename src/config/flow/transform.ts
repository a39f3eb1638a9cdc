/** `transform` blocks: those of a flow, and those at the top level that flows `use`. */
import { expressions, placeOf } from "../../contract/expression-fields.ts";
import type { NamedExpression, TransformModel } from "../../model/mod.ts";
import {
  attribute,
  type Field,
  findBlocks,
  type NamedBlock,
  type ReadContext,
} from "../../contract/fields.ts";
import { Places } from "../../contract/places.ts";
import { flag } from "../../contract/value-schema.ts";
import { findNamed, type Loading } from "../loading.ts";
import type { Attribute, Block } from "../../hcl/tree.ts";

const PREFIX = "transform.";
const HINT = 'write it as use = "transform.NAME"';

/** Whether the lines are added to the payload. */
const extendField = attribute(flag(), {
  about: "Adds the lines to the payload, instead of replacing it.",
  default: false,
});

/** The attributes of a `transform` block that are no lines. */
const WORDS = ["use", "extend"];

/** A block of expressions that may start from a named transform, and may extend the payload. */
export function transformField(
  about: string,
  loading: Loading,
): Field<TransformModel | undefined> {
  return {
    kind: "block",
    about,
    required: false,
    type: "expressions",
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const inner = { ...context, variables: [...context.variables, "output"] };
      const subject = `${context.subject}, ${name}`;
      const lines = [...readUse(found, inner, loading), ...readLines(found, inner)];
      const { body: own, headerSpan } = found;
      const extend = extendField.read(own, "extend", headerSpan, { ...context, subject });
      return { lines, extend, place: placeOf(headerSpan, context.subject, name) };
    },
  };
}

/** Those that a flow can have in some place. */
const VARIABLES = [
  ...["input", "output", "outputs", "payload", "results", "item", "index"],
  ...["step", "client", "match", "constants", "error"],
];

/** The transforms at the top level. They may use every variable; a flow that uses one must have them. */
export function readTransforms(
  blocks: readonly NamedBlock[],
  { env, now, randomBytes, constants, report }: Pick<
    Loading,
    "env" | "now" | "randomBytes" | "constants" | "report"
  >,
): ReadonlyMap<string, readonly NamedExpression[]> {
  return new Map(blocks.map(([name, block]) => {
    const subject = `transform "${name}"`;
    const places = new Places(block.body, block.headerSpan);
    const use = places.attribute("use");
    if (use !== undefined) {
      const hint = "a flow's own transform can use one";
      const message = `${subject} cannot use another transform`;
      report({ code: "nested-transform", span: use.nameSpan, message, hint });
    }
    if (places.has("extend")) {
      const hint = "the transform block of a flow or a destination that uses it can say so";
      const message = `${subject} has no attribute "extend": it has no payload to add to`;
      report({ code: "unknown-attribute", span: places.nameOf("extend"), message, hint });
    }
    return [
      name,
      readLines(block, { subject, variables: VARIABLES, env, now, randomBytes, constants, report }),
    ];
  }));
}

function readUse(
  { body, headerSpan }: Block,
  { subject, variables, onExpression, report }: ReadContext,
  loading: Loading,
): readonly NamedExpression[] {
  const use = new Places(body, headerSpan).attribute("use");
  if (use === undefined || use.failed) return [];
  const { value, valueSpan: span } = use;
  if (typeof value !== "string" || !value.startsWith(PREFIX)) {
    const message = `${subject}, transform: use must name a transform`;
    report({ code: "invalid-value", span, message, hint: HINT });
    return [];
  }
  const name = value.slice(PREFIX.length);
  const place = { span, subject: `${subject}, transform` };
  const lines = findNamed("transform", name, loading.transforms, place, loading) ?? [];
  const used = new Set(lines.flatMap(([, line]) => [...line.variables]));
  for (const variable of used) {
    if (variables.includes(variable)) continue;
    const message = `${subject}: transform "${name}" uses the variable "${variable}", ` +
      "which does not exist here";
    report({ code: "unknown-variable", span, message });
  }
  for (const [, line] of lines) onExpression?.(line, span);
  return lines;
}

function readLines(block: Block, context: ReadContext): readonly NamedExpression[] {
  const attributes = block.body.attributes.filter(isLine);
  const body = { ...block.body, attributes: [], blocks: [withAttributes(block, attributes)] };
  return expressions({ about: "" }).read(body, block.type, block.headerSpan, context) ?? [];
}

function isLine({ name }: Attribute): boolean {
  return !WORDS.includes(name);
}

/** Without labels: a named transform has been asked for its name already. */
function withAttributes(block: Block, attributes: readonly Attribute[]): Block {
  return { ...block, labels: [], body: { ...block.body, attributes } };
}
