/** The decisions of flows and connectors, with their places in the files. */
import { type Block, type Body, positionOf, type Span } from "../hcl/tree.ts";
import type { ConnectorModel } from "../model/mod.ts";
import type { Decision, DecisionPart } from "../model/decision.ts";

/** All decisions of a configuration without problems, in the order written. */
export function decisionsOf(
  { blocks }: Body,
  connectors: ReadonlyMap<string, ConnectorModel>,
): readonly Decision[] {
  return blocks.flatMap((block): readonly Decision[] => {
    const name = block.labels[0]?.text ?? "";
    if (block.type === "flow") return flowDecisions(name, block);
    const model = block.type === "connector" ? connectors.get(name) : undefined;
    return model === undefined ? [] : ruleDecisions(model, block);
  });
}

function ruleDecisions({ name, definition }: ConnectorModel, { body }: Block): Decision[] {
  const { rules } = definition;
  if (rules === undefined) return [];
  return body.blocks.filter(({ type }) => type === rules.block).map((block) => {
    const key = block.labels[0]?.text ?? "";
    const subject = `connector "${name}", ${rules.block} "${key}"`;
    const conditional = hasAttribute(block, rules.condition);
    const place = positionOf(block.headerSpan);
    return { owner: name, part: "rule", key, subject, conditional, place };
  });
}

function flowDecisions(name: string, flow: Block): Decision[] {
  const decision = (
    part: DecisionPart,
    key: number,
    span: Span,
    words: string = part,
    conditional = true,
  ): Decision => {
    const subject = `flow "${name}"${words === "" ? "" : `, ${words}`}`;
    return { owner: name, part, key, subject, conditional, place: positionOf(span) };
  };
  /** The blocks of a kind that have a `when`, with their position among all of the kind. */
  const withWhen = (part: DecisionPart, kind: string, { body }: Block): Decision[] =>
    body.blocks.filter(({ type }) => type === kind).flatMap((block, index) =>
      hasAttribute(block, "when")
        ? [decision(part, index, block.headerSpan, `${part} "${labelOf(block)}"`)]
        : []
    );
  const inner = (kind: string, of: Block = flow) =>
    of.body.blocks.filter(({ type }) => type === kind);
  return [
    decision("flow", 0, flow.headerSpan, "", false),
    ...inner("from").flatMap((from) => filterSpan(from) ?? [])
      .map((span) => decision("filter", 0, span)),
    ...inner("accept").flatMap((accept) => [
      ...withWhen("accept step", "step", accept),
      decision("accept", 0, accept.headerSpan),
    ]),
    ...inner("validate").flatMap(({ body }) => body.attributes).map(({ name, nameSpan }) =>
      decision(name === "input" ? "validate.input" : "validate.output", 0, nameSpan)
    ),
    ...withWhen("step", "step", flow),
    ...inner("reject").map((block, index) => decision("reject", index, block.headerSpan)),
    ...withWhen("to", "to", flow),
    ...inner("error_handling").flatMap((handling) => [
      ...inner("fallback", handling).map((block) => decision("fallback", 0, block.headerSpan)),
      ...inner("error_response", handling)
        .map((block, index) => decision("error_response", index, block.headerSpan)),
    ]),
  ];
}

/** The place of a filter, which is an attribute or a block. */
function filterSpan({ body }: Block): Span | undefined {
  return body.attributes.find(({ name }) => name === "filter")?.nameSpan ??
    body.blocks.find(({ type }) => type === "filter")?.headerSpan;
}

function hasAttribute({ body }: Block, wanted: string): boolean {
  return body.attributes.some(({ name }) => name === wanted);
}

/** The label of a block; without one, the name of its connector. */
function labelOf({ labels, body }: Block): string {
  return labels[0]?.text ??
    String(body.attributes.find(({ name }) => name === "connector")?.value ?? "");
}
