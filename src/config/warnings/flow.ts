/** A flow that has been read, with the places that its model does not keep. */
import type { Expression } from "../../expression/mod.ts";
import type {
  ConnectorModel,
  EachModel,
  FlowModel,
  RequestModel,
  StepModel,
} from "../../model/mod.ts";
import type { Places } from "../../contract/places.ts";
import type { Block, Report, Span } from "../../hcl/tree.ts";

/** A flow without errors. */
export interface PlacedFlow {
  readonly model: FlowModel;
  /** Every expression of it, and the place of its attribute's value. */
  readonly expressions: readonly PlacedExpression[];
  /** Every `step`, `to` and `fallback`, in the order in which they run. */
  readonly requests: readonly PlacedRequest[];
  /** The places of its attributes and blocks. */
  readonly places: Places;
  /** Its blocks, in the order written. */
  readonly blocks: readonly Block[];
}

/** A connector without errors. */
export interface PlacedConnector {
  readonly model: ConnectorModel;
  /** Every expression of it, and the place of its attribute's value. */
  readonly expressions: readonly PlacedExpression[];
}

/** An expression and the value that it was compiled from. */
export interface PlacedExpression {
  readonly expression: Expression;
  readonly span: Span;
}

/** What flows are looked at with. */
export interface Surroundings {
  /** Those without errors, by name. */
  readonly connectors: ReadonlyMap<string, ConnectorModel>;
  /** The name of the connector that links the instances of the service; undefined for none. */
  readonly backplane: string | undefined;
  readonly constants: Readonly<Record<string, unknown>>;
  readonly report: Report;
}

/** One block of a flow or of a connector that asks a connector for something. */
export interface PlacedRequest {
  readonly kind: "step" | "to" | "fallback";
  /** The block in words, such as `flow "say", to`. */
  readonly subject: string;
  readonly request: RequestModel & {
    readonly transform?: FlowModel["transform"];
    readonly each?: EachModel | undefined;
    readonly atomic?: boolean;
    readonly includeError?: boolean;
    /** What a step sends instead of the payload. */
    readonly params?: StepModel["params"];
  };
  /** The names that a connector's step sends without `params`, if they are known. */
  readonly sent?: readonly string[] | undefined;
  readonly places: Places;
}

/** Where an expression's text selects `input.room`; all of it where it is written otherwise. */
export function placeOfPath(span: Span, names: readonly string[]): Span {
  if (!names.every((name) => /^\w+$/.test(name))) return span;
  const text = span.file.text.slice(span.start, span.end);
  const found = new RegExp(`(?<![\\w.])${names.join("\\s*\\.\\s*")}(?!\\w)`).exec(text);
  if (found === null) return span;
  const start = span.start + found.index;
  return { ...span, start, end: start + found[0].length };
}

/**
 * What a request's target is for every event: "" where it has none, undefined where the event
 * decides.
 */
export function constantTarget(
  { target = "" }: RequestModel,
  constants: Surroundings["constants"],
): string | undefined {
  if (typeof target === "string") return target;
  if ([...target.variables].some((variable) => variable !== "constants")) return undefined;
  try {
    const value = target.evaluate({ constants });
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  } catch {
    // It fails for every event, which the flow's errors will tell.
    return undefined;
  }
}

/** A connector as problems name it. */
export function named({ name, type }: ConnectorModel): string {
  return `connector "${name}" (${type})`;
}
