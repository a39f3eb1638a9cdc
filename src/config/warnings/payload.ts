/** Warns of a transform that nothing uses, and of what a `response` reads of the payload in vain. */
import { didYouMean } from "../../base/nearest.ts";
import type { FlowModel } from "../../model/mod.ts";
import { type PlacedFlow, placeOfPath, type Surroundings } from "./flow.ts";
import { payloadOf } from "./targets.ts";

/** Warns of a flow's transform where no other part of the flow reads what it makes. */
export function warnOfTransform(
  { model, places }: PlacedFlow,
  { report }: Pick<Surroundings, "report">,
): void {
  const transform = places.block("transform");
  if (transform === undefined || readsPayload(model)) return;
  report({
    code: "unused-transform",
    span: transform.headerSpan,
    message: `flow "${model.name}": nothing uses what its transform makes`,
    hint: 'add a "to" block, or a response that reads output',
    severity: "warning",
  });
}

function readsPayload({ to, validate, dedupe, response = [], errorHandling }: FlowModel): boolean {
  return to.length > 0 || validate.output !== undefined || errorHandling.fallback !== undefined ||
    dedupe?.key.variables.has("output") === true ||
    response.some(([, { variables }]) => variables.has("output") || variables.has("payload"));
}

/** Warns of each field that a `response` reads of the payload and that can never be there. */
export function warnOfResponse(
  flow: PlacedFlow,
  { report }: Pick<Surroundings, "report">,
): void {
  const { model: { name, to, response = [] }, expressions } = flow;
  const payload = payloadOf(flow, "to");
  if (payload === undefined) return;
  // With a destination, `output` is its result.
  const variables = to.length === 0 ? ["payload", "output"] : ["payload"];
  for (const [index, [, line]] of response.entries()) {
    const span = expressions.find(({ expression }) => expression === line)?.span;
    if (span === undefined) continue;
    const above = response.slice(0, index).map(([name]) => name);
    for (const path of new Set([...line.paths].map((path) => path.split(".", 2).join(".")))) {
      const [variable, field] = path.split(".");
      if (!variables.includes(variable) || field === undefined || payload.fields.has(field)) {
        continue;
      }
      const hint = above.includes(field)
        ? `${variable} does not contain the lines of the response`
        : didYouMean(field, payload.fields);
      report({
        code: "always-null",
        span: placeOfPath(span, [variable, field]),
        message: `flow "${name}", response: ${path} is always null here, since ${payload.lack} it`,
        hint,
        severity: "warning",
      });
    }
  }
}
