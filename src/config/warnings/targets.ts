/** Warns of targets that read a field which no type and no transform before them has. */
import { didYouMean } from "../../base/nearest.ts";
import type { TransformModel } from "../../model/mod.ts";
import type { DataType } from "../../type/mod.ts";
import { type PlacedFlow, type PlacedRequest, placeOfPath, type Surroundings } from "./flow.ts";

/** The fields that a variable can have, and their origin. */
export interface Known {
  readonly fields: ReadonlySet<string>;
  /** Such as `type "order" does not have`. */
  readonly lack: string;
}

/** Warns of each field that a target reads from `input`, `payload` or `output` and that can never be there. */
export function warnOfTargets(
  flow: PlacedFlow,
  { connectors, report }: Pick<Surroundings, "connectors" | "report">,
): void {
  for (const { kind, subject, request, places } of flow.requests) {
    const { target } = request;
    if (target === undefined || typeof target === "string") continue;
    const payload = payloadOf(flow, kind);
    const known: Readonly<Record<string, Known | undefined>> = {
      input: inputOf(flow, connectors),
      payload,
      output: outputOf(payload, request),
    };
    const read = new Set([...target.paths].map((path) => path.split(".", 2).join(".")));
    for (const path of read) {
      const [variable, field] = path.split(".");
      const found = Object.hasOwn(known, variable) ? known[variable] : undefined;
      if (field === undefined || found === undefined || found.fields.has(field)) continue;
      report({
        code: "unknown-target-field",
        span: placeOfPath(places.of("target"), [variable, field]),
        message: `${subject}: its target reads ${path}, which ${found.lack}`,
        hint: didYouMean(field, found.fields) ?? "it is always null, which cannot be a target",
        severity: "warning",
      });
    }
  }
}

/** What is known of `input`: nothing without a closed type, or where its source tells nothing. */
export function inputOf(
  flow: PlacedFlow,
  connectors: Surroundings["connectors"],
): Known | undefined {
  const { validate } = flow.model;
  const metadata = metadataOf(flow, connectors);
  const fields = closed(validate.input);
  if (validate.input === undefined || fields === undefined || metadata === undefined) {
    return undefined;
  }
  return { fields: new Set([...fields, ...metadata]), lack: lackOf(validate.input) };
}

/** The fields that a source adds to `input`; undefined where it tells nothing. */
export function metadataOf(
  { model: { source } }: PlacedFlow,
  connectors: Surroundings["connectors"],
): readonly string[] | undefined {
  return source.kind === "schedule"
    ? ["scheduled_at"]
    : connectors.get(source.connector)?.definition.source?.metadata;
}

const UNMADE = "the transform does not make";

/** The names of all fields that a request's payload can have; undefined where an event decides. */
export function fieldsOf(
  { kind, request, sent }: PlacedRequest,
  flow: PlacedFlow | undefined,
): readonly string[] | undefined {
  const { params } = request;
  if (params !== undefined) return Object.keys(params);
  if (flow === undefined) return sent;
  const fields = kind === "step"
    ? closed(flow.model.validate.input)
    : outputOf(payloadOf(flow, kind), request)?.fields;
  return fields && [...fields];
}

/** What is known of `output`: the lines of the destination's own transform, else the payload. */
function outputOf(
  payload: Known | undefined,
  { transform, each, includeError }: PlacedRequest["request"],
): Known | undefined {
  const base = each === undefined ? payload?.fields : undefined;
  if (transform === undefined) return base && payload;
  if (transform.extend && base === undefined) return undefined;
  const names = [
    ...(transform.extend ? base ?? [] : []),
    ...linesOf(transform),
    ...(includeError ? ["error"] : []),
  ];
  return { fields: new Set(names), lack: UNMADE };
}

/** What is known of `payload`: the lines of the flow's transform, else the fields of a closed type. */
export function payloadOf(
  { model: { transform, validate } }: PlacedFlow,
  kind: PlacedRequest["kind"],
): Known | undefined {
  // A fallback may get what failed before the transform and the types.
  if (kind === "fallback") return undefined;
  // A type may fill in defaults.
  const more = validate.output?.fields ?? [];
  if (transform !== undefined) {
    const before = transform.extend ? closed(validate.input) : [];
    const fields = before && new Set([...before, ...linesOf(transform), ...more]);
    return fields && { fields, lack: UNMADE };
  }
  const type = validate.output ?? validate.input;
  const fields = closed(type);
  return type && fields && { fields, lack: lackOf(type) };
}

function linesOf({ lines }: TransformModel): readonly string[] {
  return lines.map(([name]) => name);
}

function closed(type: DataType | undefined): ReadonlySet<string> | undefined {
  return type?.additional === false ? type.fields : undefined;
}

function lackOf({ name }: DataType): string {
  return `type "${name}" does not have`;
}
