/** What the blocks of a configuration are read with. */
import type { ProblemCode } from "../base/problem.ts";
import type { BlockProblem, ConnectorType } from "../contract/definition.ts";
import type { Expression } from "../expression/mod.ts";
import type { ConnectorModel, NamedExpression } from "../model/mod.ts";
import { didYouMean } from "../base/nearest.ts";
import type { DataType } from "../type/mod.ts";
import type { PlacedRequest } from "./warnings/flow.ts";
import type { Places } from "../contract/places.ts";
import type { Declared } from "./declared.ts";
import type { Report, SourceProblem, Span } from "../hcl/tree.ts";

/** The surroundings of every block. */
export interface Loading {
  readonly types: Readonly<Record<string, ConnectorType>>;
  readonly env: (name: string) => string | undefined;
  readonly now: (() => number) | undefined;
  readonly randomBytes: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** The names that `constants` has; undefined where a file that cannot be read may have more. */
  readonly constants: readonly string[] | undefined;
  readonly connectors: ReadonlyMap<string, ConnectorModel>;
  /** The names of the connectors that have problems, so that their options are not all known. */
  readonly unsound: ReadonlySet<string>;
  /** The `type` blocks. */
  readonly dataTypes: ReadonlyMap<string, DataType>;
  /** The `transform` blocks at the top level. */
  readonly transforms: ReadonlyMap<string, readonly NamedExpression[]>;
  /** What may be there although it could not be read. */
  readonly declared: Pick<Declared, "mayExist" | "mayExceed" | "mayMiss">;
  readonly report: Report;
  /** Called with every expression of a flow and its place. */
  readonly onExpression?: (flow: string, expression: Expression, span: Span) => void;
  /** Takes every `step`, `to` and `fallback` of a flow. */
  readonly onRequest?: (request: PlacedRequest) => void;
}

/** Reports what a connector type found in a block. */
export function reportAll(
  problems: readonly BlockProblem[],
  places: Places,
  subject: string,
  report: Report,
): void {
  for (const problem of problems) report(problemOf(problem, places, subject));
}

/** What a connector type found in a block, with its place. */
export function problemOf(
  { code = "connector-rule", attribute, label, message, hint, severity }: BlockProblem,
  places: Places,
  subject: string,
): SourceProblem {
  return {
    // The code of a connector that is not Weir's is any text.
    code: code as ProblemCode,
    span: attribute === undefined ? places.header : places.of(attribute, label),
    message: `${subject} ${message}`,
    hint,
    severity,
  };
}

/** Gives what has a name; reports a name that nothing has. */
export function findNamed<T>(
  kind: "connector" | "transform" | "type",
  name: string,
  all: ReadonlyMap<string, T>,
  place: { readonly span: Span; readonly subject: string },
  { declared, report }: Pick<Loading, "declared" | "report">,
): T | undefined {
  const found = all.get(name);
  if (found !== undefined || declared.mayExist(kind, name)) return found;
  const message = `${place.subject}: there is no ${kind} "${name}"`;
  const hint = didYouMean(name, all.keys());
  report({ code: `unknown-${kind}`, span: place.span, message, hint });
  return undefined;
}
