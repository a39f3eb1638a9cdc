/** Warns of fields that a flow's expressions read, and that no event can have. */
import { didYouMean } from "../../base/nearest.ts";
import type { Expression } from "../../expression/mod.ts";
import type { Body, Span } from "../../hcl/tree.ts";
import { type PlacedFlow, placeOfPath, type Surroundings } from "./flow.ts";
import { inputOf, type Known, payloadOf } from "./targets.ts";

/**
 * Warns of each such field behind `input` after the types, behind `payload` in a `to`, and behind
 * `output` in a transform. Targets and responses have warnings of their own.
 */
export function warnOfFields(flow: PlacedFlow, surroundings: Surroundings): void {
  const { model: { name, transform }, expressions, requests } = flow;
  const input = inputOf(flow, surroundings.connectors);
  const payload = payloadOf(flow, "to");
  const lines = transform?.lines ?? [];
  const targets = requests.map(({ places }) => places.of("target"));
  const told = new Set<string>();
  for (const { expression, span } of expressions) {
    if (isShared(span) || targets.some((target) => isSame(target, span))) continue;
    const line = lines.findIndex(([, made]) => made === expression);
    const above = lines.slice(0, Math.max(0, line)).map(([made]) => made);
    const isLate = !isBeforeTypes(span, flow) && !isWithin(span, flow, "error_handling");
    const known: Readonly<Record<string, Known | undefined>> = {
      input: isLate ? input : undefined,
      payload: isLate && isWithin(span, flow, "to") ? payload : undefined,
      output: line < 0 || transform?.extend
        ? undefined
        : { fields: new Set(above), lack: "no line above makes" },
    };
    for (const [variable, field] of fieldsIn(expression)) {
      const found = Object.hasOwn(known, variable) ? known[variable] : undefined;
      const path = `${variable}.${field}`;
      if (found === undefined || found.fields.has(field) || told.has(`${span.start} ${path}`)) {
        continue;
      }
      told.add(`${span.start} ${path}`);
      surroundings.report({
        code: "always-null",
        span: placeOfPath(span, [variable, field]),
        message: `flow "${name}": ${path} is always null here, since ${found.lack} it`,
        hint: didYouMean(field, found.fields) ?? hintOf(found),
        severity: "warning",
      });
    }
  }
}

function hintOf({ fields }: Known): string | undefined {
  return fields.size === 0 ? undefined : `there is ${[...fields].join(", ")}`;
}

/** The first two parts of each path, such as `input` and `text`. */
function fieldsIn({ paths }: Expression): readonly (readonly [string, string])[] {
  return [...paths].map((path) => path.split("."))
    .flatMap(([variable, field]) => field === undefined ? [] : [[variable, field] as const]);
}

/** Whether it is a line of a transform at the top level, which other flows use as well. */
function isShared({ file, start }: Span): boolean {
  return file.text.startsWith('"transform.', start);
}

/** What comes before the types may ask for a field to leave the event out, or to refuse it. */
function isBeforeTypes(span: Span, flow: PlacedFlow): boolean {
  return isWithin(span, flow, "from") || isWithin(span, flow, "accept");
}

/** Whether a place is in one of the flow's blocks of a kind. */
function isWithin(span: Span, { blocks }: PlacedFlow, kind: string): boolean {
  return blocks.some(({ type, body }) => type === kind && contains(body, span));
}

function contains({ span: { file, start, end } }: Body, span: Span): boolean {
  return file === span.file && start <= span.start && span.end <= end;
}

function isSame(a: Span, b: Span): boolean {
  return a.file === b.file && a.start === b.start;
}
