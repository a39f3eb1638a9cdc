/** `transform` blocks: those of a flow, and those at the top level that flows `use`. */
import { expressions } from "../../contract/expression-fields.ts";
import type { NamedExpression } from "../../model/mod.ts";
import {
  type Field,
  findBlocks,
  type NamedBlock,
  type ReadContext,
} from "../../contract/fields.ts";
import { Places } from "../../contract/places.ts";
import { findNamed, type Loading } from "../loading.ts";
import type { Attribute, Block } from "../../hcl/tree.ts";

const PREFIX = "transform.";
const HINT = 'write it as use = "transform.NAME"';

/** A block of expressions that may start from a named transform. */
export function transformField(
  about: string,
  loading: Loading,
): Field<readonly NamedExpression[] | undefined> {
  return {
    kind: "block",
    about,
    required: false,
    type: "expressions",
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const inner = { ...context, variables: [...context.variables, "output"] };
      const used = readUse(found, inner, loading);
      return [...used, ...readLines(found, inner)];
    },
  };
}

/** The transforms at the top level. They may use every variable; a flow that uses one must have them. */
export function readTransforms(
  blocks: readonly NamedBlock[],
  { env, now, randomBytes, constants, report }: Pick<
    Loading,
    "env" | "now" | "randomBytes" | "constants" | "report"
  >,
): ReadonlyMap<string, readonly NamedExpression[]> {
  const variables = ["input", "output", "step", "client", "constants", "error"];
  return new Map(blocks.map(([name, block]) => {
    const subject = `transform "${name}"`;
    const use = new Places(block.body, block.headerSpan).attribute("use");
    if (use !== undefined) {
      const hint = "a flow's own transform can use one";
      const message = `${subject} cannot use another transform`;
      report({ code: "nested-transform", span: use.nameSpan, message, hint });
    }
    return [
      name,
      readLines(block, { subject, variables, env, now, randomBytes, constants, report }),
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
  return name !== "use";
}

/** Without labels: a named transform has been asked for its name already. */
function withAttributes(block: Block, attributes: readonly Attribute[]): Block {
  return { ...block, labels: [], body: { ...block.body, attributes } };
}
