/** The fields of a request's payload that the configuration names. */
import type { NamedField } from "../../contract/probe.ts";
import type { NamedExpression } from "../../model/mod.ts";
import type { PlacedFlow, PlacedRequest } from "../warnings/flow.ts";

/**
 * The fields that the `params`, transforms and types of a request name. An event may add others, unless
 * `fieldsOf` knows all of them.
 */
export function namedFields(
  { kind, request }: PlacedRequest,
  flow: PlacedFlow | undefined,
): readonly NamedField[] {
  const { params, transform, each } = request;
  const read = (lines: readonly NamedExpression[]) => lines.map(fieldOf);
  if (params !== undefined) return read(Object.entries(params));
  if (flow === undefined) return [];
  const { validate, transform: shared } = flow.model;
  const [input, output] = [validate.input, validate.output].map((type) =>
    [...type?.fields ?? []].map((name) => ({ name }))
  );
  if (kind === "step") return input;
  const own = read(transform?.lines ?? []);
  // An item of a list and what a fallback gets may be anything.
  const isOpen = each !== undefined || kind === "fallback";
  if (isOpen || (transform !== undefined && !transform.extend)) return unique(own);
  if (shared === undefined) {
    return unique([...validate.output === undefined ? input : output, ...own]);
  }
  return unique([...shared.extend ? input : [], ...output, ...read(shared.lines), ...own]);
}

/** The last of those with the same name. */
function unique(fields: readonly NamedField[]): readonly NamedField[] {
  return [...new Map(fields.map((field) => [field.name, field])).values()];
}

function fieldOf([name, line]: NamedExpression): NamedField {
  // The environment of a server is another one, and constants may be made of it.
  if (line.variables.size > 0 || /\benv\s*\(/.test(line.source)) return { name };
  try {
    return { name, constant: { value: line.evaluate({}) } };
  } catch {
    // It fails for every event, which the flow's errors will tell.
    return { name };
  }
}
