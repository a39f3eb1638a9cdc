/** The fields of a request's payload that the configuration names. */
import type { KnownValue } from "../../base/known-value.ts";
import type { NamedField } from "../../contract/probe.ts";
import { type Expression, resultsOf } from "../../expression/mod.ts";
import type { ConnectorModel, NamedExpression } from "../../model/mod.ts";
import type { DataType } from "../../type/mod.ts";
import type { PlacedFlow, PlacedRequest } from "../warnings/flow.ts";
import { metadataOf } from "../warnings/targets.ts";

type Connectors = ReadonlyMap<string, ConnectorModel>;

/** What is known of a path such as `input.text`; undefined where it may be anything. */
type Known = (path: string) => readonly KnownValue[] | undefined;

/**
 * The fields that the `params`, transforms and types of a request name. An event may add others, unless
 * `fieldsOf` knows all of them.
 */
export function namedFields(
  placed: PlacedRequest,
  flow: PlacedFlow | undefined,
  connectors: Connectors,
): readonly NamedField[] {
  const { kind, request: { params, transform, each } } = placed;
  const known = knownInput(placed, flow, connectors);
  if (params !== undefined) return linesOf(Object.entries(params), known);
  if (flow === undefined) return [];
  const { validate: { input, output }, transform: shared } = flow.model;
  // What comes before the types has the same names, and any values.
  const received = isChecked(placed, flow) ? fieldsOf(input) : namesOf(input);
  if (kind === "step") return received;
  // An item of a list and what a fallback gets may be anything.
  const isOpen = each !== undefined || kind === "fallback";
  const payload = isOpen || (transform !== undefined && !transform.extend) ? [] : unique(
    shared === undefined
      ? output === undefined ? received : fieldsOf(output)
      // The type sees what the transform makes, and may fill in a default.
      : [
        ...shared.extend ? received : [],
        ...linesOf(shared.lines, known),
        ...fieldsOf(output),
      ],
  );
  return unique([...payload, ...linesOf(transform?.lines ?? [], known)]);
}

/** Whether the types have seen what a request gets. */
function isChecked({ kind, request }: PlacedRequest, { model }: PlacedFlow): boolean {
  const early = model.accept?.steps ?? [];
  return kind !== "fallback" && early.every(({ options }) => options !== request.options);
}

/** What is known of the fields of `input`: those that its type has, and its source does not add. */
function knownInput(
  placed: PlacedRequest,
  flow: PlacedFlow | undefined,
  connectors: Connectors,
): Known {
  const type = flow?.model.validate.input;
  const metadata = flow && metadataOf(flow, connectors);
  if (flow === undefined || metadata === undefined || !isChecked(placed, flow)) {
    return () => undefined;
  }
  return (path) => {
    const [variable, field, ...rest] = path.split(".");
    const isOfType = variable === "input" && rest.length === 0 && !metadata.includes(field);
    return isOfType ? type?.known.get(field) : undefined;
  };
}

function namesOf(type: DataType | undefined): readonly NamedField[] {
  return [...type?.fields ?? []].map((name) => ({ name }));
}

function fieldsOf(type: DataType | undefined): readonly NamedField[] {
  return namesOf(type).map(({ name }) => field(name, type?.known.get(name)));
}

/** The last of those with the same name. */
function unique(fields: readonly NamedField[]): readonly NamedField[] {
  return [...new Map(fields.map((field) => [field.name, field])).values()];
}

function linesOf(lines: readonly NamedExpression[], known: Known): readonly NamedField[] {
  return lines.map(([name, line]) => field(name, valuesOf(line, known)));
}

function field(name: string, values: readonly KnownValue[] | undefined): NamedField {
  return values === undefined ? { name } : { name, values };
}

/** The functions that have another result for another event, or on another machine. */
const CHANGING = /\b(?:env|now|now_unix|uuid|random)\s*\(/;

function valuesOf(line: Expression, known: Known): readonly KnownValue[] | undefined {
  // Constants may be made of the environment of a server, which is another one.
  if (line.variables.size > 0 || CHANGING.test(line.source)) return resultsOf(line, known);
  try {
    return [{ value: line.evaluate({}) }];
  } catch {
    // It fails for every event, which the flow's errors will tell.
    return undefined;
  }
}
