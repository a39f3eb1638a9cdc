/** The decisions of flows and connectors, with their places in the files. */
import { type Attribute, type Block, type Body, positionOf, type Span } from "../hcl/tree.ts";
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
  const steps = (part: DecisionPart, skip: DecisionPart, of: Block): Decision[] => [
    ...withWhen(part, "step", of),
    ...inner("step", of).flatMap((block, index) => {
      const skips = findAttribute(block, "on_error");
      if (skips?.value !== "skip") return [];
      return [decision(skip, index, skips.nameSpan, `${part} "${labelOf(block)}" on_error`)];
    }),
  ];
  const inner = (kind: string, of: Block = flow) =>
    of.body.blocks.filter(({ type }) => type === kind);
  const decisions = [
    decision("flow", 0, flow.headerSpan, "", false),
    ...inner("from").flatMap((from) => filterSpan(from) ?? [])
      .map((span) => decision("filter", 0, span)),
    ...inner("accept").flatMap((accept) => [
      ...steps("accept step", "accept skip", accept),
      decision("accept", 0, accept.headerSpan),
    ]),
    ...inner("validate").flatMap(({ body }) => body.attributes).map(({ name, nameSpan }) =>
      decision(name === "input" ? "validate.input" : "validate.output", 0, nameSpan)
    ),
    ...steps("step", "skip", flow),
    ...inner("reject").map((block, index) => decision("reject", index, block.headerSpan)),
    ...inner("dedupe").map((block) => decision("dedupe", 0, block.headerSpan)),
    ...withWhen("to", "to", flow),
    ...inner("error_handling").flatMap((handling) => [
      ...inner("fallback", handling).map((block) =>
        decision("fallback", 0, block.headerSpan, "fallback", hasAttribute(block, "when"))
      ),
      ...inner("error_response", handling)
        .map((block, index) => decision("error_response", index, block.headerSpan)),
    ]),
  ];
  return decisions.sort(({ place: a }, { place: b }) => a.line - b.line || a.column - b.column);
}

/** The place of a filter, which is an attribute or a block. */
function filterSpan(from: Block): Span | undefined {
  return findAttribute(from, "filter")?.nameSpan ??
    from.body.blocks.find(({ type }) => type === "filter")?.headerSpan;
}

function hasAttribute(block: Block, wanted: string): boolean {
  return findAttribute(block, wanted) !== undefined;
}

function findAttribute({ body }: Block, wanted: string): Attribute | undefined {
  return body.attributes.find(({ name }) => name === wanted);
}

/** The label of a block; without one, the name of its connector. */
function labelOf(block: Block): string {
  return block.labels[0]?.text ??
    String(findAttribute(block, "connector")?.value ?? "");
}
